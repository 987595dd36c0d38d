"""Text on its way to words, with each character's place in the text it came from."""

import unicodedata
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple

from official.tokenization import characters


class AlignedText(NamedTuple):
    """Characters, and for each the index of the original character that it comes from."""

    text: str
    sources: list[int]

    def part(self, start: int, end: int) -> "AlignedText":
        return AlignedText(self.text[start:end], self.sources[start:end])


class Word(NamedTuple):
    """A normalised word; character i comes from the original's [starts[i], ends[i])."""

    text: str
    starts: list[int]
    ends: list[int]


def clean(text: str, table: Mapping[int, str]) -> AlignedText:
    """Leaves out the characters that `table` maps to nothing."""
    kept = [index for index, character in enumerate(text) if table[ord(character)]]
    return AlignedText("".join(text[index] for index in kept), kept)


def lower(aligned: AlignedText) -> AlignedText:
    """Lower-cases; the form of sigma depends on its neighbours, but no neighbour changes a character's length."""
    sources = [source for character, source in zip(*aligned) for _ in character.lower()]
    return AlignedText(aligned.text.lower(), sources)


def decompose(aligned: AlignedText) -> AlignedText:
    """Canonical decomposition: characters one by one, then the marks behind each base in the order of their classes."""
    parts = [(part, source) for character, source in zip(*aligned) for part in characters.decompose(character)]
    classes = [unicodedata.combining(part) for part, _ in parts]
    bases = accumulate(combining_class == 0 for combining_class in classes)
    order = sorted(range(len(parts)), key=list(zip(bases, classes)).__getitem__)
    return AlignedText("".join(parts[i][0] for i in order), [parts[i][1] for i in order])


def split_words(aligned: AlignedText, isolated: Mapping[int, str]) -> Iterator[Word]:
    """Parts words where `isolated` puts spaces around a character.

    What `isolated` maps to nothing (an accent) is dropped, and lengthens the span of the character before it.
    """
    letters, starts, ends, alone = [], [], [], False
    for character, source in zip(*aligned):
        replacement = isolated[ord(character)]
        if not replacement:
            if ends:
                ends[-1] = max(ends[-1], source + 1)
            continue
        if letters and (alone or len(replacement) > 1):
            yield Word("".join(letters), starts, ends)
            letters, starts, ends = [], [], []
        alone = len(replacement) > 1
        letters.append(character)
        starts.append(source)
        ends.append(source + 1)
    if letters:
        yield Word("".join(letters), starts, ends)
