"""The published tokenizer, step by step and character by character: the oracle of the tests beside this file.

Written from the description of google-research/bert's tokenization.py (commit eedf571), slow and plain on purpose; it
shares nothing with the package.
"""

import unicodedata

IDEOGRAPHS = [
    range(0x4E00, 0xA000),
    range(0x3400, 0x4DC0),
    range(0x20000, 0x2A6E0),
    range(0x2A700, 0x2B740),
    range(0x2B740, 0x2B820),
    range(0x2B820, 0x2CEB0),
    range(0xF900, 0xFB00),
    range(0x2F800, 0x2FA20),
]


def clean(text: str) -> str:
    kept = []
    for c in text:
        whitespace = c in " \t\n\r" or unicodedata.category(c) == "Zs"
        if whitespace:
            kept.append(" ")
        elif ord(c) not in (0, 0xFFFD) and unicodedata.category(c) not in ("Cc", "Cf"):
            kept.append(c)
    return "".join(kept)


def space_ideographs(text: str) -> str:
    return "".join(f" {c} " if any(ord(c) in block for block in IDEOGRAPHS) else c for c in text)


def without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", text) if unicodedata.category(c) != "Mn")


def split_at_punctuation(token: str) -> list[str]:
    parts, joining = [], False
    for c in token:
        code = ord(c)
        ascii_sign = 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
        if ascii_sign or unicodedata.category(c)[0] == "P":
            parts.append(c)
            joining = False
        elif joining:
            parts[-1] += c
        else:
            parts.append(c)
            joining = True
    return parts


def words(text: str, lower_case: bool = True, strip_accents: bool | None = None) -> list[str]:
    """The basic tokenizer. The original has one switch for both; `strip_accents` sets its two lines apart."""
    strip_accents = lower_case if strip_accents is None else strip_accents
    parts = []
    for token in space_ideographs(clean(text)).split():
        if lower_case:
            token = token.lower()
        if strip_accents:
            token = without_accents(token)
        parts.extend(split_at_punctuation(token))
    return " ".join(parts).split()


def pieces(word: str, vocab: dict[str, int]) -> list[str]:
    if len(word) > 200:
        return ["[UNK]"]
    found, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocab:
                break
        else:
            return ["[UNK]"]
        found.append(piece)
        start = end
    return found


def tokens(text: str | bytes, vocab: dict[str, int], **options) -> list[str]:
    if isinstance(text, bytes):
        text = text.decode("utf-8", "ignore")
    return [piece for word in words(text, **options) for piece in pieces(word, vocab)]


def ids(text: str | bytes, vocab: dict[str, int], **options) -> list[int]:
    return [vocab[token] for token in tokens(text, vocab, **options)]
