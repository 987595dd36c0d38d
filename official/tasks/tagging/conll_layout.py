"""How a file of columns is made up: what parts them, how many there are, which hold words and labels, comments."""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from official.errors import InputError

DOCUMENT_START = "-DOCSTART-"
CONLLU_COLUMNS, CONLLU_WORD, CONLLU_UPOS = 10, 1, 3
CONLLU_ID = re.compile(r"(\d+)([-.]\d+)?")  # A word, or a range of words or an empty node, which are no words.
BLANKS = " \t\r\f\v"
_SPACES = re.compile(r"[ \t]+")  # No-break and ideographic spaces belong to words.
_COMMENT = re.compile(r"#+ ")
_JSON = re.compile(r'\s*(\{\s*"[^"]*"\s*:|\[\s*\{\s*")')
_WORDS_OF_A_TEXT = 4


@dataclasses.dataclass(frozen=True)
class Layout:
    """How the lines of a file are made up.

    Attributes:
        separator: a tab, or None for runs of white space.
        columns: how many a line has.
        token: index of the column of words.
        label: index of the column of labels; None where there is none.
        exact: whether more columns than that are a mistake.
        conllu: whether it is CoNLL-U.
    """

    separator: str | None
    columns: int
    token: int
    label: int | None
    exact: bool
    conllu: bool

    def split(self, line: str) -> list[str]:
        return split_columns(line, self.separator)


def split_columns(line: str, separator: str | None) -> list[str]:
    """The columns of a line; empty ones at its end don't count, nor does white space there."""
    if separator is None:
        return _SPACES.split(line.strip(BLANKS))
    return line.rstrip(BLANKS).split(separator)


def check_kind(path: str, lines: Sequence[str]) -> None:
    """Raises InputError for files of other tasks, whose lines would pass for words with labels."""
    expected = "one word a line was expected, with its label in a column"
    if _JSON.match("\n".join(lines[:3])):
        raise InputError(f"{path}: is JSON: {expected}")
    rows = [split_columns(line, "\t") for line in _plain_lines(lines)]
    texts = [row for row in rows if len(row) > 1 and len(max(row, key=len).split()) >= _WORDS_OF_A_TEXT]
    if rows and len(texts) > len(rows) / 2 and not _is_conllu("\t".join(rows[0])):
        raise InputError(f"{path}:1: is a table of texts ({max(texts[0], key=len)[:60]!r}): {expected}")


def spell_columns(columns: int) -> str:
    return f"{columns} column" + "s" * (columns != 1)


def is_blank(line: str) -> bool:
    return not line.strip(BLANKS)


def _plain_lines(lines: Sequence[str]) -> Iterator[str]:
    """The lines that can be nothing but words."""
    return (line for line in lines if not is_blank(line) and not line.startswith(("#", DOCUMENT_START)))


def find_layout(path: str, lines: Sequence[str], token_column: int | None, label_column: int | None) -> Layout:
    separator = _find_separator(lines)
    conllu = separator is not None and _is_conllu(next(_plain_lines(lines)))
    counts = Counter(len(split_columns(line, separator)) for line in _plain_lines(lines))
    columns = CONLLU_COLUMNS if conllu else counts.most_common(1)[0][0] if counts else 1
    token = token_column if token_column is not None else CONLLU_WORD if conllu else 0
    label = label_column if label_column is not None else CONLLU_UPOS if conllu else -1
    exact = token < 0 or label < 0
    token, label = (column + columns if column < 0 else column for column in (token, label))
    if not 0 <= token < columns:
        raise InputError(f"{path}: its lines have {spell_columns(columns)}, but --token_column is {token_column}")
    there = 0 <= label < columns and label != token
    return Layout(separator, columns, token, label if there else None, exact, conllu)


def _find_separator(lines: Sequence[str]) -> str | None:
    """A tab if most lines have one, unless white space makes the same number of columns of all, and tabs do not."""
    tabs = Counter("\t" in line.rstrip(BLANKS) for line in _plain_lines(lines))
    if tabs[True] <= tabs[False]:
        return None
    by_tabs, by_spaces = (
        {len(split_columns(line, separator)) for line in _plain_lines(lines)} for separator in ("\t", None)
    )
    return None if len(by_spaces) == 1 < len(by_tabs) else "\t"


def _is_conllu(line: str) -> bool:
    columns = line.split("\t")
    return len(columns) == CONLLU_COLUMNS and CONLLU_ID.fullmatch(columns[0]) is not None


def comments(lines: Sequence[str], layout: Layout) -> Callable[[str], bool]:
    """Tells comments from words like `#`, which a file may hold too.

    Outside of CoNLL-U, `# like this` is a comment unless it has the columns of a word and a label that others have.
    """
    label = layout.token if layout.label is None else layout.label
    rows = (layout.split(line) for line in _plain_lines(lines))
    known = {row[label] for row in rows if len(row) > label and layout.label is not None}

    def is_comment(line: str) -> bool:
        if layout.conllu:
            return line.startswith("#")
        if not _COMMENT.match(line):
            return False
        columns = layout.split(line)
        return len(columns) != layout.columns or columns[label] not in known

    return is_comment
