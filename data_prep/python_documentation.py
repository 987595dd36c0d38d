"""A corpus that is on every machine: the English documentation strings of Python's library and the installed packages.

Nothing is imported or run: files are read as text. Each documented module, class or function is a document of prose
sentences; code, tables, lists of parameters and markup are taken out, and a sentence found before is not taken again.
"""

import functools
import hashlib
import inspect
import os
import pathlib
import re
import sysconfig
from collections.abc import Iterable, Iterator

from data_prep.sentences import split_sentences

MAX_CHARACTERS = 8_000_000  # Of both splits together.
HELD_OUT_SHARE = 1 / 20
MIN_SENTENCES, MIN_WORDS, MAX_WORDS = 2, 5, 80
MAX_FILE_BYTES = 1_000_000  # Larger ones are tables and generated code.

# The first string of a module, or one that follows the colon of a class or function.
DOCSTRING = re.compile(r'(?:\A(?:\s*#[^\n]*\n|\s*\n)*|:[ \t]*(?:#[^\n]*)?\n[ \t]*)[rR]?("""|\'\'\')(.*?)\1', re.DOTALL)

BLOCK_FOLLOWS = re.compile(r"::\s*$|^\s*\.\. [\w-]+::")
CODE_FENCE = re.compile(r"^\s*(```|~~~)")
RULE_OR_TABLE = re.compile(r"^\s*([-=~^*#+_.'\"`|]{2,}|[|+].*|#+ .*|\.\. .*)\s*$")
DOCTEST = re.compile(r"^\s*(>>>|\.\.\. |In \[|\$ )")
NUMPY_PARAMETER = re.compile(r"^\s*[\w*,. ]+ : \S")  # The text is in the lines below it.
WITHOUT_TEXT = (RULE_OR_TABLE, DOCTEST, NUMPY_PARAMETER)
FIELD = re.compile(r"^\s*(?::\w[^:]*:|[@\\]\w+\b)\s*")
PARAMETER = re.compile(r"^\s*[-*•]?\s*[`*]*[\w.*\\]+[`*]*\s*(?:\([^)]*\))?\s*:(?:\s+|$)")
BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d+[.)])\s+")
MARKUP = (
    (re.compile(r":[\w:+-]+:`~?([^`<]*?)(?:\s*<[^>]*>)?`"), r"\1"),  # :class:`~module.Name`
    (re.compile(r"!?\[([^\]]*)\]\([^)]*\)"), r"\1"),  # [text](address)
    (re.compile(r"`([^`<]+?)\s*<[^>]*>`_+"), r"\1"),  # `text <address>`_
    (re.compile(r"\[[\w, ]+\]_"), ""),  # [1]_
    (re.compile(r"<?https?://[^\s>)]*>?"), ""),
    (re.compile(r"`+([^`]*)`+_*"), r"\1"),
    (re.compile(r"\*\*?([^*\s][^*]*)\*\*?"), r"\1"),
)
PROSE = re.compile(r"^[\"'(]?[A-Z][A-Za-z0-9 ,;:.!?'\"()/%’“”–—_=<>+-]*[.!?][)\"']?$")
SYMBOLS = re.compile(r"[_=<>+/()\d]|\w\.\w")
MAX_SYMBOL_SHARE = 0.06
ENGLISH = frozenset((
    "the a an of to is are in and or for with by be this that it on as from not if when which can will has have"
).split())  # fmt: skip
MIN_ENGLISH_SHARE = 0.15


def python_documentation(held_out: bool = False, max_characters: int = MAX_CHARACTERS) -> Iterator[list[str]]:
    """Documents of prose, each a list of sentences; the same ones in the same order for the same packages.

    Args:
        held_out: the twentieth part that is kept for evaluation, chosen by a hash of the document; it shares no
            sentence with the rest.
        max_characters: how much is read, both parts counted.
    """
    return (sentences for sentences, kept in both_splits(max_characters) if kept == held_out)


