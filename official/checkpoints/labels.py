"""The classes of a head, as Hugging Face's `config.json` keeps them: `id2label`, `label2id` and `problem_type`."""

from collections.abc import Mapping, Sequence
from typing import Any

from official.errors import InputError

# What a label is here → what it is there.
PROBLEM_TYPES = {
    "single": "single_label_classification",
    "multi": "multi_label_classification",
    "regression": "regression",
}


def from_config(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The names by their numbers; none where there are none.

    Raises:
        InputError: `id2label` is no object of one name for each number from 0.
    """
    names = values.get("id2label")
    if names is None:
        return ()
    try:
        by_number = {int(number): name for number, name in names.items()}
        ordered = tuple(by_number[number] for number in range(len(names)))
    except (AttributeError, KeyError, TypeError, ValueError):
        ordered = (None,)
    if not all(isinstance(name, str) for name in ordered):
        raise InputError(f'id2label is {str(names)[:100]}: names of the labels were expected, {{"0": "…", "1": "…"}}')
    return ordered


def type_from_config(values: Mapping[str, Any]) -> str | None:
    """Whether a text has one label, several or a number: `single`, `multi`, `regression`; None if it is not said."""
    return next((ours for ours, theirs in PROBLEM_TYPES.items() if values.get("problem_type") == theirs), None)


def to_config(labels: Sequence[str], label_type: str | None = None) -> dict[str, Any]:
    """What `config.json` says of labels; nothing where a model has none."""
    if not labels:
        return {}
    problem = {} if label_type is None else {"problem_type": PROBLEM_TYPES[label_type]}
    return problem | {
        "id2label": {str(number): name for number, name in enumerate(labels)},
        "label2id": {name: number for number, name in enumerate(labels)},
    }


def unnamed(count: int) -> tuple[str, ...]:
    """What Hugging Face calls labels without names."""
    return tuple(f"LABEL_{number}" for number in range(count))
