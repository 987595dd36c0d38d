"""`tf.train.Example` records as bytes, made in compiled loops: Protocol Buffers' wire format in TFRecord's framing.

A million examples through Python's protocol buffers take minutes; here they take seconds. Formats:
https://protobuf.dev/programming-guides/encoding and https://www.tensorflow.org/tutorials/load_data/tfrecord.
"""

import numpy as np

from data_prep.compiled import compiled

CRC32C_POLYNOMIAL = 0x82F63B78  # Castagnoli's, bits reversed
MASK_DELTA = 0xA282EAD8
ONE = np.frombuffer(np.float32(1.0).tobytes(), np.uint8)

# Field number and wire type 2 (length-delimited), as one byte.
EXAMPLE_FEATURES = FEATURES_ENTRY = ENTRY_KEY = LIST_VALUES = 1 << 3 | 2
ENTRY_VALUE = FEATURE_FLOATS = 2 << 3 | 2
FEATURE_INTEGERS = 3 << 3 | 2

FRAME_HEAD, FRAME_TAIL = 12, 4  # length and its checksum; checksum of the data


def _crc_tables() -> np.ndarray:
    """Tables that take eight bytes at a time, uint32 `[8, 256]` (Kounavis and Berry, "slicing-by-8")."""
    tables = np.zeros((8, 256), np.uint32)
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (CRC32C_POLYNOMIAL if crc & 1 else 0)
        tables[0, byte] = crc
    for k in range(1, 8):
        tables[k] = tables[0][tables[k - 1] & 0xFF] ^ (tables[k - 1] >> 8)
    return tables


CRC_TABLES = _crc_tables()


@compiled
def crc32c(data):
    """The CRC-32C of bytes, uint8 `[n]`."""
    crc = np.uint32(0xFFFFFFFF)
    whole = len(data) // 8 * 8
    for i in range(0, whole, 8):
        crc = np.uint32(
            CRC_TABLES[7, data[i] ^ (crc & 0xFF)]
            ^ CRC_TABLES[6, data[i + 1] ^ (crc >> 8 & 0xFF)]
            ^ CRC_TABLES[5, data[i + 2] ^ (crc >> 16 & 0xFF)]
            ^ CRC_TABLES[4, data[i + 3] ^ (crc >> 24)]
            ^ CRC_TABLES[3, data[i + 4]]
            ^ CRC_TABLES[2, data[i + 5]]
            ^ CRC_TABLES[1, data[i + 6]]
            ^ CRC_TABLES[0, data[i + 7]]
        )
    for i in range(whole, len(data)):
        crc = np.uint32(CRC_TABLES[0, (crc ^ data[i]) & 0xFF] ^ (crc >> 8))
    return np.uint32(crc ^ 0xFFFFFFFF)


@compiled
def _put_number(out, at, value, size):
    for k in range(size):
        out[at + k] = value >> (8 * k) & 0xFF
    return at + size


@compiled
def _masked_crc(data):
    crc = np.uint64(crc32c(data))
    return ((crc >> 15 | crc << 17) & 0xFFFFFFFF) + MASK_DELTA & 0xFFFFFFFF


@compiled
def _put_frame(out, start, end):
    """Frames the record `out[start + FRAME_HEAD:end]` in place; returns where the frame ends."""
    _put_number(out, start, end - start - FRAME_HEAD, 8)
    _put_number(out, start + 8, _masked_crc(out[start : start + 8]), 4)
    return _put_number(out, end, _masked_crc(out[start + FRAME_HEAD : end]), FRAME_TAIL)


@compiled
def _varint_size(value):
    size = 1
    while value >= 0x80:
        value >>= 7
        size += 1
    return size


@compiled
def _put_varint(out, at, value):
    while value >= 0x80:
        out[at] = value & 0x7F | 0x80
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


@compiled
def _put_head(out, at, tag, size):
    """The tag and the size of a length-delimited field."""
    out[at] = tag
    return _put_varint(out, at + 1, size)


@compiled
def _field_size(size):
    return 1 + _varint_size(size) + size


@compiled
def _put_feature_head(out, at, key, kind, values_size):
    """All of a feature but its values: Features.feature{key, Feature{list{packed values}}}."""
    list_size = _field_size(values_size)
    feature_size = _field_size(list_size)
    at = _put_head(out, at, FEATURES_ENTRY, _field_size(len(key)) + _field_size(feature_size))
    at = _put_head(out, at, ENTRY_KEY, len(key))
    out[at : at + len(key)] = key
    at = _put_head(out, at + len(key), ENTRY_VALUE, feature_size)
    at = _put_head(out, at, kind, list_size)
    return _put_head(out, at, LIST_VALUES, values_size)


@compiled
def _put_short_varints(out, at, values):
    """Varints of at most three bytes. Three are written and as many kept as count, without a branch to mispredict."""
    for value in values:
        two, three = value >= 0x80, value >= 0x4000
        out[at] = value & 0x7F | two << 7
        out[at + 1] = value >> 7 & 0x7F | three << 7
        out[at + 2] = value >> 14
        at += 1 + two + three
    return at


@compiled
def put_integers(out, at, key, values):
    """A feature of non-negative integers. `key` is uint8 `[n]`; returns where the next feature may start.

    Up to two bytes after the feature are overwritten.
    """
    size, largest = len(values), 0
    for value in values:
        size += (value >= 0x80) + (value >= 0x4000)
        largest = max(largest, np.int64(value))
    if largest < 0x200000:
        return _put_short_varints(out, _put_feature_head(out, at, key, FEATURE_INTEGERS, size), values)
    size = 0
    for value in values:
        size += _varint_size(value)
    at = _put_feature_head(out, at, key, FEATURE_INTEGERS, size)
    for value in values:
        at = _put_varint(out, at, value)
    return at


@compiled
def put_ones(out, at, key, first, end, count):
    """A feature of `count` integers: 1 from place `first` up to `end`, and 0 elsewhere."""
    at = _put_feature_head(out, at, key, FEATURE_INTEGERS, count)
    out[at : at + count] = 0
    out[at + first : at + end] = 1
    return at + count


@compiled
def put_weights(out, at, key, ones, count):
    """A feature of `count` float32, of which the first `ones` are 1.0 and the others 0.0."""
    at = _put_feature_head(out, at, key, FEATURE_FLOATS, 4 * count)
    out[at : at + 4 * count] = 0
    for k in range(at, at + 4 * ones, 4):
        out[k : k + 4] = ONE
    return at + 4 * count


@compiled
def put_record(out, at, features):
    """An Example with these features, uint8 `[n]`, as a framed record; returns where the next record may start."""
    body = _put_head(out, at + FRAME_HEAD, EXAMPLE_FEATURES, len(features))
    end = body + len(features)
    out[body:end] = features
    return _put_frame(out, at, end)


RECORD_OVERHEAD = FRAME_HEAD + FRAME_TAIL + 6  # The most that `put_record` adds to the features.
FEATURE_OVERHEAD = 25  # The most that a feature adds to its key and its values.
