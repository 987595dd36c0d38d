"""Putting more rows than memory holds in order, spread over files.

A row begins with its place, which says where it goes: `place % num_files` is its file, and in a file rows lie by their
places. Published places are those in which `random.Random.shuffle` leaves a list; they are known when all rows have
been made. Otherwise rows bring theirs along. Rows are written to disk as they come; then those of a file that lie near
each other are gathered in one bucket file, and buckets are put in order one at a time.
"""

import os
from collections.abc import Iterator

import numpy as np

from data_prep import mersenne
from data_prep.compiled import compiled
from data_prep.instances import PLACE_BYTES
from official.errors import InputError

SPILL_BYTES = 1 << 26
BUCKET_BYTES = 1 << 24
PLACE = np.dtype(">u8")  # Written so that the bytes of rows are in the order of their places.
DONE = np.uint32(1 << 31)


class RowShuffle:
    """Takes rows in any order and gives them back by place. Files go to `directory`, which the caller removes.

    Args:
        width: columns of a row.
        num_files: over how many files they are spread.
    """

    def __init__(
        self,
        directory: str,
        width: int,
        dtype: np.dtype,
        num_files: int = 1,
        bucket_bytes: int = BUCKET_BYTES,
        spill_bytes: int = SPILL_BYTES,
    ):
        self._directory, self.width, self.dtype, self._num_files = directory, width, dtype, num_files
        row_bytes = width * dtype.itemsize
        self._bucket_rows = max(1, bucket_bytes // row_bytes)
        self._spill_rows = max(1, spill_bytes // row_bytes)
        self._rows_in_spills: list[int] = []
        self.rows = 0
        self._forget_extents()

    def append(self, rows: np.ndarray) -> None:
        """Adds rows `[n, width]`; there may be none."""
        if not len(rows):
            return
        if not self._rows_in_spills or self._rows_in_spills[-1] >= self._spill_rows:
            self._rows_in_spills.append(0)
        with open(self._spill_path(len(self._rows_in_spills) - 1), "ab") as file:
            file.write(np.ascontiguousarray(rows))
        self._rows_in_spills[-1] += len(rows)
        self.rows += len(rows)
        self._extend(places_of(rows))

    def draw_places(self, state: np.ndarray) -> None:
        """Gives the rows the published places, drawn from the generator."""
        if self.rows >= DONE:
            raise InputError(f"{self.rows} examples are too many for one run (at most {DONE - 1}): split the corpus")
        places = np.arange(self.rows, dtype=np.uint32)
        mersenne.shuffle(state, places)
        invert_permutation(places)
        self._forget_extents()
        first = 0
        for spill, count in enumerate(self._rows_in_spills):
            spill_places = places[first : first + count].astype(PLACE)
            rows = np.memmap(self._spill_path(spill), np.uint8, "r+").reshape(count, -1)  # [n, bytes of a row]
            rows[:, :PLACE_BYTES] = spill_places[:, None].view(np.uint8)
            self._extend(spill_places.astype(np.uint64))
            first += count

    def drain(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yields the rows, `[n, width]`, with the files that they belong in, `[n]`; their spills are removed."""
        for spill in range(len(self._rows_in_spills)):
            rows = np.fromfile(self._spill_path(spill), self.dtype).reshape(-1, self.width)
            os.remove(self._spill_path(spill))
            yield rows, files_of(rows, self._num_files)

    def buckets(self) -> list[list[str]]:
        """Gathers the rows in buckets.

        Returns:
            The bucket files of each file, in order: those that rows fell to. Their rows are read by `read_bucket`.
        """
        buckets = -(-self._counts // self._bucket_rows)  # [files]
        shares = buckets / (self._highest - self._lowest + 1.0)
        for rows, row_files in self.drain():
            above = (places_of(rows) - self._lowest[row_files]).astype(np.float64)
            inside = np.minimum(above * shares[row_files], buckets[row_files] - 1).astype(np.int64)
            self._scatter(rows, row_files, inside)
        paths = [[self._bucket_path(file, bucket) for bucket in range(n)] for file, n in enumerate(buckets)]
        return [[path for path in file_paths if os.path.exists(path)] for file_paths in paths]

    def _forget_extents(self) -> None:
        """Of the places in each file: the lowest, the highest and how many there are."""
        self._lowest = np.full(self._num_files, 2**64 - 1, np.uint64)
        self._highest = np.zeros(self._num_files, np.uint64)
        self._counts = np.zeros(self._num_files, np.int64)

    def _extend(self, places: np.ndarray) -> None:
        row_files = (places % np.uint64(self._num_files)).astype(np.int64)
        np.minimum.at(self._lowest, row_files, places)
        np.maximum.at(self._highest, row_files, places)
        self._counts += np.bincount(row_files, minlength=self._num_files)

    def _scatter(self, rows: np.ndarray, row_files: np.ndarray, buckets: np.ndarray) -> None:
        order = np.lexsort((buckets, row_files))
        rows, row_files, buckets = rows[order], row_files[order], buckets[order]
        is_first = (np.diff(row_files, prepend=-1) != 0) | (np.diff(buckets, prepend=-1) != 0)
        starts = np.flatnonzero(is_first)
        for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
            with open(self._bucket_path(row_files[start], buckets[start]), "ab") as file:
                file.write(rows[start:end])

    def _spill_path(self, number: int) -> str:
        return os.path.join(self._directory, f"rows-{number}")

    def _bucket_path(self, file: int, bucket: int) -> str:
        return os.path.join(self._directory, f"bucket-{file}-{bucket}")


def places_of(rows: np.ndarray) -> np.ndarray:
    """The places of rows, uint64 `[n]`."""
    places = np.ascontiguousarray(rows[:, : PLACE_BYTES // rows.itemsize])
    return places.view(PLACE)[:, 0].astype(np.uint64)


def files_of(rows: np.ndarray, num_files: int) -> np.ndarray:
    """The numbers of the files that rows belong in, int64 `[n]`."""
    return (places_of(rows) % np.uint64(num_files)).astype(np.int64)


def read_bucket(path: str, width: int, dtype: np.dtype) -> np.ndarray:
    """The rows of a bucket by their places, `[n, width]`.

    Of two rows that have drawn the same place, the one whose bytes are lower is first: the order depends on the rows
    alone.
    """
    rows = np.fromfile(path, dtype).reshape(-1, width)
    return rows[rows.view(f"V{width * dtype.itemsize}")[:, 0].argsort(kind="stable")]


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
