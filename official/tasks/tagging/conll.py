"""Files of one word a line with its label in a column: CoNLL-2003, WNUT, CoNLL-U, and what is like them.

Blank lines end sentences, `-DOCSTART-` or `# newdoc` begins a document. How columns are parted, how many there are and
what is a comment is found from the file as a whole.
"""

import dataclasses
from collections.abc import Sequence

from official import files
from official.errors import InputError
from official.tasks.tagging import conll_layout
from official.tasks.tagging.conll_layout import BLANKS, DOCUMENT_START, Layout, is_blank
from official.tasks.text_lines import read_lines


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
    conll_layout.check_kind(path, lines)
    layout = conll_layout.find_layout(path, lines, token_column, label_column)
    sentences, documents = _read_sentences(path, lines, layout)
    if not sentences:
        raise InputError(f"{path}: holds no words: one a line was expected")
    if layout.conllu and all(label == "_" for sentence in sentences for label in sentence.labels or ()):
        sentences = [dataclasses.replace(sentence, labels=None) for sentence in sentences]
    if labels_expected and sentences[0].labels is None:
        place = f"{path}:{sentences[0].lines[0]}"
        asked = "" if label_column is None else f" and --label_column is {label_column}"
        raise InputError(
            f"{place}: holds no labels: its lines have {conll_layout.spell_columns(layout.columns)}{asked}"
        )
    return ColumnFile(path, lines, layout, sentences, documents)


def _read_sentences(path: str, lines: Sequence[str], layout: Layout) -> tuple[list[Sentence], bool]:
    """The sentences, and whether there are marks where documents begin."""
    is_comment = conll_layout.comments(lines, layout)
    sentences, rows, document, marked = [], [], True, False
    for number, line in enumerate([*lines, ""], start=1):
        starts_document = line.startswith(DOCUMENT_START)
        if starts_document or is_blank(line):
            if rows:
                sentences.append(_sentence(rows, layout, document))
                rows, document = [], False
        elif (layout.conllu or not rows) and is_comment(line):
            starts_document = layout.conllu and line.startswith("# newdoc")
        elif columns := _word_columns(path, number, line, layout):
            rows.append((columns, number))
        document, marked = document or starts_document, marked or starts_document
    return sentences, marked


def _word_columns(path: str, number: int, line: str, layout: Layout) -> list[str] | None:
    """The columns of a word's line; None for what is no word in CoNLL-U."""
    columns = layout.split(line)
    needed = layout.columns if layout.exact else 1 + max(layout.token, layout.label or 0)
    if len(columns) < needed or (layout.exact and len(columns) > needed):
        found, least = conll_layout.spell_columns(len(columns)), "" if layout.exact else "at least "
        expected = f"a word in {least}{conll_layout.spell_columns(needed)}"
        raise InputError(f"{path}:{number}: {found} ({line[:60]!r}), expected was {expected}")
    if not layout.conllu:
        return columns
    match = conll_layout.CONLLU_ID.fullmatch(columns[0])
    if match is None:
        raise InputError(f"{path}:{number}: {columns[0][:60]!r} as an ID, expected was a number, 1-2 or 1.1")
    return None if match[2] else columns


def _sentence(rows: Sequence[tuple[list[str], int]], layout: Layout, begins_document: bool) -> Sentence:
    labels = None if layout.label is None else [columns[layout.label].strip(BLANKS) for columns, _ in rows]
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
        columns[conll_layout.CONLLU_UPOS if layout.label is None else layout.label] = label
        return "\t".join(columns)
    return f"{line.rstrip(BLANKS)}{layout.separator or ' '}{label}"


def _document_start(line: str, layout: Layout) -> str:
    """With as many columns as the words, or else conlleval refuses the file or counts it as an entity."""
    columns = layout.split(line)
    columns += ["O"] * (layout.columns + 1 - len(columns))
    return (layout.separator or " ").join(columns)
