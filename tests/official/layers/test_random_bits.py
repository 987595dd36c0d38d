"""The counter-based generator: what it computes, and whether its masks look as independent as those of philox."""

import numpy as np
import pytest
import tensorflow as tf

from official.layers.dropout import drop
from official.layers.random_bits import random_bits

SHAPE = (512, 512)
SIZE = SHAPE[0] * SHAPE[1]
WORD = 2**32
# As training makes them: (replica and layer, step). Neighbours, and the extremes.
SEEDS = [(0, 0), (0, 1), (1, 0), (1, 1), (12_345, 7), (12_345, 8), (2**31 - 1, 2**31 - 1), (-1, 3)]


def mixed(x):
    """The hash in Python's integers."""
    x ^= x >> 16
    x = x * 0x7FEB352D % WORD
    x ^= x >> 15
    x = x * 0x846CA68B % WORD
    return x ^ x >> 16


def bits(seed, shape=SHAPE):
    return random_bits(tf.constant(shape), tf.constant(seed, tf.int32)).numpy()


def mask(seed, rate=0.1, generator="counter"):
    """1 where an element is dropped."""
    kept = drop(tf.ones(SHAPE), tf.constant(seed, tf.int32), rate=rate, generator=generator)
    return (kept.numpy() == 0).astype(np.float64)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_numbers_are_those_of_the_formula(seed):
    first, second = (word % WORD for word in seed)
    start = mixed((first + mixed(second)) % WORD)
    key = mixed(second ^ start)
    expected = [mixed(mixed((n + start) % WORD) ^ key) for n in range(20)]
    assert bits(seed, (4, 5)).reshape(-1).tolist() == expected


def test_they_are_the_same_in_a_compiled_function_and_for_sizes_known_late():
    @tf.function(jit_compile=True, autograph=False)
    def compiled(seed):
        return random_bits(tf.constant([8, 9]), seed)

    @tf.function(input_signature=[tf.TensorSpec([2], tf.int32), tf.TensorSpec([None], tf.int32)], autograph=False)
    def sized(seed, shape):
        return random_bits(shape, seed)

    seed = tf.constant([3, 4])
    np.testing.assert_array_equal(compiled(seed), bits((3, 4), (8, 9)))
    np.testing.assert_array_equal(sized(seed, [8, 9]), bits((3, 4), (8, 9)))


@pytest.mark.parametrize("seed", SEEDS)
def test_no_number_comes_twice_and_each_byte_has_each_value_equally_often(seed):
    numbers = bits(seed).reshape(-1)
    assert len(np.unique(numbers)) == SIZE
    for place in range(4):
        counts = np.bincount(numbers >> 8 * place & 255, minlength=256)
        chi_square = ((counts - SIZE / 256) ** 2 / (SIZE / 256)).sum()
        assert 130 < chi_square < 400  # 255 ± 22.6; no byte of 32 is six deviations away.


@pytest.mark.parametrize("generator", ["counter", "philox"])
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_a_mask_drops_its_share_as_a_whole_and_in_each_row_and_column(generator, rate):
    for seed in SEEDS:
        dropped = mask(seed, rate, generator)
        deviation = np.sqrt(rate * (1 - rate))
        assert abs(dropped.mean() - rate) < 5 * deviation / np.sqrt(SIZE)
        for axis in (0, 1):
            z = (dropped.mean(axis) - rate) / deviation * np.sqrt(SHAPE[axis])
            assert abs(z).max() < 5.5 and z.std() == pytest.approx(1.0, abs=0.15)


def correlation(a, b):
    """In standard deviations from what chance gives."""
    a, b = a - a.mean(), b - b.mean()
    return (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()) * np.sqrt(a.size)


@pytest.mark.parametrize("generator", ["counter", "philox"])
def test_an_element_says_nothing_of_those_near_it(generator):
    for seed in SEEDS[:4]:
        flat = mask(seed, 0.1, generator).reshape(-1)
        distances = [*range(1, 70), 128, 256, 511, 512, 513, 768, 1024, 4096, 2**16]
        z = [correlation(flat[:-distance], flat[distance:]) for distance in distances]
        assert np.abs(z).max() < 5.0 and np.std(z) == pytest.approx(1.0, abs=0.35)


@pytest.mark.parametrize("generator", ["counter", "philox"])
def test_a_mask_says_nothing_of_those_of_other_steps_layers_and_replicas(generator):
    streams = [0, 1, 2, 3, 0x4B3A, 0x4B3B, 7_368_787, 15_485_863]
    masks = [mask((stream, step), 0.1, generator).reshape(-1) for stream in streams for step in range(4)]
    z = np.array([correlation(a, b) for n, a in enumerate(masks) for b in masks[:n]])
    assert np.abs(z).max() < 5.0 and z.std() == pytest.approx(1.0, abs=0.15)


def test_one_bit_more_in_a_seed_changes_half_of_all_bits():
    shares = []
    for word in range(2):
        for bit in range(31):
            other = [5, 9]
            other[word] ^= 1 << bit
            changed = bits((5, 9), (64, 64)) ^ bits(other, (64, 64))
            shares.append(np.unpackbits(changed.view(np.uint8)).mean())
    assert np.abs(np.array(shares) - 0.5).max() < 6 * 0.5 / np.sqrt(64 * 64 * 32)
