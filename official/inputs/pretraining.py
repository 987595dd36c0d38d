"""Records for pretraining: masked when they were written (static), or each time they are read (dynamic)."""

import tensorflow as tf

from official.inputs.records import Features, ParseExample, parse_example
from official.objectives.masked_lm import Masking, mask_tokens

# The flags that say how long a feature is, for error messages.
LENGTH_FLAGS = {
    "input_ids": "max_seq_length",
    "input_mask": "max_seq_length",
    "segment_ids": "max_seq_length",
    "word_starts": "max_seq_length",
    "masked_lm_positions": "max_predictions_per_seq",
    "masked_lm_ids": "max_predictions_per_seq",
    "masked_lm_weights": "max_predictions_per_seq",
}

# What it means that a feature is not there.
LACKING = {
    "word_starts": "they were masked when they were written, as --masking=static reads them; --masking=dynamic needs "
    "those of create_pretraining_data.py --masking=dynamic",
    "input_mask": "their masks are drawn as they are read, by --masking=dynamic",
}


def static_features(max_seq_length: int, max_predictions_per_seq: int) -> Features:
    """The seven features of the original's records (run_pretraining.py:337-352)."""
    sequence = tf.io.FixedLenFeature([max_seq_length], tf.int64)
    predictions = tf.io.FixedLenFeature([max_predictions_per_seq], tf.int64)
    return {
        "input_ids": sequence,
        "input_mask": sequence,
        "segment_ids": sequence,
        "masked_lm_positions": predictions,
        "masked_lm_ids": predictions,
        "masked_lm_weights": tf.io.FixedLenFeature([max_predictions_per_seq], tf.float32),
        "next_sentence_labels": tf.io.FixedLenFeature([1], tf.int64),
    }


def dynamic_features(max_seq_length: int) -> Features:
    """Records without masks: the text, and where its words begin."""
    sequence = tf.io.FixedLenFeature([max_seq_length], tf.int64)
    return {
        "input_ids": sequence,
        "segment_ids": sequence,
        "word_starts": sequence,
        "next_sentence_labels": tf.io.FixedLenFeature([1], tf.int64),
    }


def mask_dynamically(max_seq_length: int, masking: Masking, seed: int) -> ParseExample:
    """A transform that gives a record its masks: a new draw for each (seed, epoch, index), the same one each time."""
    parse = parse_example(dynamic_features(max_seq_length))

    def transform(serialized, epoch, index):
        example = parse(serialized, epoch, index)
        word_starts = example.pop("word_starts")
        # The last [SEP] is the last real token; zeros follow it.
        length = 1 + tf.cast(tf.reduce_max(tf.where(example["input_ids"] == masking.sep_id)), tf.int32)
        draw = tf.stack([epoch + tf.cast(seed, tf.int64) * 1_000_003, index])
        masked = mask_tokens(example["input_ids"], word_starts, length, masking, draw)
        input_mask = tf.cast(tf.range(max_seq_length) < length, tf.int32)
        return example | masked | {"input_mask": input_mask}

    return transform
