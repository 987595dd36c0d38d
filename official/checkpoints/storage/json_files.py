"""JSON files: what others wrote is taken for nothing but what it was checked to be."""

import json
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from official import files
from official.errors import InputError

# Bounded in length and in depth: a file may hold anything.
_SHORT = reprlib.Repr()
_SHORT.maxstring = 80


def read_object(path: str) -> dict[str, Any]:
    """The JSON object that a file holds.

    Raises:
        InputError: there is no such file, or it holds something else.
    """
    with files.open_file(path) as file:
        text = file.read()
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: a JSON object was expected")
    return values


def write(path: str, values: Mapping[str, Any]) -> None:
    """Writes an object, its members in the order they have.

    Raises:
        InputError: the file can't be written.
    """
    with files.write_whole(path) as file:
        file.write(json.dumps(values, ensure_ascii=False, indent=2) + "\n")


def wrong(path: str, field: str, value: Any, expected: str) -> InputError:
    """The error of a field with a value that is of no use."""
    return InputError(f"{path}: {field} is {spell(value)}: {expected} was expected")


def spell(value: Any) -> str:
    """A value in a message, shortened: as in JSON, if it is simple."""
    return json.dumps(value) if value is None or isinstance(value, bool) else _SHORT.repr(value)


def check_fixed(path: str, values: Mapping[str, Any], fixed: Mapping[str, Any], section: str = "") -> None:
    """Compares the fields that are there with the one value that each may have.

    Raises:
        InputError: one has another.
    """
    for field, expected in fixed.items():
        value = values.get(field, expected)
        if type(value) is not type(expected) or value != expected:
            raise wrong(path, section + field, value, json.dumps(expected))


def one_of(path: str, field: str, value: Any, possible: Sequence[bool | None]) -> bool | None:
    """A value that is one of those possible.

    Raises:
        InputError: it is another.
    """
    if not any(value is one for one in possible):
        raise wrong(path, field, value, " or ".join(map(json.dumps, possible)))
    return value


def is_text(value: Any) -> bool:
    """Whether a value is a string that can be written again: JSON can spell half a character, UTF-8 can't."""
    return isinstance(value, str) and (
        value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
    )


def is_whole_number(value: Any) -> bool:
    """Whether a value is an integer, not negative; in Python True and False are integers."""
    return type(value) is int and value >= 0
