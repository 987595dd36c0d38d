"""Rows on disk end in the order of their places: those in which Python shuffles a list, or their own."""

import os
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep import mersenne
from data_prep.row_shuffle import PLACE, RowShuffle, files_of, invert_permutation, places_of, read_bucket

SIZES = [(1, 1, 1), (100, 7, 13), (100, 1000, 1000), (64, 8, 64), (500, 3, 1)]  # rows, of a bucket, of a spill


@given(st.permutations(range(40)))
def test_a_permutation_is_inverted_in_place(permutation):
    inverse = np.array(permutation, np.uint32)
    invert_permutation(inverse)
    assert [permutation[k] for k in inverse] == list(range(40))


def row_shuffle(directory, dtype, num_files, bucket_rows, spill_rows) -> RowShuffle:
    """With rows of a place and two numbers."""
    width = 8 // dtype.itemsize + 2
    row_bytes = width * dtype.itemsize
    return RowShuffle(str(directory), width, dtype, num_files, row_bytes * bucket_rows, row_bytes * spill_rows)


def in_files(shuffle, buckets) -> list[list[int]]:
    """The last number of the rows of each file."""
    files = [[read_bucket(path, shuffle.width, shuffle.dtype) for path in paths] for paths in buckets]
    return [[int(row[-1]) for rows in file for row in rows] for file in files]


@pytest.mark.parametrize("count, bucket_rows, spill_rows", SIZES)
@pytest.mark.parametrize("num_files", [1, 3])
@pytest.mark.parametrize("dtype", [np.dtype(np.uint16), np.dtype(np.uint32)], ids=str)
def test_drawn_places_are_those_of_python_whatever_the_sizes(
    tmp_path, count, bucket_rows, spill_rows, num_files, dtype
):
    shuffle = row_shuffle(tmp_path, dtype, num_files, bucket_rows, spill_rows)
    rows = np.zeros((count, shuffle.width), dtype)
    rows[:, -1] = np.arange(count)
    for first in range(0, count + 11, 11):  # The last time none, which may come after a spill that is full.
        shuffle.append(rows[first : first + 11])
    shuffle.draw_places(mersenne.seeded_state(4))
    buckets = shuffle.buckets()

    expected = list(range(count))
    random.Random(4).shuffle(expected)
    assert in_files(shuffle, buckets) == [expected[file::num_files] for file in range(num_files)]
    assert set(os.listdir(tmp_path)) <= {os.path.basename(path) for paths in buckets for path in paths}


@pytest.mark.parametrize("count, bucket_rows, spill_rows", SIZES)
@pytest.mark.parametrize("num_files", [1, 3])
def test_rows_that_bring_their_places_are_sorted_by_them(tmp_path, count, bucket_rows, spill_rows, num_files):
    dtype, rng = np.dtype(np.uint16), random.Random(0)
    places = [rng.getrandbits(64) for _ in range(count)]
    expected = [sorted(range(count), key=lambda k: places[k])] * num_files
    expected = [[k for k in order if places[k] % num_files == file] for file, order in enumerate(expected)]
    for appended in (range(count), rng.sample(range(count), count)):
        (tmp_path / str(appended)[:5]).mkdir()
        shuffle = row_shuffle(tmp_path / str(appended)[:5], dtype, num_files, bucket_rows, spill_rows)
        rows = np.zeros((count, shuffle.width), dtype)
        rows[:, :4] = np.array(places, np.uint64).astype(PLACE)[:, None].view(np.uint16)
        rows[:, -1] = np.arange(count)
        assert places_of(rows).tolist() == places
        assert files_of(rows, num_files).tolist() == [place % num_files for place in places]
        shuffle.append(rows[np.array(appended)])
        assert in_files(shuffle, shuffle.buckets()) == expected


def test_rows_of_the_same_place_are_in_an_order_of_their_own(tmp_path):
    dtype = np.dtype(np.uint16)
    for name, numbers in (("a", [5, 3, 4]), ("b", [4, 5, 3])):
        (tmp_path / name).mkdir()
        shuffle = row_shuffle(tmp_path / name, dtype, 1, 10, 10)
        rows = np.zeros((3, shuffle.width), dtype)
        rows[:, -1] = numbers
        shuffle.append(rows)
        assert in_files(shuffle, shuffle.buckets()) == [[3, 4, 5]]
