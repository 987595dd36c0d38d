"""Anyone's own data: tables and JSON lines, their columns by name or number."""

import dataclasses
import itertools
import json
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from official import files
from official.errors import InputError
from official.tasks.classification.classification_examples import MEASURES, Example, Task, decided, require_some
from official.tasks.classification.classification_files import READERS, WRITERS, Row, flat, shown

# What columns are called, in the order in which they are looked for where the user names none.
TEXT_A = "text_a text sentence1 premise question1 question sentence document review content".split()
TEXT_B = "text_b sentence2 hypothesis question2 sentence passage answer".split()
LABEL = "label labels gold_label label_ids class category sentiment target score".split()
GOLD_LABEL = "gold_label"  # Of SNLI and MultiNLI, which mark what the annotators did not agree on.


@dataclasses.dataclass(frozen=True)
class Columns:
    """Which columns hold what, as the user says: names, or numbers from 0 of a table without a header.

    Where no text is named, the usual names are looked for; `text_b=""` says that there is none.
    """

    text_a: str | None = None
    text_b: str | None = None
    label: str | None = None

    @property
    def are_numbers(self) -> bool:
        """Whether the table has no header.

        Raises:
            InputError: some are numbers and some are names.
        """
        numbers = {name.isdecimal() for name in (self.text_a, self.text_b, self.label) if name}
        if len(numbers) > 1:
            raise InputError(
                f"columns {self.text_a}, {self.text_b}, {self.label}: all names or all numbers were expected"
            )
        return numbers == {True}

    def find(self, names: Sequence[str], place: str) -> "Columns":
        """The columns among those that are there.

        Raises:
            InputError: a column of that name, or any column of text, is not there.
        """
        text_b = self.text_b
        text_a = _find(self.text_a, TEXT_A, names, place, "text_a")
        if text_a is None:
            raise InputError(
                f"{place}: no column of text among {_list(names)}: --text_a_column says which it is{_hint(names)}"
            )
        if text_b is None and self.text_a is not None:
            text_b = ""  # Who names the first text would name the second.
        others = [name for name in names if name != text_a]
        return Columns(
            text_a,
            _find(text_b, TEXT_B, names if text_b else others, place, "text_b") or None,
            _find(self.label, LABEL, names if self.label else others, place, "label"),
        )


def _find(given: str | None, usual: Sequence[str], names: Sequence[str], place: str, which: str) -> str | None:
    if not given:
        by_lower = {name.lower().strip(): name for name in reversed(names)}
        return given if given == "" else next((by_lower[name] for name in usual if name in by_lower), None)
    if given not in names:
        raise InputError(
            f"{place}: has no column {given!r} (--{which}_column); there are: {_list(names)}{_hint(names)}"
        )
    return given


def _hint(names: Sequence[str]) -> str:
    """What to look at where the one column of a table seems to be several."""
    found = [separator for separator in ",;|\t" if len(names) == 1 and separator in names[0]]
    return f"; are the columns separated by {found[0]!r}? csv has commas between them, tsv has tabs" if found else ""


def _list(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names[:20])


