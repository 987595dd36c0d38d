"""How byte-level BPE parts text before it merges bytes, and how it spells them (Radford et al. 2019, section 2.2).

The pattern is GPT-2's: contractions, then letters, digits or other signs with a space before them, then white space,
the last of which is left to what follows. But for contractions only the class of a character matters: so the pattern
runs over classes, and the graph works with the same ones.
"""

import re
import unicodedata
from collections.abc import Iterator

from official.tokenization import basic

SPACE, WHITE, LETTER, DIGIT, SIGN = " \nL0."
# Unicode's White_Space. Python's own `\s` also has U+001C to U+001F.
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
# Parts text where no part depends on the others: white space that precedes a visible character stands by itself,
# unless it is a space.
CHUNKS = re.compile(rf" ?[^{WHITE_SPACE}]+|[{WHITE_SPACE}]+(?![^{WHITE_SPACE}])|[{WHITE_SPACE}]+")
CONTRACTIONS = ("s", "t", "re", "ve", "m", "ll", "d")  # Behind an apostrophe.
APOSTROPHE = "'"
_CONTRACTED = "delmrstv"
HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # No UTF-8.
_WORDS = re.compile(
    rf"{APOSTROPHE}(?:{'|'.join(CONTRACTIONS)})"
    rf"| ?[{LETTER}{_CONTRACTED}]+| ?{DIGIT}+| ?[{SIGN}{APOSTROPHE}]+|[ \n]+(?![^ \n])|[ \n]+"
)
# What Unicode 15.0 to 16.0 added. The tokenizers library has the classes of 16.0, Python 3.11 to 3.13 older ones.
NEW_LETTERS = (
    (0x1C89, 0x1C8A), (0xA7CB, 0xA7CD), (0xA7DA, 0xA7DC), (0x105C0, 0x105F3), (0x10D4A, 0x10D65), (0x10D6F, 0x10D85),
    (0x10EC2, 0x10EC4), (0x1123F, 0x11240), (0x11380, 0x11389), (0x1138B, 0x1138B), (0x1138E, 0x1138E),
    (0x11390, 0x113B5), (0x113B7, 0x113B7), (0x113D1, 0x113D1), (0x113D3, 0x113D3), (0x11BC0, 0x11BE0),
    (0x11F02, 0x11F02), (0x11F04, 0x11F10), (0x11F12, 0x11F33), (0x1342F, 0x1342F), (0x13441, 0x13446),
    (0x13460, 0x143FA), (0x16100, 0x1611D), (0x16D40, 0x16D6C), (0x18CFF, 0x18CFF), (0x1B132, 0x1B132),
    (0x1B155, 0x1B155), (0x1DF25, 0x1DF2A), (0x1E030, 0x1E06D), (0x1E4D0, 0x1E4EB), (0x1E5D0, 0x1E5ED),
    (0x1E5F0, 0x1E5F0), (0x2B739, 0x2B739), (0x2EBF0, 0x2EE5D), (0x31350, 0x323AF),
)  # fmt: skip
NEW_DIGITS = (
    (0x10D40, 0x10D49), (0x116D0, 0x116E3), (0x11BF0, 0x11BF9), (0x11F50, 0x11F59), (0x16130, 0x16139),
    (0x16D70, 0x16D79), (0x1CCF0, 0x1CCF9), (0x1D2C0, 0x1D2D3), (0x1E4F0, 0x1E4F9), (0x1E5F1, 0x1E5FA),
)  # fmt: skip


_NEW = {
    chr(point): name
    for name, ranges in ((LETTER, NEW_LETTERS), (DIGIT, NEW_DIGITS))
    for first, last in ranges
    for point in range(first, last + 1)
}
_OF_CATEGORY = {"L": LETTER, "N": DIGIT}


def class_of(character: str) -> str:
    """SPACE, WHITE (any other white space), LETTER, DIGIT or SIGN (all else), as in Unicode 16.0."""
    if character in WHITE_SPACE:
        return SPACE if character == SPACE else WHITE
    return _NEW.get(character) or _OF_CATEGORY.get(unicodedata.category(character)[0], SIGN)


def clean(text: str | bytes) -> str:
    """A text without bytes that can't be decoded, and without halves of characters, which can't be encoded."""
    return HALF_CHARACTER.sub("", basic.decode(text))


class _Classes(dict):
    """code point → class, or itself if it is in a contraction; filled as characters are met, for `str.translate`."""

    def __missing__(self, code_point: int) -> str:
        character = chr(code_point)
        name = character if character in APOSTROPHE + _CONTRACTED else class_of(character)
        self[code_point] = name
        return name


_CLASSES = _Classes()


def find_words(text: str) -> Iterator[tuple[int, int]]:
    """The words of a text, each with the space before it: where they start and end."""
    return (match.span() for match in _WORDS.finditer(text.translate(_CLASSES)))


def split_words(text: str) -> list[str]:
    """The same words themselves."""
    return [text[start:end] for start, end in find_words(text)]


def _spell_bytes() -> str:
    """Visible Latin-1 characters stand for themselves, and what follows Latin-1 for the others, in their order."""
    visible = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = iter(range(0x100, 0x200))
    return "".join(chr(byte if byte in visible else next(others)) for byte in range(256))


SPELLED = _spell_bytes()  # How a vocabulary spells each byte.
SPACE_SPELLED = SPELLED[ord(" ")]
_BYTE_OF = {character: byte for byte, character in enumerate(SPELLED)}


def spell(data: bytes) -> str:
    """Bytes as a vocabulary spells them."""
    return "".join(map(SPELLED.__getitem__, data))


def unspell(token: str) -> bytes:
    """The bytes of a token; where one of its characters stands for none, the token is text."""
    try:
        return bytes(map(_BYTE_OF.__getitem__, token))
    except KeyError:
        return token.encode("utf-8", errors="ignore")
