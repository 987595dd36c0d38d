"""Python's `random.Random` in compiled loops, draw for draw.

The published data depend on every draw of one `random.Random(seed)`. These functions continue its stream: the generator
is MT19937 (Matsumoto and Nishimura, 1998), and the ways in which Python makes floats, bounded integers and shuffles
from it are those of CPython's Lib/random.py and Modules/_randommodule.c, unchanged since Python 3.2.
"""

import random as python_random

import numpy as np

from data_prep.compiled import compiled

WORDS, SHIFT = 624, 397
POSITION = WORDS  # Where the state keeps the index of the next word.
UPPER_BIT, LOWER_BITS, TWIST = np.uint32(0x80000000), np.uint32(0x7FFFFFFF), np.uint32(0x9908B0DF)


def seeded_state(seed: int) -> np.ndarray:
    """The state of `random.Random(seed)`: 624 words and the position in them, uint32 `[625]`."""
    return np.array(python_random.Random(seed).getstate()[1], np.uint32)


def _initial_words() -> np.ndarray:
    """What seeding starts from: `init_genrand(19650218)` of the reference code."""
    words = [19650218]
    for i in range(1, WORDS):
        words.append(1812433253 * (words[-1] ^ words[-1] >> 30) + i & 0xFFFFFFFF)
    return np.array(words, np.uint32)


INITIAL_WORDS = _initial_words()


@compiled
def _mixed(state, i, factor):
    """Word i, with the one before it mixed in, 64 bits of which the lower 32 count."""
    before = np.uint64(state[i - 1])
    return np.uint64(state[i]) ^ (before ^ before >> np.uint64(30)) * np.uint64(factor)


@compiled
def seed_with(state, key):
    """Makes `state` that of `random.Random(number)`: `init_by_array` of the reference code.

    Args:
        key: the number's 32-bit digits, the lowest first, uint32 `[n]`; the highest is not 0.
    """
    state[:WORDS] = INITIAL_WORDS
    i, j = 1, 0
    for _ in range(max(WORDS, len(key))):
        state[i] = _mixed(state, i, 1664525) + np.uint64(key[j]) + np.uint64(j)
        i, j = i + 1, (j + 1) % len(key)
        if i == WORDS:
            state[0], i = state[WORDS - 1], 1
    for _ in range(WORDS - 1):
        state[i] = _mixed(state, i, 1566083941) - np.uint64(i)
        i += 1
        if i == WORDS:
            state[0], i = state[WORDS - 1], 1
    state[0] = UPPER_BIT
    state[POSITION] = WORDS


@compiled
def _renew_word(state, i, following, far):
    word = (state[i] & UPPER_BIT) | (state[following] & LOWER_BITS)
    state[i] = state[far] ^ (word >> 1) ^ (TWIST if word & 1 else np.uint32(0))


@compiled
def _renew(state):
    """The next 624 words. Without a modulus in it each loop is turned into vector instructions."""
    for i in range(WORDS - SHIFT):
        _renew_word(state, i, i + 1, i + SHIFT)
    for i in range(WORDS - SHIFT, WORDS - 1):
        _renew_word(state, i, i + 1, i + SHIFT - WORDS)
    _renew_word(state, WORDS - 1, 0, SHIFT - 1)


@compiled
def _tempered(word):
    word ^= word >> np.uint32(11)
    word ^= (word << np.uint32(7)) & np.uint32(0x9D2C5680)
    word ^= (word << np.uint32(15)) & np.uint32(0xEFC60000)
    return np.uint32(word ^ (word >> np.uint32(18)))


@compiled
def random_word(state):
    """The next 32 bits."""
    position = state[POSITION]
    if position >= WORDS:
        _renew(state)
        position = np.uint32(0)
    state[POSITION] = position + 1
    return _tempered(state[position])


@compiled
def random(state):
    """`Random.random()`: 53 bits of two words, in [0, 1)."""
    high, low = random_word(state) >> 5, random_word(state) >> 6
    return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0)  # Exact: a power of two.


@compiled
def _bit_length(number):
    bits = 0
    while number >> bits:
        bits += 1
    return bits


@compiled
def _random_below(state, limit, bits):
    """`Random._randbelow(limit)` for 0 < limit < 2**32: as few bits as hold `limit`, drawn again until below it."""
    value = np.int64(random_word(state) >> (32 - bits))
    while value >= limit:
        value = np.int64(random_word(state) >> (32 - bits))
    return value


@compiled
def random_integer(state, first, last):
    """`Random.randint(first, last)`: both ends included."""
    limit = last - first + 1
    return first + _random_below(state, limit, _bit_length(limit))


@compiled
def shuffle(state, items):
    """`Random.shuffle(items)`, in place, for an array of at most 2**32 - 1 items.

    A draw that is too high is drawn again: a step of the loop is a draw, not an item, and exchanges an item with itself
    where the draw does not count. A branch would be mispredicted every fourth time.
    """
    i, bits, position = len(items) - 1, _bit_length(len(items)), np.int64(state[POSITION])
    while i > 0:
        if not (i + 1) >> (bits - 1):
            bits -= 1
        if position >= WORDS:
            _renew(state)
            position = 0
        drawn = np.int64(_tempered(state[position])) >> (32 - bits)
        position += 1
        counts = drawn <= i
        j = drawn if counts else i
        items[i], items[j] = items[j], items[i]
        i -= counts
    state[POSITION] = position
