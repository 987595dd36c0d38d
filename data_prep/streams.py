"""Where random numbers come from: one stream for everything, as published, or streams of each document's own.

With streams of its own, what is drawn for a document depends on the seed, its number and how many documents there are,
and on nothing drawn before: documents can be worked on anywhere, in any order. The stream of an instance is
`random.Random(n)` for the number n whose 32-bit digits are, the lowest first: the document, the pass over it, the
instance counted from 1, the digits of the seed, 1. The same with 0 in place of the instance decides where the instances
of this pass begin and end.
"""

from typing import NamedTuple

import numpy as np

from data_prep.compiled import compiled
from data_prep.mersenne import random_word, seed_with, seeded_state

PUBLISHED, PER_DOCUMENT = "published", "per_document"
DIGIT = (1 << 32) - 1
NUMBERS = 3  # of a stream: document, pass, instance


class Streams(NamedTuple):
    """Generators, as states of `mersenne`."""

    per_document: bool
    key: np.ndarray  # uint32 [n]: the numbers of a stream, the seed and 1
    planning: np.ndarray  # draws sentences and documents
    finishing: np.ndarray  # draws all else; as published it is the same


def published_streams(state: np.ndarray) -> Streams:
    """One stream: the state is advanced, whatever is drawn."""
    return Streams(False, np.zeros(NUMBERS, np.uint32), state, state)


def document_streams(seed: int) -> Streams:
    """Streams of each document's own."""
    digits, rest = [], abs(seed)  # As `random.Random`, which knows no sign.
    while rest:
        digits.append(rest & DIGIT)
        rest >>= 32
    key = np.array([*[0] * NUMBERS, *digits, 1], np.uint32)
    return Streams(True, key, seeded_state(0), seeded_state(0))


@compiled
def begin_document(streams, document, duplicate):
    """Starts the stream of one pass over a document."""
    if streams.per_document:
        streams.key[0], streams.key[1], streams.key[2] = document, duplicate, 0
        seed_with(streams.planning, streams.key)


@compiled
def begin_instance(streams, document, duplicate, instance):
    """Starts the stream of the `instance`-th instance, from 1 on, of one pass over a document."""
    if streams.per_document:
        streams.key[0], streams.key[1], streams.key[2] = document, duplicate, instance
        seed_with(streams.finishing, streams.key)


@compiled
def draw_place(streams, place):
    """Fills `place` with random bits: where among all others the instance will stand. Published places come later."""
    if streams.per_document:
        for k in range(len(place)):
            place[k] = random_word(streams.finishing)
