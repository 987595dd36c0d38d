"""Numbers of records, counted and estimated."""

import random

import pytest
import tensorflow as tf

from official.inputs import record_counts
from official.inputs.record_counts import RecordCount, count_records


def write(path, count, compression=""):
    draw = random.Random(count)
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for _ in range(count):
            writer.write(draw.randbytes(10) * draw.randint(5, 15))
    return str(path)


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_small_files_are_counted_and_large_ones_estimated(tmp_path, monkeypatch, compression):
    paths = [write(tmp_path / f"{count}.tfrecord", count, compression) for count in (2_000, 1_700, 1)]
    assert count_records(paths) == RecordCount(3_701, counted=True)
    monkeypatch.setattr(record_counts, "COUNTED_BYTES", 1_000)
    estimate = count_records(paths)
    assert not estimate.counted and estimate.number == pytest.approx(3_701, rel=0.03)
