"""The first half of the published tokenizer: text to words.

Clean, lower-case, strip accents, then set punctuation and CJK ideographs apart (google-research/bert
tokenization.py:161-315). The original isolates ideographs before it lower-cases; here that comes last, together with
punctuation. The result is the same: ideographs have no case, carry no accent and decompose to ideographs only, and
neither case nor NFD looks past a space.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from official.errors import InputError
from official.tokenization import alignment, characters
from official.tokenization.alignment import AlignedText, Word

# Python takes these for white space and would part words here; the original has dropped them before it splits.
_DROPPED = "\x0b\x0c\x1c-\x1f\x85"
_DROPPED_SEPARATORS = re.compile(f"[{_DROPPED}]")
_CHUNK = re.compile(rf"[\S{_DROPPED}]+")


class _Translation(dict):
    """A table for `str.translate` that is filled as characters are met: code point → replacement."""

    def __init__(self, replace: Callable[[str], str]):
        super().__init__()
        self._replace = replace

    def __missing__(self, code_point: int) -> str:
        replacement = self[code_point] = self._replace(chr(code_point))
        return replacement


def _clean(character: str) -> str:
    if characters.is_dropped(character):
        return ""
    return " " if characters.is_whitespace(character) else character


def _isolate(character: str) -> str:
    return f" {character} " if characters.is_isolated(character) else character


def _isolate_and_strip(character: str) -> str:
    return "" if characters.is_accent(character) else _isolate(character)


def decode(text: str | bytes) -> str:
    """Bytes are UTF-8; what can't be decoded is left out, as in the original."""
    return text.decode("utf-8", errors="ignore") if isinstance(text, bytes) else text


def split_chunks(text: str) -> list[str]:
    """Parts text at white space. No later step looks beyond a chunk, so that chunks can be treated one by one."""
    if _DROPPED_SEPARATORS.search(text):
        text = _DROPPED_SEPARATORS.sub("", text)
    return text.split()


def find_chunks(text: str) -> Iterator[tuple[str, int]]:
    """The chunks of a text, dropped characters still in them, each with the position where it starts."""
    return ((match.group(), match.start()) for match in _CHUNK.finditer(text))


class BasicTokenizer:
    """Splits text into normalised words.

    Args:
        lower_case: lower-case the text.
        strip_accents: decompose and drop accents; None follows `lower_case`, as published. Without it Hangul stays
            whole.
        atomic_tokens: strings that stay words of their own, untouched, wherever they stand in the cleaned text.

    Raises:
        InputError: an atomic token is empty, or holds white space or characters that are dropped.
    """

    def __init__(
        self, *, lower_case: bool = True, strip_accents: bool | None = None, atomic_tokens: Sequence[str] = ()
    ):
        self.lower_case = lower_case
        self.strip_accents = lower_case if strip_accents is None else strip_accents
        # The longest is tried first.
        self.atomic_tokens = tuple(sorted(set(atomic_tokens), key=lambda token: (-len(token), token)))
        for token in self.atomic_tokens:
            if not token or any(_clean(character) in ("", " ") for character in token):
                raise InputError(f"atomic token {token!r}: expected visible characters without white space")
        self._atomic = re.compile(f"({'|'.join(map(re.escape, self.atomic_tokens))})") if atomic_tokens else None
        self._cleaned = _Translation(_clean)
        self._isolated = _Translation(_isolate_and_strip if self.strip_accents else _isolate)

    def tokenize(self, text: str | bytes) -> list[str]:
        """The words of a text."""
        return [word for chunk in split_chunks(decode(text)) for word in self.split_words(chunk)]

    def split_words(self, chunk: str) -> list[str]:
        """The words of a chunk."""
        cleaned = chunk.translate(self._cleaned)
        if self._atomic is None:
            return self._split_cleaned(cleaned)
        words = []
        for index, part in enumerate(self._atomic.split(cleaned)):
            words += [part] if index % 2 else self._split_cleaned(part)  # Odd: what the pattern matched.
        return words

    def _split_cleaned(self, text: str) -> list[str]:
        if self.lower_case:
            text = text.lower()
        if self.strip_accents:
            text = characters.decompose(text)
        return text.translate(self._isolated).split()

    def split_aligned_words(self, chunk: str) -> Iterator[Word]:
        """The words of a chunk, each character with its place in the chunk.

        Stripped accents belong to the character before them. Where one character became several (a Hangul syllable its
        Jamo), each of them has the whole character's place.
        """
        cleaned = alignment.clean(chunk, self._cleaned)
        if self._atomic is None:
            yield from self._split_aligned(cleaned)
            return
        start = 0
        for index, text in enumerate(self._atomic.split(cleaned.text)):
            part, start = cleaned.part(start, start + len(text)), start + len(text)
            if index % 2:
                yield Word(text, part.sources, [source + 1 for source in part.sources])
            else:
                yield from self._split_aligned(part)

    def _split_aligned(self, aligned: AlignedText) -> Iterator[Word]:
        if self.lower_case:
            aligned = alignment.lower(aligned)
        if self.strip_accents:
            aligned = alignment.decompose(aligned)
        return alignment.split_words(aligned, self._isolated)
