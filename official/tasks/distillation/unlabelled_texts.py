"""Texts for a teacher to label: files as of the task but without labels, or a text a line."""

import os
from collections.abc import Iterator, Sequence

from absl.flags import FlagValues

from official import files
from official.errors import InputError
from official.tasks.classification.classification_examples import Example, Task, require_some
from official.tasks.classification.classification_files import READERS
from official.tasks.classification.classification_tasks import task_of_flags
from official.tasks.classification.own_data import Columns, Table
from official.tasks.text_lines import read_lines

SPLIT = "unlabelled"


def read_unlabelled(flags: FlagValues, task: Task) -> list[Example]:
    """The texts of --unlabelled_file; a column of labels, if there is one, is not looked at.

    A name's ending says what is in a file: `.txt` a text a line, a tab between those of a pair; `.csv` and `.jsonl`
    tables; anything else, the form of the user's own data or of the task's test file. Of tensorflow-datasets, a split.

    Raises:
        InputError: there is no such file, it holds no text, or is not what was expected: file and line are named.
    """
    if not flags.unlabelled_file:
        return []
    if flags.tfds_name:
        return _without_labels(task_of_flags(flags, {"test": flags.unlabelled_file}).read("test"))
    paths = files.expand_patterns(flags.unlabelled_file, "unlabelled_file")
    return [example for path in paths for example in _read(flags, task, path)]


def _read(flags: FlagValues, task: Task, path: str) -> list[Example]:
    form = os.path.splitext(path.removesuffix(".gz"))[1].removeprefix(".").lower()
    own = flags.task_name in READERS
    if form == "txt":
        if task.choices > 1:
            raise InputError(f"{path}: a text a line has no choices: a file as {task.name}'s test.csv was expected")
        return require_some(_lines(path), path)
    if task.choices == 1 and (form in ("csv", "jsonl") or own or flags.task_name == "imdb"):
        columns = Columns(flags.text_a_column, flags.text_b_column, label="")
        table = Table(path, form if form in READERS else flags.task_name if own else "tsv", columns)
        return require_some(table.examples(SPLIT, labelled=False), path)
    return _without_labels(task_of_flags(flags, {"test": path}).read("test"))


def _lines(path: str) -> Iterator[Example]:
    for number, line in enumerate(read_lines(path), start=1):
        if line.strip():
            text_a, _, text_b = line.partition("\t")
            yield Example(f"{SPLIT}-{number}", ((text_a, text_b or None),), None, path, number)


def _without_labels(examples: Sequence[Example]) -> list[Example]:
    return [example._replace(labels=None) for example in examples]
