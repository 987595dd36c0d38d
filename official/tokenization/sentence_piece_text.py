"""What is done to text before SentencePiece sees it: ALBERT's rules as published, and those of its relatives.

Source: google-research/albert tokenization.py:82-100 (`preprocess_text`); transformers' AlbertTokenizer and XLNet's own
code (zihangdai/xlnet prepro_utils.py:15-32) also turn `` and '' into ".
"""

import functools
import re
import unicodedata
from typing import NamedTuple

from official.tokenization.alignment import Word

# What Python parts words at; `str.split` and `\s` agree on it.
WHITE_SPACE = "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
QUOTES = re.compile("``|''")
_SURROGATES = re.compile("[\ud800-\udfff]")


class TextRules(NamedTuple):
    """What is done to a text, in this order.

    remove_space: white space around it is dropped, and every run of it within becomes one space.
    convert_quotes: `` and '' become ". ALBERT's own code leaves them, transformers does not.
    keep_accents: without it, compatibility decomposition (NFKD), and marks that combine with a character are dropped.
    lower_case: lower-case it.
    """

    remove_space: bool = True
    convert_quotes: bool = False
    keep_accents: bool = False
    lower_case: bool = True

    def apply(self, text: str) -> str:
        """The text that SentencePiece is given. Half a character (a lone surrogate) becomes U+FFFD."""
        if self.remove_space:
            text = " ".join(text.split())
        if self.convert_quotes:
            text = QUOTES.sub('"', text)
        if not text.isascii():
            text = _SURROGATES.sub("\ufffd", text)
            if not self.keep_accents:
                text = "".join(map(strip_combining, unicodedata.normalize("NFKD", text)))
        return text.lower() if self.lower_case else text

    def apply_aligned(self, text: str) -> Word:
        """The same, each character with its place in the text. A dropped mark belongs to the character before it."""
        applied = self.apply(text)
        if len(applied) == len(text) and all(map(_stays_one, set(text))):
            return Word(applied, range(len(text)), range(1, len(text) + 1))
        letters, starts, ends = [], [], []
        for part, start, end in self._parts(text):
            kept = part if self.keep_accents else map(strip_combining, unicodedata.normalize("NFKD", part))
            kept = "".join(kept)
            if not kept and ends:
                ends[-1] = end
            letters += kept
            starts += [start] * len(kept)
            ends += [end] * len(kept)
        if not self.lower_case:
            return Word("".join(letters), starts, ends)
        # The form of a sigma depends on its neighbours, but no neighbour changes a character's length.
        places = [index for index, letter in enumerate(letters) for _ in letter.lower()]
        return Word("".join(letters).lower(), [starts[i] for i in places], [ends[i] for i in places])

    def _parts(self, text: str) -> list[tuple[str, int, int]]:
        """The text with white space and quotes as they are to be, part by part: (part, start, end)."""
        parts, index = [], 0
        for match in re.finditer(r"\s+" if self.remove_space else "(?!)", text):
            parts += _characters(text, index, match.start())
            if match.start() and match.end() < len(text):
                parts.append((" ", match.start(), match.end()))
            index = match.end()
        parts += _characters(text, index, len(text))
        return _join_quotes(parts) if self.convert_quotes else parts


def _characters(text: str, start: int, end: int) -> list[tuple[str, int, int]]:
    return [(_SURROGATES.sub("\ufffd", text[index]), index, index + 1) for index in range(start, end)]


def _join_quotes(parts: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    joined, index = [], 0
    while index < len(parts):
        pair = parts[index : index + 2]
        if QUOTES.fullmatch("".join(part for part, _, _ in pair)):
            joined.append(('"', pair[0][1], pair[1][2]))
            index += 2
        else:
            joined.append(parts[index])
            index += 1
    return joined


@functools.cache
def _stays_one(character: str) -> bool:
    """Whether a character is one character, whatever is done to it."""
    return len(character.lower()) == len("".join(map(strip_combining, unicodedata.normalize("NFKD", character)))) == 1


def strip_combining(character: str) -> str:
    """The character, or nothing if it combines with the one before it (its combining class is not 0)."""
    return "" if unicodedata.combining(character) else character
