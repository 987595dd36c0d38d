"""Texts to be classified, as read from a file: what every source gives, and what becomes of their labels."""

import dataclasses
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from official.errors import InputError

SHOWN = 10  # Labels that a message names.
UNDECIDED = "-"  # The gold label of SNLI and MultiNLI where the annotators did not agree.
# What is computed where no task says otherwise, the chief measure first.
MEASURES = {
    "single": ("accuracy", "macro_f1"),
    "multi": ("micro_f1", "macro_f1", "subset_accuracy"),
    "regression": ("pearson", "spearman"),
}


class Example(NamedTuple):
    """A text, a pair of texts, or several pairs of which one is right, with what is to be said of it.

    Attributes:
        guid: the name that the original gives it.
        pairs: (text a, text b or None); more than one where there is a choice.
        labels: as the file has them: one; for multi-label data any number; None where the file has no label.
        source: the file it comes from.
        line: where it begins there, from 1; 0 where the file holds nothing else.
    """

    guid: str
    pairs: tuple[tuple[str, str | None], ...]
    labels: tuple[str, ...] | None
    source: str
    line: int = 0

    @property
    def place(self) -> str:
        """`file:line`, for messages."""
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be learnt, and where its examples are.

    Attributes:
        name: as messages call it.
        read: the examples of `train`, `dev` or `test`, in the order of the file; InputError where there are none.
        label_type: `single`, `multi` (any number of labels an example), or `regression`.
        labels: in the order of their ids; None where the training data says which they are.
        choices: pairs an example; the label says which is right.
        measures: what is computed beside the loss, the chief one first: names of `classification_scores`.
        submission: name of the file that the GLUE server wants, without `.tsv`.
        write_predictions: writes what was predicted beside the columns of the file; answers with the path. None where
            the form of the file is the task's own.
    """

    name: str
    read: Callable[[str], list[Example]]
    label_type: str = "single"
    labels: tuple[str, ...] | None = None
    choices: int = 1
    measures: tuple[str, ...] = ("accuracy",)
    submission: str | None = None
    write_predictions: Callable | None = None


def find_labels(examples: Sequence[Example], label_type: str = "single") -> tuple[str, ...]:
    """The labels that occur, sorted: as numbers where all are whole numbers.

    Raises:
        InputError: an example has none, there are fewer than two, or almost every example has one of its own.
    """
    found = {label for example in examples for label in _labels_of(example, label_type)}
    place = examples[0].source
    if label_type == "single" and len(found) < 2:
        raise InputError(f"{place}: every example has the label {min(found)!r}, at least two labels were expected")
    if not found:
        raise InputError(f"{place}: no example has a label")
    if len(found) > 2 * SHOWN and len(found) > len(examples) / 2:
        raise InputError(
            f"{place}: {len(found)} different labels in {len(examples)} examples: is this the column of the labels? "
            "(numbers are learnt with --label_type=regression)"
        )
    numbers = all(label.isdecimal() and label.isascii() for label in found)
    return tuple(sorted(found, key=lambda label: (int(label), label) if numbers else label))


def label_array(examples: Sequence[Example], labels: Sequence[str], label_type: str) -> np.ndarray:
    """What the loss compares with.

    Returns:
        int32 [N], the label's place among `labels`; for `multi` float32 [N, labels], 1 for those that apply; for
        `regression` float32 [N].

    Raises:
        InputError: an example has no label, or one that is not known, with its file and line.
    """
    if label_type == "regression":
        return np.array([_number(example) for example in examples], np.float32)
    ids = {label: number for number, label in enumerate(labels)}
    rows = [[_id(example, label, ids) for label in _labels_of(example, label_type)] for example in examples]
    if label_type == "single":
        return np.array([number for (number,) in rows], np.int32)
    array = np.zeros((len(rows), len(labels)), np.float32)
    for row, numbers in enumerate(rows):
        array[row, numbers] = 1.0
    return array


def _labels_of(example: Example, label_type: str) -> tuple[str, ...]:
    if example.labels is None:
        raise InputError(f"{example.place}: has no label")
    if label_type == "single" and len(example.labels) != 1:
        raise InputError(
            f"{example.place}: has {len(example.labels)} labels, one was expected (any number: --label_type=multi)"
        )
    return example.labels


def _id(example: Example, label: str, ids: dict[str, int]) -> int:
    if label not in ids:
        raise InputError(
            f"{example.place}: the label is {_shortened(label)!r}, expected was one of {listed(list(ids))}: is this "
            "the file, and the column, of this task?"
        )
    return ids[label]


def _number(example: Example) -> float:
    (text,) = _labels_of(example, "single")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > float(np.finfo(np.float32).max):
        raise InputError(f"{example.place}: the label is {_shortened(text)!r}, a number was expected")
    return value


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else text[:40] + "…"


def listed(labels: Sequence[str]) -> str:
    """The first of them, for messages."""
    names = [_shortened(label) for label in labels[:SHOWN]]
    return ", ".join(names) + (f", … ({len(labels)})" if len(labels) > SHOWN else "")


def class_weights(setting: str, labels: Sequence[str], label_ids: np.ndarray) -> np.ndarray:
    """What an example of each class counts in training: float32 [labels].

    Args:
        setting: `balanced`, in inverse proportion to how often each occurs, with mean 1 over the examples; or
            `label:weight,…`, where those not named count 1.
        labels: by id.
        label_ids: int32 [N], those of the training examples.

    Raises:
        InputError: an unknown label, or a weight that is no positive number.
    """
    if setting == "balanced":
        counts = np.bincount(label_ids, minlength=len(labels))
        return np.where(counts, len(label_ids) / (np.count_nonzero(counts) * np.maximum(counts, 1)), 1).astype(
            np.float32
        )
    weights = np.ones(len(labels), np.float32)
    for entry in setting.split(","):
        label, _, weight = entry.rpartition(":")
        if label not in labels:
            raise InputError(
                f"--class_weights: {entry!r}, expected was label:weight or balanced; the labels are {listed(labels)}"
            )
        weights[labels.index(label)] = _positive(weight, entry)
    return weights


def _positive(weight: str, entry: str) -> float:
    try:
        value = float(weight)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise InputError(f"--class_weights: {entry!r}, the weight must be a number above 0")
    return value


def decided(examples: Iterable[Example], path: str) -> Iterator[Example]:
    """Those whose label the annotators agreed on; how many others there were is said on stderr, at the end."""
    left_out = 0
    for example in examples:
        if example.labels == (UNDECIDED,):
            left_out += 1
        else:
            yield example
    if left_out:
        print(f"note: {path}: {left_out} examples have {UNDECIDED!r} for a label and are left out", file=sys.stderr)


def require_some(examples: Iterable[Example], path: str) -> list[Example]:
    """As a list; raises InputError where there is none."""
    found = list(examples)
    if not found:
        raise InputError(f"{path}: holds no example")
    return found