@dataclasses.dataclass(frozen=True)
class Table:
    """A file of the user's.

    Attributes:
        form: `tsv`, `csv` or `jsonl`.
        columns: which hold what.
        multi: whether an example has any number of labels: a JSON list, or separated by commas.
    """

    path: str
    form: str
    columns: Columns
    multi: bool = False

    def read(self) -> tuple[list[str] | None, Iterator[Row]]:
        """The header, None where there is none, and the rows."""
        rows = READERS[self.form](self.path)
        if self.form == "jsonl" or self.columns.are_numbers:
            return None, rows
        header = next(rows, None)
        if header is None:
            raise InputError(f"{self.path}: is empty, a header was expected")
        return list(header.fields), self._of_one_width(rows, header.fields)

    def _of_one_width(self, rows: Iterator[Row], header: Sequence[str]) -> Iterator[Row]:
        for row in rows:
            if len(row.fields) != len(header):
                found = f"{len(row.fields)} columns, the header has {len(header)}{_hint(header)}"
                raise InputError(f"{self.path}:{row.line}: {found}")
            yield row

    def examples(self, split: str, labelled: bool) -> Iterator[Example]:
        """The examples, whose guid begins with `split`.

        Args:
            labelled: whether a column of labels has to be there.

        Raises:
            InputError: a line or a field is not what was expected.
        """
        header, rows = self.read()
        first = next(rows, None)
        if first is None:
            return iter(())
        columns = self._find_columns(header, first, labelled)
        every = (
            self._example(split, row.line, self._by_name(header, row), columns)
            for row in itertools.chain([first], rows)
        )
        return decided(every, self.path) if labelled and columns.label == GOLD_LABEL else every

    def _find_columns(self, header: list[str] | None, first: Row, labelled: bool) -> Columns:
        names = header or list(self._by_name(header, first))
        columns = self.columns.find(names, self.path if header else f"{self.path}:{first.line}")
        if labelled and columns.label is None:
            raise InputError(f"{self.path}: no column of labels among {_list(names)}: --label_column says which")
        for name in (columns.text_a, columns.text_b, columns.label):
            if names.count(name) > 1:
                raise InputError(f"{self.path}: has {names.count(name)} columns {name!r}, one was expected")
        return columns

    def _by_name(self, header: list[str] | None, row: Row) -> Mapping[str, Any]:
        if isinstance(row.fields, Mapping):
            return flat(row.fields)
        names = map(str, range(len(row.fields))) if header is None else header
        return dict(zip(names, row.fields))

    def _example(self, split: str, line: int, fields: Mapping[str, Any], columns: Columns) -> Example:
        place = f"{self.path}:{line}"
        text_a = _text(fields, columns.text_a, place)
        text_b = _text(fields, columns.text_b, place) if columns.text_b else None
        labels = _labels(fields.get(columns.label), place, self.multi) if columns.label else None
        return Example(f"{split}-{line}", ((text_a, text_b),), labels, self.path, line)

    def write_predictions(self, directory: str, name: str, predicted: Iterable[Mapping[str, Any]]) -> str:
        """Writes the file's columns with what was predicted beside them, in the same form; answers with the path."""
        path = os.path.join(directory, f"{name}.{self.form}")
        header, rows = self.read()
        with files.write_whole(path) as file:
            write = WRITERS[self.form](file)
            for number, (row, extra) in enumerate(zip(rows, predicted, strict=True)):
                if number == 0 and header is not None:
                    write([*header, *extra])
                write(row.fields | extra if self.form == "jsonl" else [*row.fields, *extra.values()])
        return path


def _text(fields: Mapping[str, Any], name: str, place: str) -> str:
    value = fields.get(name, fields)
    if value is fields:
        raise InputError(f"{place}: has no column {name!r}; there are: {_list(list(fields))}")
    if not isinstance(value, str):
        raise InputError(f"{place}: {name!r} is {shown(value)}, a text was expected")
    return value


def _labels(value: Any, place: str, multi: bool) -> tuple[str, ...] | None:
    """Labels as text; None for no label."""
    if value is None or (value == "" and not multi):
        return None
    if isinstance(value, str):
        return tuple(filter(None, map(str.strip, value.split(",")))) if multi else (value,)
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(label, (str, int, float)) for label in values):
        raise InputError(
            f"{place}: the label is {shown(value)}; a text or a number{', or a list,' * multi} was expected"
        )
    return tuple(label if isinstance(label, str) else _number_text(label) for label in values)


def _number_text(value: float) -> str:
    """1 and 1.0 are the same label; true and false are as JSON has them."""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    return json.dumps(value)


def own_data(tables: Mapping[str, Table], label_type: str, labels: Sequence[str] | None) -> Task:
    """The task of a user's own files.

    Args:
        tables: by split, `train`, `dev` and `test`.
        label_type, labels: as in `Task`.
    """

    def read(split: str) -> list[Example]:
        table = tables[split]
        return require_some(table.examples(split, labelled=split != "test"), table.path)

    return Task(
        name="own data",
        read=read,
        label_type=label_type,
        labels=None if labels is None else tuple(labels),
        measures=MEASURES[label_type],
        write_predictions=tables["test"].write_predictions,
    )
