"""Files of one word a line with its label in a column: CoNLL-2003, WNUT, CoNLL-U, and what is like them.

Blank lines end sentences, `-DOCSTART-` or `# newdoc` begins a document. How columns are parted, how many there are and
what is a comment is found from the file as a whole.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from official import files
from official.errors import InputError
from official.tasks.text_lines import read_lines

DOCUMENT_START = "-DOCSTART-"
_CONLLU_COLUMNS, _CONLLU_WORD, _CONLLU_UPOS = 10, 1, 3
_CONLLU_ID = re.compile(r"(\d+)([-.]\d+)?")  # A word, or a range of words or an empty node, which are no words.
_SPACES = re.compile(r"[ \t]+")  # No-break and ideographic spaces belong to words.
_BLANKS = " \t\r\f\v"
_COMMENT = re.compile(r"#+ ")


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


@dataclasses.dataclass(frozen=True)
class Sentence:
    """Words with their labels, if there are any, and the number of each one's line, from 1."""

    words: list[str]
    labels: list[str] | None
    lines: list[int]
    begins_document: bool


@dataclasses.dataclass(frozen=True)
class ColumnFile:
    """A file as it was read: its lines without their ends, and what they say.

    `marks_documents` tells whether it says where documents begin.
    """

    path: str
    lines: list[str]
    layout: Layout
    sentences: list[Sentence]
    marks_documents: bool

    @property
    def has_labels(self) -> bool:
        return self.sentences[0].labels is not None

    def place(self, sentence: int, word: int) -> str:
        """`file:line` of a word, for messages."""
        return f"{self.path}:{self.sentences[sentence].lines[word]}"


def split_columns(line: str, separator: str | None) -> list[str]:
    """The columns of a line; empty ones at its end don't count, nor does white space there."""
    if separator is None:
        return _SPACES.split(line.strip(_BLANKS))
    return line.rstrip(_BLANKS).split(separator)


def read(
    path: str, token_column: int | None = None, label_column: int | None = None, labels_expected: bool = True
) -> ColumnFile:
    """Reads a file of columns, plain or gzip.

    Args:
        path: of the file.
        token_column: of the words, from 0, or from the end with −1; by default the first, FORM in CoNLL-U.
        label_column: of the labels; by default the last, UPOS in CoNLL-U.
        labels_expected: whether there must be labels.

    Raises:
        InputError: there is no such file, it holds no words or no labels, or a line has another number of columns.
    """
    lines = read_lines(path)
    layout = _find_layout(path, lines, token_column, label_column)
    sentences, documents = _read_sentences(path, lines, layout)
    if not sentences:
        raise InputError(f"{path}: holds no words: one a line was expected")
    if layout.conllu and all(label == "_" for sentence in sentences for label in sentence.labels or ()):
        sentences = [dataclasses.replace(sentence, labels=None) for sentence in sentences]
    if labels_expected and sentences[0].labels is None:
        asked = "" if label_column is None else f" and --label_column is {label_column}"
        raise InputError(f"{path}: holds no labels: its lines have {_count(layout.columns)}{asked}")
    return ColumnFile(path, lines, layout, sentences, documents)


def _count(columns: int) -> str:
    return f"{columns} column" + "s" * (columns != 1)


def _is_blank(line: str) -> bool:
    return not line.strip(_BLANKS)


def _plain_lines(lines: Sequence[str]) -> Iterator[str]:
    """The lines that can be nothing but words."""
    return (line for line in lines if not _is_blank(line) and not line.startswith(("#", DOCUMENT_START)))


def _find_layout(path: str, lines: Sequence[str], token_column: int | None, label_column: int | None) -> Layout:
    tabs = Counter("\t" in line for line in _plain_lines(lines))
    separator = "\t" if tabs[True] > tabs[False] else None
    conllu = separator is not None and _is_conllu(next(_plain_lines(lines)))
    counts = Counter(len(split_columns(line, separator)) for line in _plain_lines(lines))
    columns = _CONLLU_COLUMNS if conllu else counts.most_common(1)[0][0] if counts else 1
    token = token_column if token_column is not None else _CONLLU_WORD if conllu else 0
    label = label_column if label_column is not None else _CONLLU_UPOS if conllu else -1
    exact = token < 0 or label < 0
    token, label = (column + columns if column < 0 else column for column in (token, label))
    if not 0 <= token < columns:
        raise InputError(f"{path}: its lines have {_count(columns)}, but --token_column is {token_column}")
    there = 0 <= label < columns and label != token
    return Layout(separator, columns, token, label if there else None, exact, conllu)


