"""Instances as records: the seven features of the original (create_pretraining_data.py:90-147 at eedf571), or unmasked.

Unmasked records are for masks drawn while training: `input_ids`, `segment_ids`, `next_sentence_labels` and
`word_starts`, which is 1 where a word begins and 0 on its ## pieces, on [CLS] and [SEP] and on padding. Where
truncation has left a ## piece at the front of the second segment, no word begins: it belongs to the word before it, as
in published masking. Of formats without pairs `next_sentence_labels` is 0, so that every reader of the others' reads
them too.
"""

import gzip
from typing import NamedTuple

import numpy as np

from data_prep.compiled import compiled
from data_prep.example_bytes import FEATURE_OVERHEAD, RECORD_OVERHEAD, put_integers, put_ones, put_record, put_weights
from data_prep.instances import as_instances
from data_prep.row_shuffle import read_bucket

GZIP_LEVEL = 4  # Twice as fast as the usual 6 and 3 % larger.


def _key(name: bytes) -> np.ndarray:
    return np.frombuffer(name, np.uint8)


INPUT_IDS, INPUT_MASK, SEGMENT_IDS = _key(b"input_ids"), _key(b"input_mask"), _key(b"segment_ids")
MASKED_LM_POSITIONS, MASKED_LM_IDS = _key(b"masked_lm_positions"), _key(b"masked_lm_ids")
MASKED_LM_WEIGHTS, NEXT_SENTENCE_LABELS = _key(b"masked_lm_weights"), _key(b"next_sentence_labels")
WORD_STARTS = _key(b"word_starts")
LONGEST_KEY = 20
ROWS_AT_A_TIME = 4096  # So that the same few megabytes are written to again and again.


class RecordFormat(NamedTuple):
    """What a process must know to turn rows into records."""

    max_seq_length: int
    max_predictions: int  # 0: unmasked
    dtype: np.dtype  # of rows
    width: int  # of rows
    compression: str  # "" or "GZIP"


class Bucket(NamedTuple):
    """One task: the rows of a bucket file."""

    path: str
    format: RecordFormat
    begins_word: np.ndarray  # bool [V]


@compiled
def _put_segments(out, at, instances, row):
    length, b_start = int(instances.length[row]), int(instances.a_length[row]) + 2
    at = put_ones(out, at, SEGMENT_IDS, b_start, length, instances.input_ids.shape[1])
    return put_integers(out, at, NEXT_SENTENCE_LABELS, instances.pair_label[row : row + 1])


@compiled
def _put_masked(out, at, instances, row):
    length, predictions = int(instances.length[row]), int(instances.num_predictions[row])
    positions, labels = instances.masked_lm_positions[row], instances.masked_lm_ids[row]
    at = put_ones(out, at, INPUT_MASK, 0, length, instances.input_ids.shape[1])
    at = put_integers(out, at, MASKED_LM_POSITIONS, positions)
    at = put_integers(out, at, MASKED_LM_IDS, labels)
    return put_weights(out, at, MASKED_LM_WEIGHTS, predictions, len(positions))


@compiled
def _put_word_starts(out, at, instances, row, begins_word):
    word_starts = np.zeros(instances.input_ids.shape[1], np.int64)
    for position in range(1, int(instances.length[row]) - 1):
        word_starts[position] = begins_word[instances.input_ids[row, position]]
    return put_integers(out, at, WORD_STARTS, word_starts)


@compiled
def serialize(rows, max_seq_length, max_predictions, begins_word, out):
    """Writes instances as framed records to `out`, uint8; returns the bytes written."""
    instances = as_instances(rows, max_seq_length, max_predictions)
    features = np.empty(len(out) // len(rows), np.uint8)
    at = 0
    for row in range(len(rows)):
        size = put_integers(features, 0, INPUT_IDS, instances.input_ids[row])
        size = _put_segments(features, size, instances, row)
        if max_predictions > 0:
            size = _put_masked(features, size, instances, row)
        else:
            size = _put_word_starts(features, size, instances, row, begins_word)
        at = put_record(out, at, features[:size])
    return at


def record_capacity(record_format: RecordFormat) -> int:
    """The most bytes that a record takes."""
    id_bytes = 3 if record_format.dtype.itemsize == 2 else 5
    values = record_format.max_seq_length * (id_bytes + 2) + record_format.max_predictions * (2 * id_bytes + 4) + 1
    return values + 7 * (FEATURE_OVERHEAD + LONGEST_KEY) + RECORD_OVERHEAD


def serialize_bucket(bucket: Bucket) -> bytes:
    """The records of a bucket, in the order of their places."""
    record_format = bucket.format
    rows = read_bucket(bucket.path, record_format.width, record_format.dtype)
    out, parts = np.empty(ROWS_AT_A_TIME * record_capacity(record_format), np.uint8), []
    for first in range(0, len(rows), ROWS_AT_A_TIME):
        some = rows[first : first + ROWS_AT_A_TIME]
        size = serialize(some, record_format.max_seq_length, record_format.max_predictions, bucket.begins_word, out)
        parts.append(out[:size].tobytes())
    records = b"".join(parts)
    # Members of a gzip file may follow one another, so that each bucket can be compressed on its own.
    return gzip.compress(records, GZIP_LEVEL, mtime=0) if record_format.compression else records
