"""The classes of characters that BERT's tokenizer knows: one definition for the string face and for the graph face.

Source: google-research/bert tokenization.py:161-399. Everything follows the Unicode version of the running Python.
"""

import unicodedata

# The blocks of ideographs that are words by themselves (tokenization.py:274-281). Hangul and kana are not among them.
CJK_RANGES = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
# Signs that Unicode files as symbols but that stand on the keyboard beside punctuation (tokenization.py:389-393).
ASCII_SYMBOLS = frozenset("$+<=>^`|~")
REPLACEMENT_CHARACTER = "\ufffd"
CAPITAL_SIGMA, SMALL_SIGMA, FINAL_SIGMA = "Σ", "σ", "ς"


def is_whitespace(character: str) -> bool:
    """Space, tab, line ends and what Unicode calls separators.

    The original names only Zs, but its `str.split` also parts words at U+2028 and U+2029 (Zl, Zp).
    """
    return character in " \t\n\r" or unicodedata.category(character) in ("Zs", "Zl", "Zp")


def is_dropped(character: str) -> bool:
    """NUL, the replacement character, and control and format characters: they vanish and part no word."""
    if character in "\t\n\r":
        return False
    return character == REPLACEMENT_CHARACTER or unicodedata.category(character) in ("Cc", "Cf")


def is_cjk(character: str) -> bool:
    """Whether the character lies in a block of CJK ideographs, assigned or not."""
    code_point = ord(character)
    return any(first <= code_point <= last for first, last in CJK_RANGES)


def is_punctuation(character: str) -> bool:
    """Unicode's punctuation and every ASCII sign that is neither letter, digit nor space."""
    return character in ASCII_SYMBOLS or unicodedata.category(character).startswith("P")


def is_isolated(character: str) -> bool:
    """Whether the character is a word by itself wherever it stands."""
    return is_cjk(character) or is_punctuation(character)


def is_accent(character: str) -> bool:
    """A mark without width of its own (Mn): what accent stripping removes after decomposition."""
    return unicodedata.category(character) == "Mn"


def decompose(text: str) -> str:
    """Canonical decomposition (NFD): accents become characters of their own, Hangul syllables become Jamo."""
    return unicodedata.normalize("NFD", text)
