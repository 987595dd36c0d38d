"""Rows shuffled on disk end in the order in which Python shuffles a list."""

import os
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep import mersenne
from data_prep.row_shuffle import RowShuffle, invert_permutation, read_bucket


@given(st.permutations(range(40)))
def test_a_permutation_is_inverted_in_place(permutation):
    inverse = np.array(permutation, np.uint32)
    invert_permutation(inverse)
    assert [permutation[k] for k in inverse] == list(range(40))


@pytest.mark.parametrize(
    "count, bucket_rows, spill_rows", [(1, 1, 1), (100, 7, 13), (100, 1000, 1000), (64, 8, 64), (500, 3, 1)]
)
@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
def test_the_order_is_that_of_python_whatever_the_sizes(tmp_path, count, bucket_rows, spill_rows, dtype):
    dtype = np.dtype(dtype)
    width, row_bytes = 3, 3 * dtype.itemsize
    shuffle = RowShuffle(str(tmp_path), width, dtype, row_bytes * bucket_rows, row_bytes * spill_rows)
    rows = np.arange(count * width).reshape(count, width).astype(dtype)
    for first in range(0, count, 11):
        shuffle.append(rows[first : first + 11].copy())
    buckets = shuffle.shuffle(mersenne.seeded_state(4))
    result = np.concatenate([read_bucket(path, width, dtype) for path in buckets])

    expected = list(range(count))
    random.Random(4).shuffle(expected)
    assert result[:, 1:].tolist() == rows[expected, 1:].tolist()
    assert sorted(os.listdir(tmp_path)) == sorted(os.path.basename(path) for path in buckets)