def both_splits(max_characters: int = MAX_CHARACTERS) -> Iterator[tuple[list[str], bool]]:
    """All documents in one reading, each with whether it is held out."""
    seen, characters = set(), 0
    for path in _source_files():
        for document in _file_documents(path):
            sentences = [sentence for sentence in dict.fromkeys(document) if sentence not in seen]
            seen.update(sentences)
            if len(sentences) < MIN_SENTENCES:
                continue
            yield sentences, _is_held_out(sentences)
            characters += sum(map(len, sentences))
            if characters >= max_characters:
                return


def _is_held_out(sentences: list[str]) -> bool:
    digest = hashlib.sha256("\n".join(sentences).encode()).digest()
    return int.from_bytes(digest[:4], "big") < HELD_OUT_SHARE * 2**32


@functools.cache
def _source_files() -> list[pathlib.Path]:
    """Python files of the standard library and the packages, in the order of a hash of their names: a fair spread."""
    names = {}
    for root in {sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")}:
        for directory, subdirectories, files in os.walk(root):
            subdirectories[:] = [name for name in subdirectories if not _is_skipped(name)]
            for file in files:
                if file.endswith(".py") and not file.startswith("test_") and not file.endswith("_test.py"):
                    path = pathlib.Path(directory, file)
                    names[path] = path.relative_to(root).as_posix()
    return sorted(names, key=lambda path: (hashlib.sha256(names[path].encode()).digest(), path))


def _is_skipped(directory: str) -> bool:
    return directory in ("site-packages", "dist-packages", "__pycache__", "test", "tests", "testing", "idlelib")


def _file_documents(path: pathlib.Path) -> Iterator[list[str]]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return
        source = path.read_text("utf-8", errors="ignore")
    except OSError:
        return  # Another program may change the packages meanwhile.
    for match in DOCSTRING.finditer(source):
        text = match.group(2)
        if " " in text:
            yield prose_sentences(text)


def prose_sentences(docstring: str) -> list[str]:
    """The sentences of a documentation string that are English prose, free of markup."""
    sentences = []
    for paragraph in _paragraphs(inspect.cleandoc(docstring).split("\n")):
        for pattern, replacement in MARKUP:
            paragraph = pattern.sub(replacement, paragraph)
        sentences += filter(_is_prose, split_sentences(paragraph))
    return sentences


def _without_code(lines: Iterable[str]) -> Iterator[str]:
    """Leaves out blocks between fences, and blocks indented after "::" or a directive."""
    fenced, block_indent = False, None
    for line in lines:
        if CODE_FENCE.match(line):
            fenced = not fenced
            continue
        indent = len(line) - len(line.lstrip())
        in_block = block_indent is not None and (not line.strip() or indent > block_indent)
        if fenced or in_block:
            continue
        yield line
        block_indent = None
        if BLOCK_FOLLOWS.search(line):
            block_indent = indent
            yield ""


def _paragraphs(lines: Iterable[str]) -> Iterator[str]:
    """Groups lines into paragraphs; a parameter or list item begins one."""
    paragraph: list[str] = []
    for line in _without_code(lines):
        starts_anew, content = _line_content(line)
        if starts_anew and paragraph:
            yield " ".join(paragraph)
            paragraph = []
        if content:
            paragraph.append(content)
    if paragraph:
        yield " ".join(paragraph)


def _line_content(line: str) -> tuple[bool, str]:
    """Whether a line ends the paragraph before it, and its own text without the name of a parameter or a bullet."""
    if not line.strip() or any(pattern.match(line) for pattern in WITHOUT_TEXT):
        return True, ""
    for pattern in (FIELD, PARAMETER, BULLET):
        match = pattern.match(line)
        if match:
            return True, line[match.end() :].strip()
    return False, line.strip()


def _is_prose(sentence: str) -> bool:
    words = sentence.split()
    if not MIN_WORDS <= len(words) <= MAX_WORDS or not PROSE.match(sentence):
        return False
    if len(SYMBOLS.findall(sentence)) > MAX_SYMBOL_SHARE * len(sentence):
        return False
    return sum(word.lower() in ENGLISH for word in words) >= MIN_ENGLISH_SHARE * len(words)
