"""Questions and their contexts to windows, in the graph: the windows of `official.tasks.squad.squad_features`.

Shapes: B questions, each with its context; D words and N tokens of all contexts; W windows of T tokens.
"""

from typing import NamedTuple

import tensorflow as tf

from official.serving.text_inputs import Inputs, TextInputs, first_of_each, row_of_each

SEPARATORS = " \t\r\n\u202f"  # Between words (run_squad.py:230-237): less than Unicode's white space.
SEPARATOR_RUN = f"[{SEPARATORS}]+"


class ContextTokens(NamedTuple):
    """Contexts in words and in tokens.

    Attributes:
        points: code points, int32 [B, None], without bytes that can't be decoded; a separator stands behind each text.
        ids: int32 [B, None].
        word: int64 [N], of all D, that each token comes from.
        word_starts: int64 [D + 1], where each word begins among the characters that are no separators.
        character: int64 [characters that are no separators], the place of each in its context.
        words: [D].
    """

    points: tf.RaggedTensor
    ids: tf.RaggedTensor
    word: tf.Tensor
    word_starts: tf.Tensor
    character: tf.Tensor
    words: tf.Tensor


class Windows(NamedTuple):
    """Windows on contexts.

    Attributes:
        inputs: what a model is called with, int32 [W, T] each.
        question: int64 [W], never falling.
        counts: int64 [B], windows of each question.
        context_start: int64 [W], the position where the context begins.
        first_token: int64 [W], which of all N tokens stands there.
        in_context: bool [W, T].
        has_most_context: bool [W, T], at tokens that have more context here than in any other window.
    """

    inputs: Inputs
    question: tf.Tensor
    counts: tf.Tensor
    context_start: tf.Tensor
    first_token: tf.Tensor
    in_context: tf.Tensor
    has_most_context: tf.Tensor


def tokenize_contexts(contexts: tf.Tensor, texts: TextInputs) -> ContextTokens:
    """Tokens of contexts, strings [B], word by word."""
    contexts = tf.strings.unicode_transcode(contexts, "UTF-8", "UTF-8", errors="ignore")
    # A separator behind each, so that words do not run from one context into the next.
    points = tf.strings.unicode_decode(tf.strings.join([contexts, " "]), "UTF-8")  # [B, None]
    separates = tf.reduce_any(points.values[:, tf.newaxis] == [ord(mark) for mark in SEPARATORS], axis=1)
    row = row_of_each(points)
    place = tf.range(tf.size(row, tf.int64)) - tf.gather(points.row_starts(), row)
    begins = ~separates & tf.concat([[True], separates[:-1]], axis=0)
    letters = tf.boolean_mask(points.values, ~separates)
    starts = tf.where(tf.boolean_mask(begins, ~separates))[:, 0]  # [D]
    words = tf.strings.unicode_encode(tf.RaggedTensor.from_row_starts(letters, starts, validate=False), "UTF-8")
    counts = tf.math.unsorted_segment_sum(tf.cast(begins, tf.int64), row, points.nrows())
    pieces = texts.tokenize.tokenize_words(words)  # [D, None]
    return ContextTokens(
        points=points,
        ids=tf.RaggedTensor.from_row_lengths(pieces, counts, validate=False).merge_dims(1, 2),
        word=row_of_each(pieces),
        word_starts=tf.concat([starts, [tf.size(letters, tf.int64)]], axis=0),
        character=tf.boolean_mask(place, ~separates),
        words=words,
    )


def cut_windows(
    question: tf.RaggedTensor, contexts: ContextTokens, texts: TextInputs, doc_stride: int, max_query_length: int
) -> Windows:
    """[CLS] question [SEP] part of the context [SEP], as many as a context needs; none if it has no tokens.

    Args:
        question: token ids, int32 [B, None].
    """
    query = first_of_each(question, tf.minimum(question.row_lengths(), max_query_length))
    tokens = contexts.ids.row_lengths()  # [B]
    room = texts.max_seq_length - texts.layout.special_tokens - query.row_lengths()
    step = tf.minimum(room, doc_stride)
    counts = tf.where(tokens > 0, 1 - -tf.maximum(tokens - room, 0) // step, 0)
    of = tf.repeat(tf.range(tf.size(counts, tf.int64)), counts)  # [W]
    number = tf.range(tf.size(of, tf.int64)) - tf.gather(tf.cumsum(counts, exclusive=True), of)
    first = number * tf.gather(step, of)
    length = tf.minimum(tf.gather(room, of), tf.gather(tokens, of) - first)
    first_token = tf.gather(contexts.ids.row_starts(), of) + first
    places = tf.ragged.range(first_token, first_token + length)
    part = places.with_values(tf.gather(contexts.ids.values, places.values))
    inputs = texts.pad([tf.gather(query, of), part])
    start = tf.gather(query.row_lengths(), of) + 1 + texts.layout.separators
    in_context, best = _max_context(tf.shape(inputs["input_ids"])[1], start, length, first_token, contexts.ids)
    return Windows(inputs, of, counts, start, first_token, in_context, best)


def _max_context(
    width: tf.Tensor, start: tf.Tensor, length: tf.Tensor, first_token: tf.Tensor, ids: tf.RaggedTensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """`in_context` and `has_most_context` of windows [W] of `width` positions (run_squad.py:476-512).

    A token's score is the smaller of what it has to the left and to the right, and 0.01 of the part's length; the first
    of equal windows wins.
    """
    position = tf.range(tf.cast(width, tf.int64)) - start[:, tf.newaxis]  # [W, T], in the part of the context
    length = length[:, tf.newaxis]
    inside = (position >= 0) & (position < length)
    score = tf.minimum(position, length - 1 - position)
    score = tf.cast(score, tf.float64) + 0.01 * tf.cast(length, tf.float64)
    token = tf.where(inside, first_token[:, tf.newaxis] + position, 0)
    total = tf.maximum(tf.size(ids.values), 1)
    score = tf.where(inside, score, -1.0)
    highest = tf.math.unsorted_segment_max(score, token, total)
    best = inside & (score == tf.gather(highest, token))
    window = tf.range(tf.size(start))[:, tf.newaxis] + tf.zeros_like(token, tf.int32)
    earliest = tf.math.unsorted_segment_min(tf.where(best, window, tf.int32.max), token, total)
    return inside, best & (window == tf.gather(earliest, token))
