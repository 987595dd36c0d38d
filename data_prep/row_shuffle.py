"""Shuffling more rows than memory holds, in the order in which `random.Random.shuffle` leaves a list.

Rows are written to disk as they are made. When their number is known, each gets its place from the shuffle, rows whose
places are near each other are gathered in one bucket file, and the buckets are put in order one at a time.
"""

import os

import numpy as np

from data_prep import mersenne
from data_prep.compiled import compiled
from official.errors import InputError

SPILL_BYTES = 1 << 26
BUCKET_BYTES = 1 << 24
MAX_BUCKET_ROWS = 1 << 16  # The place within a bucket is kept in 16 bits.
DONE = np.uint32(1 << 31)


class RowShuffle:
    """Takes rows in order and gives them back shuffled. Files go to `directory`, which the caller removes.

    Args:
        width: columns of a row. The first column is this class's own.
    """

    def __init__(
        self,
        directory: str,
        width: int,
        dtype: np.dtype,
        bucket_bytes: int = BUCKET_BYTES,
        spill_bytes: int = SPILL_BYTES,
    ):
        self._directory, self.width, self.dtype = directory, width, dtype
        row_bytes = width * dtype.itemsize
        self.bucket_rows = max(1, min(bucket_bytes // row_bytes, MAX_BUCKET_ROWS))
        self._spill_rows = max(1, spill_bytes // row_bytes)
        self._rows_in_spills: list[int] = []
        self.rows = 0

    def append(self, rows: np.ndarray) -> None:
        """Adds rows `[n, width]`."""
        if not self._rows_in_spills or self._rows_in_spills[-1] >= self._spill_rows:
            self._rows_in_spills.append(0)
        with open(self._spill_path(len(self._rows_in_spills) - 1), "ab") as file:
            file.write(np.ascontiguousarray(rows))
        self._rows_in_spills[-1] += len(rows)
        self.rows += len(rows)

    def shuffle(self, state: np.ndarray) -> list[str]:
        """Draws the places from the generator and gathers the rows in buckets.

        Returns:
            The bucket files in order. Their rows are read by `read_bucket`.
        """
        if self.rows >= DONE:
            raise InputError(f"{self.rows} examples are too many for one run (at most {DONE - 1}): split the corpus")
        places = np.arange(self.rows, dtype=np.uint32)
        mersenne.shuffle(state, places)
        invert_permutation(places)
        first = 0
        for spill, count in enumerate(self._rows_in_spills):
            path = self._spill_path(spill)
            rows = np.fromfile(path, self.dtype).reshape(count, self.width)  # [n, width]
            os.remove(path)
            self._scatter(rows, places[first : first + count])
            first += count
        return [self._bucket_path(bucket) for bucket in range(-(-self.rows // self.bucket_rows))]

    def _scatter(self, rows: np.ndarray, places: np.ndarray) -> None:
        buckets, rows[:, 0] = np.divmod(places, self.bucket_rows)
        order = np.argsort(buckets.astype(np.min_scalar_type(self.rows // self.bucket_rows)), kind="stable")
        rows, buckets = rows[order], buckets[order]
        starts = np.flatnonzero(np.diff(buckets, prepend=np.uint32(DONE)))
        for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
            with open(self._bucket_path(buckets[start]), "ab") as file:
                file.write(rows[start:end])

    def _spill_path(self, number: int) -> str:
        return os.path.join(self._directory, f"rows-{number}")

    def _bucket_path(self, number: int) -> str:
        return os.path.join(self._directory, f"bucket-{number}")


def read_bucket(path: str, width: int, dtype: np.dtype) -> np.ndarray:
    """The rows of a bucket in their places, `[n, width]`."""
    rows = np.fromfile(path, dtype).reshape(-1, width)
    return rows[np.argsort(rows[:, 0])]


@compiled
def invert_permutation(permutation):
    """Turns "which item is at place k" into "at which place is item k", in place: uint32 `[n]`, n < 2**31."""
    for start in range(len(permutation)):
        if permutation[start] & DONE:
            continue
        previous, item = np.uint32(start), permutation[start]
        while item != start:
            following = permutation[item]
            permutation[item] = previous | DONE
            previous, item = item, following
        permutation[start] = previous | DONE
    for k in range(len(permutation)):
        permutation[k] &= ~DONE
