"""Which labels a tagger knows, and the labels of a file as the tagger spells them."""

import os
from collections.abc import Iterable, Sequence

from official import files
from official.errors import InputError
from official.tasks.tagging import tag_schemes
from official.tasks.tagging.conll import ColumnFile
from official.tasks.tagging.tag_schemes import OUTSIDE, Scheme
from official.tasks.tagging.tagging_scores import Sentences
from official.tasks.text_lines import read_lines

ENTITIES, PARTS_OF_SPEECH = "ner", "pos"
LABELS_FILE = "labels.txt"


def labels_of_flag(value: str) -> tuple[str, ...]:
    """`--labels`: a file of one label a line, or labels parted by commas.

    Raises:
        InputError: a label is given twice.
    """
    if files.exists(value):
        labels = tuple(line.strip() for line in read_lines(value) if line.strip())
    else:
        labels = tuple(label.strip() for label in value.split(",") if label.strip())
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated or not labels:
        raise InputError(f"--labels={value}: " + (f"{repeated[0]!r} is given twice" if repeated else "names no label"))
    return labels


def read_labels(output_dir: str) -> tuple[str, ...]:
    """The labels that a run in this directory learnt; none if there was no such run."""
    path = os.path.join(output_dir, LABELS_FILE)
    return tuple(read_lines(path)) if files.exists(path) else ()


def check_learnt(labels: Sequence[str], output_dir: str) -> None:
    """Raises InputError if a run with other labels has this directory."""
    before = read_labels(output_dir)
    if before and before != tuple(labels):
        raise InputError(
            f"{os.path.join(output_dir, LABELS_FILE)}: {', '.join(before[:9])} were learnt in this directory before, "
            f"now it would be {', '.join(labels[:9])}: another --output_dir was expected"
        )


def write_labels(labels: Sequence[str], output_dir: str) -> None:
    """Writes them down, so that the run can be used and gone on with; raises as `check_learnt`."""
    check_learnt(labels, output_dir)
    with files.write_whole(os.path.join(output_dir, LABELS_FILE)) as file:
        file.writelines(f"{label}\n" for label in labels)


def in_order(labels: Iterable[str]) -> tuple[str, ...]:
    """`O` first, the others sorted."""
    return tuple(sorted(set(labels), key=lambda label: (label != OUTSIDE, label)))


def task_of(labels: Iterable[str]) -> str:
    """`ner` where any label is of an entity, or else `pos`."""
    tags = map(tag_schemes.parse_tag, set(labels))
    return ENTITIES if any(tag is not None and tag.letter != OUTSIDE for tag in tags) else PARTS_OF_SPEECH


def scheme_of(task: str, sentences: Sentences) -> Scheme:
    """The scheme of labelled sentences, of which those of `ner` hold nothing but tags."""
    if task == PARTS_OF_SPEECH:
        return Scheme.PLAIN
    scheme = tag_schemes.detect(sentences)
    return Scheme.IOB2 if scheme is Scheme.PLAIN else scheme  # Nothing but `O`.


def labels_in(file: ColumnFile, task: str, scheme: Scheme | None = None) -> list[list[str]]:
    """The labels of a file's sentences, put into `scheme` if they are tags in another.

    Args:
        file: with labels.
        task: `ner` or `pos`.
        scheme: of the tagger; None: as they are.

    Raises:
        InputError: a label is empty, or for `ner` it is no tag; its line is named.
    """
    sentences = [sentence.labels for sentence in file.sentences]
    for place, label in _places(file, sentences):
        if not label:
            raise InputError(f"{place}: the label is empty")
        if task == ENTITIES and tag_schemes.parse_tag(label) is None:
            raise InputError(f"{place}: {label!r} is no tag of an entity: O, B-…, I-… were expected, or --task=pos")
    if task == PARTS_OF_SPEECH or scheme in (None, scheme_of(task, sentences)):
        return sentences
    return [tag_schemes.convert(labels, scheme) for labels in sentences]


def check_known(file: ColumnFile, sentences: Sentences, known: Sequence[str]) -> None:
    """Raises InputError, naming the line, for a label that the tagger does not know."""
    there = set(known)
    for place, label in _places(file, sentences):
        if label not in there:
            some = ", ".join(known[:9]) + (", …" if len(known) > 9 else "")
            raise InputError(
                f"{place}: the label {label!r} is not among the {len(known)} of the model ({some}): a file of another "
                "task, or a label to be named in --labels"
            )


def _places(file: ColumnFile, sentences: Sentences) -> Iterable[tuple[str, str]]:
    """The first word with each label."""
    seen = set()
    for number, labels in enumerate(sentences):
        for word, label in enumerate(labels):
            if label not in seen:
                seen.add(label)
                yield file.place(number, word), label
