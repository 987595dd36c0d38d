"""Tables (tsv, csv) and JSON lines: rows read, and written again with columns beside them."""

import csv
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import IO, Any, NamedTuple

from official.errors import InputError
from official.tasks.text_lines import LARGEST, read_lines

FORMS = ("tsv", "csv", "jsonl")


class Row(NamedTuple):
    """One line of a table, or one JSON object."""

    line: int
    fields: Sequence[str] | Mapping[str, Any]


def read_tsv(path: str) -> Iterator[Row]:
    """Lines cut at tabs. Quotes are text, as in the original (run_classifier.py:191); empty lines are no rows."""
    for line, text in enumerate(read_lines(path), start=1):
        if text:
            yield Row(line, text.split("\t"))


def read_csv(path: str) -> Iterator[Row]:
    """Fields between commas, in double quotes where they hold commas, quotes or line ends (RFC 4180).

    Raises:
        InputError: a quote that is not closed, or not followed by a comma.
    """
    csv.field_size_limit(LARGEST)
    reader = csv.reader((text + "\n" for text in read_lines(path)), strict=True)
    while True:
        start = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            reason, _, _ = str(error).partition(" - ")  # What may follow is for programmers.
            raise InputError(f"{path}:{start}: the row that begins here is not CSV: {reason}") from error
        if fields is None:
            return
        if fields:
            yield Row(start, fields)


def read_jsonl(path: str) -> Iterator[Row]:
    """A JSON object a line; or the whole file as one JSON array of objects, which are then counted from 1."""
    lines = ((line, text) for line, text in enumerate(read_lines(path), start=1) if text and not text.isspace())
    first = next(lines, None)
    if first is not None and first[1].lstrip().startswith("["):
        text = "\n".join([first[1], *(text for _, text in lines)])
        for number, value in enumerate(_parse(text, path, list), start=1):
            yield Row(number, _checked(value, f"{path}: object {number}", dict))
    elif first is not None:
        for line, text in itertools.chain([first], lines):
            yield Row(line, _parse(text, f"{path}:{line}", dict))


def _parse(text: str, place: str, kind: type) -> Any:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: is not JSON: {error}") from error
    return _checked(value, place, kind)


def _checked(value: Any, place: str, kind: type) -> Any:
    if not isinstance(value, kind):
        raise InputError(f"{place}: found {shown(value)}, expected was {_CONTAINERS[kind]}")
    return value


def flat(values: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    """{"a": {"b": x}} → {"a/b": x}: what is nested gets names of its own."""
    found = {}
    for name, value in values.items():
        found |= flat(value, f"{start}{name}/") if isinstance(value, Mapping) else {start + name: value}
    return found


def shown(value: Any) -> str:
    """A JSON value, short enough for a message."""
    if type(value) in _CONTAINERS:
        return _CONTAINERS[type(value)]
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:60] + "…"


_CONTAINERS = {dict: "an object", list: "an array"}

READERS: dict[str, Callable[[str], Iterator[Row]]] = {"tsv": read_tsv, "csv": read_csv, "jsonl": read_jsonl}


def _tsv_writer(file: IO) -> Callable:
    def write(fields):
        file.write("\t".join(" ".join(str(field).split("\t")) for field in fields) + "\n")

    return write


def _jsonl_writer(file: IO) -> Callable:
    def write(fields):
        # A lone surrogate, which JSON can hold and UTF-8 can't, becomes a question mark.
        file.write(json.dumps(fields, ensure_ascii=False).encode(errors="replace").decode() + "\n")

    return write


def _csv_writer(file: IO) -> Callable:
    return csv.writer(file, lineterminator="\n").writerow


WRITERS: dict[str, Callable[[IO], Callable]] = {"tsv": _tsv_writer, "csv": _csv_writer, "jsonl": _jsonl_writer}
