"""The string face's normalisation as tables over code points, for the graph.

TensorFlow's own `lower` and `normalize_utf8` follow the Unicode version of the ICU they were built with, and `lower`
the locale of the machine it runs on. Tables made here carry the Unicode version of the exporting Python wherever the
model is served.
"""

import functools
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from official.tokenization import characters

UNICODE_SIZE = 0x110000
CLOSING = UNICODE_SIZE  # Stands behind each string of a batch; no text holds it, and it passes unchanged.
TABLE_SIZE = UNICODE_SIZE + 1
# An entry holds a code point in its low 21 bits, or the number of an expansion; flags stand above.
VALUE = (1 << 21) - 1
ISOLATED = 1 << 21  # A word by itself.
DROPPED = 1 << 22  # Left out before all else.
ACCENT = 1 << 23  # Left out after marks were ordered.
SPACING_MARK = 1 << 24  # Stays, and canonical ordering may move it.
EXPANDS = 1 << 25  # Becomes several characters, or none: the value is the number of the expansion.

# What final sigma sees in a neighbour (Unicode's Final_Sigma condition).
OTHER, CASED, SKIPPED = range(3)


class NormalizationTables(NamedTuple):
    """What becomes of each code point.

    Attributes:
        entries: int32, [TABLE_SIZE], value and flags.
        expansions: int32, [E], the entries of all expansions, one expansion after the other.
        expansion_splits: int64, [number of expansions + 1], where each begins.
        sigma_context: uint8, [TABLE_SIZE], OTHER, CASED or SKIPPED.
        combining_class: uint8, [TABLE_SIZE], the order of marks behind a base.
    """

    entries: np.ndarray
    expansions: np.ndarray
    expansion_splits: np.ndarray
    sigma_context: np.ndarray
    combining_class: np.ndarray


@functools.cache
def normalization_tables(lower_case: bool, strip_accents: bool) -> NormalizationTables:
    """The tables of a tokenizer with these options (half a second; remembered)."""
    entries = np.arange(TABLE_SIZE, dtype=np.int32)
    for first, last in characters.CJK_RANGES:
        entries[first : last + 1] |= ISOLATED
    expansions = []
    for character in assigned_characters():
        parts = _normalize(character, lower_case, strip_accents)
        if len(parts) != 1:
            expansions.append(parts)
            parts = [EXPANDS | len(expansions) - 1]
        entries[ord(character)] = parts[0]
    return NormalizationTables(
        entries=entries,
        expansions=np.array([part for parts in expansions for part in parts], np.int32),
        expansion_splits=np.cumsum([0, *map(len, expansions)], dtype=np.int64),
        sigma_context=_table(_sigma_context),
        combining_class=_table(unicodedata.combining),
    )


@functools.cache
def assigned_characters() -> tuple[str, ...]:
    """Every character that has properties of its own; the rest passes unchanged."""
    return tuple(c for c in map(chr, range(UNICODE_SIZE)) if unicodedata.category(c) not in ("Cn", "Co", "Cs"))


def dropped_ranges() -> Iterator[tuple[int, int]]:
    """The dropped characters as ranges [first, last] of code points."""
    dropped = np.flatnonzero(_table(characters.is_dropped))
    for run in np.split(dropped, np.flatnonzero(np.diff(dropped) > 1) + 1):
        yield int(run[0]), int(run[-1])


def _table(of_character) -> np.ndarray:
    table = np.zeros(TABLE_SIZE, np.uint8)
    for character in assigned_characters():
        table[ord(character)] = of_character(character)
    return table


def _normalize(character: str, lower_case: bool, strip_accents: bool) -> list[int]:
    """The entries of what a character becomes, seen alone."""
    if characters.is_dropped(character):
        return [DROPPED]
    if characters.is_whitespace(character):
        return [ord(" ")]
    text = character.lower() if lower_case else character
    if not strip_accents:
        return [_entry(part) for part in text]
    parts = [_stripped_entry(part) for part in characters.decompose(text)]
    # An accent of a class above 0 moves nothing that stays. Left out at once, it lets é be one character for one.
    return [part for part in parts if not part & ACCENT or not unicodedata.combining(chr(part & VALUE))] or parts[:1]


def _entry(character: str) -> int:
    return ord(character) | (ISOLATED if characters.is_isolated(character) else 0)


def _stripped_entry(character: str) -> int:
    if characters.is_accent(character):
        return ord(character) | ACCENT
    return _entry(character) | (SPACING_MARK if unicodedata.combining(character) else 0)


def _sigma_context(character: str) -> int:
    """What Python's `lower` takes a character for, beside a capital sigma."""
    if characters.is_dropped(character):
        return SKIPPED
    if ends_in_final_sigma(character):
        return CASED
    return SKIPPED if ends_in_final_sigma("A" + character) else OTHER


def ends_in_final_sigma(before: str) -> bool:
    """Whether Python lower-cases a capital sigma at the end of a text, behind `before`, to the final form."""
    return (before + characters.CAPITAL_SIGMA).lower().endswith(characters.FINAL_SIGMA)
