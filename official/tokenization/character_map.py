"""What becomes of each character, as tables for the graph; they carry the Unicode version of the exporting Python."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from official.tokenization.code_points import CASED, OTHER, SKIPPED, assigned_characters, ends_in_final_sigma


class CharacterMap(NamedTuple):
    """Characters that become others.

    Attributes:
        entries: int32, [N]: the code point that takes the place of each, or ~i for expansion i; those beyond stay.
        expansions: int32, [E], the code points of all expansions, one expansion after the other.
        expansion_splits: int64, [number of expansions + 1], where each begins.
    """

    entries: np.ndarray
    expansions: np.ndarray
    expansion_splits: np.ndarray


def character_map(replace: Callable[[str], str]) -> CharacterMap:
    """The table of a function of single characters."""
    changed = {c: parts for c in assigned_characters() if (parts := replace(c)) != c}
    entries = np.arange(1 + max(map(ord, changed), default=0), dtype=np.int32)
    expansions = []
    for character, parts in changed.items():
        if len(parts) == 1:
            entries[ord(character)] = ord(parts)
        else:
            entries[ord(character)] = ~len(expansions)
            expansions.append(parts)
    return CharacterMap(
        entries,
        np.array([ord(part) for parts in expansions for part in parts], np.int32),
        np.cumsum([0, *map(len, expansions)], dtype=np.int64),
    )


def sigma_contexts() -> np.ndarray:
    """What Python's `lower` takes each character for beside a capital sigma: uint8, [N]; those beyond are OTHER."""
    contexts = {c: context for c in assigned_characters() if (context := _sigma_context(c)) != OTHER}
    table = np.zeros(1 + max(map(ord, contexts)), np.uint8)
    for character, context in contexts.items():
        table[ord(character)] = context
    return table


def _sigma_context(character: str) -> int:
    if ends_in_final_sigma(character):
        return CASED
    return SKIPPED if ends_in_final_sigma("A" + character) else OTHER
