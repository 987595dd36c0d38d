"""Texts to what a model is called with, in the graph: the same rows as the run scripts make of them."""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from official.tokenization.graph import graph_tokenizer
from official.tokenization.tokenizer import Tokenizer

Inputs = Mapping[str, tf.Tensor]
TOKEN_FEATURES = ("input_ids", "input_mask", "segment_ids")
SHORTEST = 2  # [CLS] [SEP]; the length of a batch without rows.


class TextInputs(tf.Module):
    """[CLS] a [SEP], or [CLS] a [SEP] b [SEP], or what the tokenizer's layout has, cut to length and padded.

    Args:
        tokenizer: of the model.
        max_seq_length: tokens of a row, special ones counted; at least 3.
    """

    def __init__(self, tokenizer: Tokenizer, max_seq_length: int):
        super().__init__()
        self.tokenize = graph_tokenizer(tokenizer)
        self.max_seq_length = max_seq_length
        self.layout = tokenizer.layout
        self._cls_id, self._sep_id = tokenizer.cls_id, tokenizer.sep_id

    def __call__(self, text_a: tf.Tensor, text_b: tf.Tensor | None = None) -> Inputs:
        """What a model is called with, for strings [B]; a row whose `text_b` has no tokens is one of `text_a` alone."""
        a = self.tokenize(text_a)
        if text_b is None:
            kept = tf.minimum(a.row_lengths(), self.max_seq_length - 2)
            return self.pad([first_of_each(a, kept)])
        b = self.tokenize(text_b)
        kept_a, kept_b = self._kept_lengths(a.row_lengths(), b.row_lengths())
        return self.pad([first_of_each(a, kept_a), first_of_each(b, kept_b)])

    def _kept_lengths(self, length_a: tf.Tensor, length_b: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """How many tokens stay of each pair, [B] each: the longer one gives way (run_classifier.py:557-571)."""
        pair = tf.constant(self.max_seq_length - self.layout.special_tokens, tf.int64)
        room = tf.where(length_b > 0, pair, self.max_seq_length - 2)
        kept_b = tf.minimum(length_b, tf.maximum(room // 2, room - length_a))
        return tf.minimum(length_a, room - kept_b), kept_b

    def pad(self, parts: Sequence[tf.RaggedTensor]) -> Inputs:
        """Rows of parts, int32 [B, None] each, with special tokens; of an empty one but the first nothing is left."""
        segments = self._assemble(parts)
        return pad(segments if self.layout.segments else [tf.concat(segments, axis=1)])

    def _assemble(self, parts: Sequence[tf.RaggedTensor]) -> list[tf.RaggedTensor]:
        """The rows, one ragged tensor a part."""
        first, *others = parts
        rows = first.nrows(out_type=tf.int32)
        special = [tf.fill([rows, 1], token_id) for token_id in (self._cls_id, self._sep_id)]
        segments = [tf.concat([special[0], first, special[1]], axis=1)]
        for part in others:
            there = tf.cast(part.row_lengths() > 0, tf.int64)
            more = _repeated(self._sep_id, there * (self.layout.separators - 1))
            segments.append(tf.concat([more, part, _repeated(self._sep_id, there)], axis=1))
        return segments


def _repeated(value: int, counts: tf.Tensor) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_row_lengths(tf.fill([tf.reduce_sum(counts)], value), counts, validate=False)


def first_of_each(ragged: tf.RaggedTensor, counts: tf.Tensor) -> tf.RaggedTensor:
    """The first tokens of each row, `counts` int64 [B] of them."""
    starts = ragged.row_starts()
    places = tf.ragged.range(starts, starts + counts)
    return places.with_values(tf.gather(ragged.values, places.values))


def row_of_each(ragged: tf.RaggedTensor) -> tf.Tensor:
    """The row that each value belongs to, int64 [values].

    `value_rowids` says the same by way of a mask as large as all rows, each as long as the longest: among 500,000 words
    that may be one of 300,000 pieces.
    """
    ends = ragged.row_splits[1:]
    count = tf.size(ragged.values, tf.int64)
    return tf.cumsum(tf.math.unsorted_segment_sum(tf.ones_like(ends), ends, count + 1))[:-1]


def pad(segments: Sequence[tf.RaggedTensor]) -> Inputs:
    """Rows, int32 [B, None] a segment, to `input_ids`, `input_mask`, `segment_ids`, int32 [B, T] each."""
    rows = tf.concat(segments, axis=1)
    length = tf.maximum(rows.bounding_shape(axis=1), SHORTEST)
    shape = tf.stack([rows.nrows(), length])
    numbers = [segment.with_values(tf.fill(tf.shape(segment.values), n)) for n, segment in enumerate(segments)]
    return {
        "input_ids": rows.to_tensor(shape=shape),
        "input_mask": tf.sequence_mask(rows.row_lengths(), length, tf.int32),
        "segment_ids": tf.concat(numbers, axis=1).to_tensor(shape=shape),
    }


def parse_examples(serialized: tf.Tensor, names: Sequence[str] = TOKEN_FEATURES) -> Inputs:
    """Rows that records of `tf.train.Example` hold, strings [B], as the original's have them.

    Args:
        serialized: `input_ids`, and optionally `input_mask` (default: all real) and `segment_ids` (default: all 0),
            lists of integers of any length.
        names: which features; others that are required come after the first three.

    Returns:
        Each int32 [B, T].
    """
    feature = tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64)
    parsed = tf.io.parse_example(serialized, dict.fromkeys(names, feature))
    ids, mask = parsed["input_ids"], parsed["input_mask"]
    told = "input_ids: token ids were expected in each record"
    with tf.control_dependencies([tf.debugging.assert_positive(ids.row_lengths(), told)]):
        length = tf.maximum(ids.bounding_shape(axis=1), SHORTEST)
    shape = tf.stack([ids.nrows(), length])
    dense = {name: tf.cast(parsed[name].to_tensor(shape=shape), tf.int32) for name in TOKEN_FEATURES}
    present = tf.sequence_mask(ids.row_lengths(), length, tf.int32)
    dense["input_mask"] = tf.where(mask.row_lengths()[:, tf.newaxis] > 0, dense["input_mask"], present)
    others = {name: tf.cast(parsed[name].to_tensor(), tf.int32) for name in names[len(TOKEN_FEATURES) :]}
    return dense | others


def parse_texts(serialized: tf.Tensor, names: Sequence[str]) -> list[tf.Tensor]:
    """The texts [B] that records of `tf.train.Example` hold under `names`."""
    return list(
        tf.io.parse_example(serialized, {name: tf.io.FixedLenFeature([], tf.string) for name in names}).values()
    )