def _is_conllu(line: str) -> bool:
    columns = line.split("\t")
    return len(columns) == _CONLLU_COLUMNS and _CONLLU_ID.fullmatch(columns[0]) is not None


def _read_sentences(path: str, lines: Sequence[str], layout: Layout) -> tuple[list[Sentence], bool]:
    """The sentences, and whether there are marks where documents begin."""
    is_comment = _comments(lines, layout)
    sentences, rows, document, marked = [], [], True, False
    for number, line in enumerate([*lines, ""], start=1):
        starts_document = line.startswith(DOCUMENT_START)
        if starts_document or _is_blank(line):
            if rows:
                sentences.append(_sentence(rows, layout, document))
                rows, document = [], False
        elif (layout.conllu or not rows) and is_comment(line):
            starts_document = layout.conllu and line.startswith("# newdoc")
        elif columns := _word_columns(path, number, line, layout):
            rows.append((columns, number))
        document, marked = document or starts_document, marked or starts_document
    return sentences, marked


def _comments(lines: Sequence[str], layout: Layout):
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


def _word_columns(path: str, number: int, line: str, layout: Layout) -> list[str] | None:
    """The columns of a word's line; None for what is no word in CoNLL-U."""
    columns = layout.split(line)
    needed = layout.columns if layout.exact else 1 + max(layout.token, layout.label or 0)
    if len(columns) < needed or (layout.exact and len(columns) > needed):
        raise InputError(
            f"{path}:{number}: {_count(len(columns))} ({line[:60]!r}), expected was a word in {_count(needed)}"
        )
    if not layout.conllu:
        return columns
    match = _CONLLU_ID.fullmatch(columns[0])
    if match is None:
        raise InputError(f"{path}:{number}: {columns[0][:60]!r} as an ID, expected was a number, 1-2 or 1.1")
    return None if match[2] else columns


def _sentence(rows: Sequence[tuple[list[str], int]], layout: Layout, begins_document: bool) -> Sentence:
    labels = None if layout.label is None else [columns[layout.label].strip(_BLANKS) for columns, _ in rows]
    words = [columns[layout.token] for columns, _ in rows]
    return Sentence(words, labels, [number for _, number in rows], begins_document)


def write_with_labels(file: ColumnFile, labels: Sequence[Sequence[str]], path: str) -> None:
    """Writes a copy of a file with a label for each word, as conlleval reads it.

    The label becomes the last column; in CoNLL-U it takes the place of the one in the column of labels. All other lines
    stay, but for `-DOCSTART-`, which gets `O`.

    Args:
        file: what was read.
        labels: of each word of each sentence.
        path: where to.

    Raises:
        InputError: the file can't be written.
    """
    by_line = {
        number: label
        for sentence, given in zip(file.sentences, labels, strict=True)
        for number, label in zip(sentence.lines, given, strict=True)
    }
    with files.write_whole(path) as copy:
        for number, line in enumerate(file.lines, start=1):
            if number in by_line:
                line = _with_label(line, by_line[number], file.layout)
            elif line.startswith(DOCUMENT_START):
                line = _document_start(line, file.layout)
            copy.write(f"{line}\n")


def _with_label(line: str, label: str, layout: Layout) -> str:
    if layout.conllu:
        columns = layout.split(line)
        columns[_CONLLU_UPOS if layout.label is None else layout.label] = label
        return "\t".join(columns)
    return f"{line.rstrip(_BLANKS)}{layout.separator or ' '}{label}"


def _document_start(line: str, layout: Layout) -> str:
    """With as many columns as the words, or else conlleval refuses the file or counts it as an entity."""
    columns = layout.split(line)
    columns += ["O"] * (layout.columns + 1 - len(columns))
    return (layout.separator or " ").join(columns)
