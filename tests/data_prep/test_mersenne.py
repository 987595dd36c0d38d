"""The compiled generator continues Python's stream draw for draw."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep import mersenne

SEEDS = (0, 1, 12345, -7, 2**63, 10**30)


@pytest.mark.parametrize("seed", SEEDS)
def test_floats_are_those_of_python(seed):
    expected, state = random.Random(seed), mersenne.seeded_state(seed)
    assert [mersenne.random(state) for _ in range(2000)] == [expected.random() for _ in range(2000)]


@given(st.lists(st.integers(0, 2**32 - 1), max_size=700), st.integers(1, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_a_seed_in_digits_is_the_seed_of_python(lower, highest):
    state = np.ones(625, np.uint32)
    mersenne.seed_with(state, np.array([*lower, highest], np.uint32))
    number = sum(digit << 32 * k for k, digit in enumerate([*lower, highest]))
    assert tuple(state.tolist()) == random.Random(number).getstate()[1]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 9, 1000, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1])
def test_integers_are_those_of_python(limit):
    expected, state = random.Random(5), mersenne.seeded_state(5)
    drawn = [mersenne.random_integer(state, 10, 9 + limit) for _ in range(1000)]
    assert drawn == [expected.randint(10, 9 + limit) for _ in range(1000)]


@given(seed=st.integers(), size=st.integers(0, 3000))
@settings(max_examples=50, deadline=None)
def test_shuffles_are_those_of_python(seed, size):
    expected, items = list(range(size)), np.arange(size, dtype=np.uint32)
    random.Random(seed).shuffle(expected)
    mersenne.shuffle(mersenne.seeded_state(seed), items)
    assert items.tolist() == expected


def test_a_long_mixed_stream_stays_in_step():
    expected, state = random.Random(99), mersenne.seeded_state(99)
    for k in range(20_000):
        if k % 3 == 0:
            assert mersenne.random(state) == expected.random()
        else:
            assert mersenne.random_integer(state, 0, k) == expected.randint(0, k)


def test_a_state_taken_in_the_middle_of_a_stream_goes_on_from_there():
    generator = random.Random(3)
    for _ in range(1001):
        generator.random()
    state = np.array(generator.getstate()[1], np.uint32)
    assert [mersenne.random(state) for _ in range(700)] == [generator.random() for _ in range(700)]
