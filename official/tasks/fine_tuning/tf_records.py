"""Examples as the record files that the original's scripts trained from; other trainers read them, ours does not.

Each record is a `tf.train.Example` of `input_ids`, `input_mask` and `segment_ids`, padded to --max_seq_length, and what
the task adds (file_based_convert_examples_to_features of run_classifier.py, FeatureWriter of run_squad.py).
"""

from collections.abc import Iterable, Mapping

import numpy as np
import tensorflow as tf

from official import files
from official.errors import InputError
from official.inputs.tokenized import TokenizedExamples
from official.progress import Progress


def write_tf_records(
    path: str,
    examples: TokenizedExamples,
    max_seq_length: int,
    features: Mapping[str, np.ndarray],
    order: Iterable[int] | None = None,
) -> None:
    """Writes a record for each example; the choices of a question stand one after the other in one record.

    Args:
        path: of the file, which is there when it is whole.
        examples: N of them; their labels are not written.
        max_seq_length: L, to which each is padded.
        features: what is written beside the tokens, by name: [N] or [N, k], whole numbers, or floats.
        order: in which the examples are written; by default their own.

    Raises:
        InputError: the file can't be written.
    """
    temporary = files.temporary_name(path)
    progress = Progress(f"writing {path}", len(examples), ("examples", 1))
    try:
        with tf.io.TFRecordWriter(temporary) as writer:
            for index in range(len(examples)) if order is None else order:
                tokens = _padded_tokens(examples, index, max_seq_length)
                beside = {name: np.atleast_1d(values[index]) for name, values in features.items()}
                writer.write(_serialized(tokens | beside))
                progress.advance(1)
        files.replace(temporary, path)
    except tf.errors.OpError as error:
        raise InputError(f"{path}: can't be written: {error.message}") from error
    finally:
        files.remove_if_there(temporary)
    progress.finish_if_shown()
    print(f"records: {path}")


def _padded_tokens(examples: TokenizedExamples, index: int, max_seq_length: int) -> dict[str, np.ndarray]:
    """`input_ids`, `input_mask`, `segment_ids` of one example: int64 [choices · L]."""
    rows = {
        name: np.zeros((examples.group, max_seq_length), np.int64)
        for name in ("input_ids", "input_mask", "segment_ids")
    }
    for choice in range(examples.group):
        start, end = examples.row_splits[index * examples.group + choice :][:2]
        rows["input_ids"][choice, : end - start] = examples.input_ids[start:end]
        rows["input_mask"][choice, : end - start] = 1
        rows["segment_ids"][choice, : end - start] = examples.segment_ids[start:end]
    return {name: values.reshape(-1) for name, values in rows.items()}


def _serialized(features: Mapping[str, np.ndarray]) -> bytes:
    return tf.train.Example(
        features=tf.train.Features(feature={name: _feature(values) for name, values in features.items()})
    ).SerializeToString()


def _feature(values: np.ndarray) -> tf.train.Feature:
    if np.issubdtype(values.dtype, np.floating):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values.tolist()))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values.tolist()))
