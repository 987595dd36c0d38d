"""Records made as bytes are what TensorFlow and protocol buffers read."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.example_bytes import crc32c, put_integers, put_record, put_weights


@pytest.mark.parametrize(
    "data, expected",
    [  # RFC 3720, appendix B.4
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_checksums_are_the_published_ones(data, expected):
    assert crc32c(np.frombuffer(data, np.uint8)) == expected


def key(name: str) -> np.ndarray:
    return np.frombuffer(name.encode(), np.uint8)


@given(
    values=st.lists(st.one_of(st.integers(0, 300), st.integers(0, 2**31 - 1)), min_size=1, max_size=300),
    count=st.integers(1, 200),
    ones=st.integers(0, 200),
    names=st.lists(st.text("abc_", min_size=1), min_size=2, max_size=2, unique=True),
)
@settings(max_examples=100, deadline=None)
def test_an_example_is_read_back_by_protocol_buffers(values, count, ones, names):
    ones = min(ones, count)
    out = np.zeros(10_000, np.uint8)
    end = put_integers(out, 0, key(names[0]), np.array(values, np.int64))
    end = put_weights(out, end, key(names[1]), ones, count)
    record = np.zeros(20_000, np.uint8)
    size = put_record(record, 0, out[:end])
    example = tf.train.Example.FromString(record[12 : size - 4].tobytes())
    assert list(example.features.feature[names[0]].int64_list.value) == values
    assert list(example.features.feature[names[1]].float_list.value) == [1.0] * ones + [0.0] * (count - ones)
    # Sizes are written in their shortest form, as protocol buffers write them.
    assert len(example.SerializeToString()) == size - 16


def test_tensorflow_accepts_the_framing(tmp_path):
    record, at = np.zeros(5000, np.uint8), 0
    for size in range(0, 40):
        at = put_record(record, at, np.arange(size, dtype=np.uint8))
    path = tmp_path / "records"
    path.write_bytes(record[:at].tobytes())
    read = [bytes(item.numpy()) for item in tf.data.TFRecordDataset(str(path))]
    assert [item[2:] for item in read] == [bytes(range(size)) for size in range(40)]
