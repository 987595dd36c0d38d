"""Sentences of any length to windows, in the graph: the windows of `official.tasks.tagging.tagging_features`.

Shapes: B sentences with D words of N pieces in all; W windows of T tokens.
"""

from typing import NamedTuple

import tensorflow as tf

from official.serving.text_inputs import Inputs, TextInputs, row_of_each


class WordWindows(NamedTuple):
    """Windows over words.

    Attributes:
        inputs: what a model is called with, int32 [W, T] each.
        place: int64 [D, 2], the window and the position in it where each word's label is read.
    """

    inputs: Inputs
    place: tf.Tensor


class _Cuts(NamedTuple):
    """Windows over words [first, end), of which they label [labels_from, labels_to): int64 [W]."""

    first: tf.Tensor
    end: tf.Tensor
    labels_from: tf.Tensor
    labels_to: tf.Tensor


def tokenize_words(words: tf.Tensor, texts: TextInputs, unk_id: int) -> tf.RaggedTensor:
    """Pieces of words, strings [D], each by itself: int32 [D, None], at most as many as a window holds.

    A word has [UNK] where the tokenizer drops all its characters.
    """
    pieces = texts.tokenize.tokenize_words(words)
    nothing = tf.cast(pieces.row_lengths() == 0, tf.int64)
    unknown = tf.RaggedTensor.from_row_lengths(tf.fill([tf.reduce_sum(nothing)], unk_id), nothing, validate=False)
    pieces = tf.concat([pieces, unknown], axis=1)
    room = texts.max_seq_length - 2
    starts = pieces.row_starts()
    kept = tf.ragged.range(starts, starts + tf.minimum(pieces.row_lengths(), room))
    return kept.with_values(tf.gather(pieces.values, kept.values))


def cut_windows(words: tf.RaggedTensor, texts: TextInputs, doc_stride: int, unk_id: int) -> WordWindows:
    """Windows over sentences of words, strings [B, None]; a sentence without words has none.

    Args:
        doc_stride: about how many pieces after one window the next begins; at most max_seq_length - 2.
    """
    pieces = tokenize_words(words.values, texts, unk_id)
    splits = pieces.row_splits  # [D + 1]
    cuts = _cut(splits, words.row_splits, texts.max_seq_length - 2, doc_stride)
    begin = tf.gather(splits, cuts.first)
    parts = tf.ragged.range(begin, tf.gather(splits, cuts.end))
    inputs = texts.pad([parts.with_values(tf.gather(pieces.values, parts.values))])
    labelled = tf.ragged.range(cuts.labels_from, cuts.labels_to)  # [W, None]
    window = row_of_each(labelled)
    position = 1 + tf.gather(splits, labelled.values) - tf.gather(begin, window)
    place = tf.stack([window, position], axis=1)  # By windows; each word comes once.
    return WordWindows(inputs, tf.scatter_nd(labelled.values[:, tf.newaxis], place, tf.shape(place, tf.int64)))


def _cut(splits: tf.Tensor, sentences: tf.Tensor, room: int, stride: int) -> _Cuts:
    """The next window of every sentence that has one, until none has.

    Args:
        splits: int64 [D + 1], where the pieces of each word begin.
        sentences: int64 [B + 1], where the words of each sentence begin.
    """
    columns = [tf.TensorArray(tf.int64, 1, dynamic_size=True, infer_shape=False, element_shape=[None])] * 5
    first, last = sentences[:-1], sentences[1:]
    has_words = first < last
    number = tf.range(tf.size(first, tf.int64))  # Of the sentences that are not yet covered.
    state = [tf.boolean_mask(each, has_words) for each in (number, first, first, last)]

    def cut(count, state, columns):
        number, start, labels_from, limit = state
        end = tf.searchsorted(splits, tf.gather(splits, start) + room, "right", tf.int64) - 1
        goes_on = end < limit
        end = tf.minimum(end, limit)
        following = _next_start(splits, start, end, room, stride)
        turn = tf.where(goes_on, tf.maximum(labels_from, _turn(splits, following, end)), limit)
        values = (number, start, end, labels_from, turn)
        columns = [column.write(count, value) for column, value in zip(columns, values)]
        kept = [tf.boolean_mask(each, goes_on) for each in (number, following, turn, limit)]
        return count + 1, kept, columns

    shapes = (tf.TensorShape([]), [tf.TensorShape([None])] * 4, [tf.TensorShape(None)] * 5)
    _, _, columns = tf.while_loop(
        lambda count, state, columns: (count == 0) | (tf.size(state[0]) > 0),
        cut,
        (0, state, columns),
        shape_invariants=shapes,
        parallel_iterations=1,
    )
    number, *cuts = (column.concat() for column in columns)
    order = tf.argsort(number, stable=True)
    return _Cuts(*(tf.gather(cut, order) for cut in cuts))


def _next_start(splits: tf.Tensor, start: tf.Tensor, end: tf.Tensor, room: int, stride: int) -> tf.Tensor:
    """The last word that begins at most `stride` pieces later, or the first from which the word at `end` fits in."""
    following = tf.searchsorted(splits, tf.gather(splits, start) + stride, "right", tf.int64) - 1
    beyond = tf.minimum(end + 1, tf.size(splits, tf.int64) - 1)
    fitting = tf.searchsorted(splits, tf.gather(splits, beyond) - room, "left", tf.int64)
    return tf.minimum(tf.maximum(following, fitting), end)


def _turn(splits: tf.Tensor, start: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """The first word with more context in a window that begins at `start` than in the one that ends at `end`."""
    middle = (tf.gather(splits, start) + tf.gather(splits, end) - 1) // 2
    return tf.clip_by_value(tf.searchsorted(splits, middle, "right", tf.int64), start, end)
