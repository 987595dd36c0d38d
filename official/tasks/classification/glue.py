"""GLUE (Wang et al. 2018) and XNLI (Conneau et al. 2018) as published: files, columns, labels, measures.

What cola, mnli, mrpc and xnli are was laid down by the original (run_classifier.py:197-380); the others follow GLUE's
files.
"""

import dataclasses
import os
import sys
from collections.abc import Iterator, Mapping

from official.errors import InputError
from official.tasks.classification.classification_examples import Example, Task, decided, require_some
from official.tasks.classification.classification_files import read_tsv


@dataclasses.dataclass(frozen=True)
class Layout:
    """A file of a task: which of its columns hold what, from 0, or from the end where negative.

    Attributes:
        file: below the data directory; `{language}` is replaced.
        header: whether its first line is one.
        guid: the column that names an example; None: the number of its line, from 0.
        name: what guids begin with, where it is not that of the split.
        language: the column whose value has to be the language.
        skip_short: whether lines without all columns are left out: QQP is published with some.
    """

    file: str
    text_a: int
    text_b: int | None = None
    label: int | None = None
    header: bool = True
    guid: int | None = None
    name: str | None = None
    language: int | None = None
    skip_short: bool = False

    @property
    def width(self) -> int:
        """How many columns a line must have."""
        columns = (self.text_a, self.text_b, self.label, self.guid, self.language)
        return 1 + max(column for column in columns if column is not None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GlueTask:
    """A task of the benchmark; attributes are those of `Task`, and a layout for each file that there is."""

    labels: tuple[str, ...] = ("0", "1")
    label_type: str = "single"
    measures: tuple[str, ...] = ("accuracy",)
    submission: str | None = None
    train: Layout | None = None
    dev: Layout | None = None
    test: Layout | None = None


INFERENCE = ("contradiction", "entailment", "neutral")
ENTAILMENT = ("entailment", "not_entailment")
SPELT_OTHERWISE = {"contradictory": "contradiction"}  # In XNLI's training data.


def _files(text_a: int, text_b: int | None, label: int, test_text_a: int, test_text_b: int | None, **options):
    """Layouts of train.tsv and dev.tsv, and of test.tsv, where columns stand elsewhere."""
    return {
        "train": Layout("train.tsv", text_a, text_b, label, **options),
        "dev": Layout("dev.tsv", text_a, text_b, label, **options),
        "test": Layout("test.tsv", test_text_a, test_text_b),
    }


def _mnli(kind: str, submission: str) -> GlueTask:
    return GlueTask(
        labels=INFERENCE,
        submission=submission,
        train=Layout("train.tsv", 8, 9, -1, guid=0),
        dev=Layout(f"dev_{kind}.tsv", 8, 9, -1, guid=0, name=f"dev_{kind}"),
        test=Layout(f"test_{kind}.tsv", 8, 9, guid=0),
    )


TASKS: Mapping[str, GlueTask] = {
    "cola": GlueTask(measures=("mcc", "accuracy"), submission="CoLA", **_files(3, None, 1, 1, None, header=False)),
    "mnli": _mnli("matched", "MNLI-m"),
    "mnli-mm": _mnli("mismatched", "MNLI-mm"),
    "mrpc": GlueTask(measures=("accuracy", "f1"), submission="MRPC", **_files(3, 4, 0, 3, 4)),
    "qnli": GlueTask(labels=ENTAILMENT, submission="QNLI", **_files(1, 2, 3, 1, 2)),
    "qqp": GlueTask(measures=("accuracy", "f1"), submission="QQP", **_files(3, 4, 5, 1, 2, skip_short=True)),
    "rte": GlueTask(labels=ENTAILMENT, submission="RTE", **_files(1, 2, 3, 1, 2)),
    "sst-2": GlueTask(submission="SST-2", **_files(0, None, 1, 1, None)),
    "sts-b": GlueTask(
        labels=(),
        label_type="regression",
        measures=("pearson", "spearman"),
        submission="STS-B",
        **_files(7, 8, 9, 7, 8),
    ),
    "wnli": GlueTask(submission="WNLI", **_files(1, 2, 3, 1, 2)),
    "ax": GlueTask(labels=INFERENCE, submission="AX", test=Layout("diagnostic.tsv", 1, 2)),
    "xnli": GlueTask(
        labels=INFERENCE,
        train=Layout("multinli/multinli.train.{language}.tsv", 0, 1, 2),
        dev=Layout("xnli.dev.tsv", 6, 7, 1, language=0),
        test=Layout("xnli.test.tsv", 6, 7, language=0),
    ),
}


def glue_task(name: str, data_dir: str, paths: Mapping[str, str], language: str = "zh") -> Task:
    """A task of `TASKS`.

    Args:
        name: one of its keys.
        data_dir: where its files are.
        paths: by split, files of the same layout to be read instead.
        language: of XNLI.
    """
    task = TASKS[name]

    def read(split: str) -> list[Example]:
        layout = getattr(task, split)
        if layout is None:
            raise InputError(f"--task_name={name}: has no {split} set; a model trained on mnli predicts for it")
        path = paths.get(split) or os.path.join(data_dir, layout.file.format(language=language))
        examples = _examples(path, layout, layout.name or split, language)
        return require_some(decided(examples, path), path)

    return Task(
        name=name,
        read=read,
        label_type=task.label_type,
        labels=task.labels,
        measures=task.measures,
        submission=task.submission,
    )


def _examples(path: str, layout: Layout, split: str, language: str) -> Iterator[Example]:
    short = []
    for line, fields in read_tsv(path):
        if layout.header and line == 1:
            continue
        if len(fields) < layout.width and layout.skip_short:
            short.append(line)
        elif len(fields) < layout.width:
            raise InputError(f"{path}:{line}: {len(fields)} columns, at least {layout.width} were expected")
        elif layout.language is None or fields[layout.language] == language:
            yield _example(path, line, fields, layout, split)
    if short:
        print(
            f"note: {path}: {len(short)} lines lack columns and are left out, the first is {short[0]}", file=sys.stderr
        )


def _example(path: str, line: int, fields: list[str], layout: Layout, split: str) -> Example:
    guid = line - 1 if layout.guid is None else fields[layout.guid]
    text_b = None if layout.text_b is None else fields[layout.text_b]
    labels = None
    if layout.label is not None:
        label = fields[layout.label]
        labels = (SPELT_OTHERWISE.get(label, label),)
    return Example(f"{split}-{guid}", ((fields[layout.text_a], text_b),), labels, path, line)
