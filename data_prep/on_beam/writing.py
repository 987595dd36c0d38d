"""Rows to output files: each written whole by one worker under another name, and all renamed at the end."""

import base64
import json
import os
import uuid
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import apache_beam as beam
import numpy as np

from data_prep.pretraining_data import temporary_directory
from data_prep.recipe import PretrainingData, Recipe, recipe_of
from data_prep.records import Bucket, serialize_bucket
from data_prep.row_shuffle import RowShuffle, read_bucket
from official import files

BYTES_AT_A_TIME = 1 << 22


class Written(NamedTuple):
    """A file that is whole."""

    file: int
    path: str
    examples: int
    shown: bytes  # the first rows of the first file


class WriteFile(beam.DoFn):
    """`(file, rows)` → `Written`. The order of the rows does not matter: they have their places."""

    def __init__(self, options: PretrainingData, directory: str):
        super().__init__()
        self._options, self._directory = options, directory

    def process(self, element):
        file, parts = element
        options, recipe = self._options, recipe_of(self._options)
        # A name of its own: a runner may try twice, and at the same time.
        path = os.path.join(self._directory, f"file-{file}-{uuid.uuid4().hex}")
        with temporary_directory(options.temp_dir) as scratch:
            rows = RowShuffle(scratch, recipe.format.width, recipe.format.dtype, len(options.output_files))
            for some in _joined(parts, BYTES_AT_A_TIME):
                rows.append(np.frombuffer(some, rows.dtype).reshape(-1, rows.width))
            buckets = rows.buckets()[file]
            shown = _first_rows(buckets, recipe, options.examples_shown) if file == 0 else b""
            with files.write_whole(path, "wb") as output:
                for bucket in buckets:
                    output.write(serialize_bucket(Bucket(bucket, recipe.format, recipe.begins_word)))
            yield Written(file, path, rows.rows, shown)


def _joined(parts: Iterable[bytes], size: int) -> Iterator[bytes]:
    joined = bytearray()
    for part in parts:
        joined += part
        if len(joined) >= size:
            yield bytes(joined)
            joined.clear()
    if joined:
        yield bytes(joined)


def _first_rows(buckets: list[str], recipe: Recipe, count: int) -> bytes:
    if not buckets or not count:
        return b""
    return read_bucket(buckets[0], recipe.format.width, recipe.format.dtype)[:count].tobytes()


class Finish(beam.DoFn):
    """Gives all files their names, and leaves a report for the process that waits."""

    def __init__(self, options: PretrainingData, report_path: str):
        super().__init__()
        self._options, self._report_path = options, report_path

    def process(self, _, written, totals):
        report = {
            "totals": totals,
            "examples": sum(one.examples for one in written),
            "shown": base64.b64encode(b"".join(one.shown for one in written)).decode(),
        }
        with files.write_whole(self._report_path) as file:
            json.dump(report, file)
        for one in written:
            if files.exists(one.path):  # If not, an earlier attempt has come this far.
                files.replace(one.path, self._options.output_files[one.file])
        yield len(written)
