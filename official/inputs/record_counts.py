"""How many records files hold: counted where that is quick, estimated from the sizes of files elsewhere."""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from official import files
from official.inputs.records import FRAMING, is_gzip, serialized

COUNTED_BYTES = 200_000_000  # Up to this size files are read whole: a second or two.
SAMPLED_RECORDS = 1_000
SAMPLED_BYTES = 4_000_000  # Of a compressed file, to see how far it is compressed.


class RecordCount(NamedTuple):
    """A number of records, and whether they were counted (otherwise it is an estimate)."""

    number: int
    counted: bool


@tf.autograph.experimental.do_not_convert  # Conversion of the functions below would only take time.
def count_records(paths: Sequence[str]) -> RecordCount:
    """Records in all of these files, plain or gzip.

    Raises:
        tf.errors.OpError: a file is cut short or damaged in what was read of it.
    """
    sizes = [files.size(path) for path in paths]
    records = serialized(paths)
    if sum(sizes) <= COUNTED_BYTES:
        return RecordCount(int(records.reduce(tf.constant(0, tf.int64), lambda count, _: count + 1)), True)
    lengths = records.take(SAMPLED_RECORDS).map(lambda record: tf.strings.length(record) + FRAMING)
    sample = [int(length) for length in lengths.as_numpy_iterator()]
    size = sum(sizes) * (_expansion(paths[0]) if is_gzip(paths[0]) else 1)
    return RecordCount(round(size * len(sample) / sum(sample)), False)


def _expansion(path: str) -> float:
    """How many bytes one byte of a gzip file becomes, going by its start."""
    with files.open_file(path, "rb") as file:
        start = bytes(file.read(SAMPLED_BYTES))
    return len(zlib.decompressobj(wbits=31).decompress(start)) / len(start)
