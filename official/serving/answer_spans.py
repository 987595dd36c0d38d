"""From logits of windows to spans of contexts, and to their texts, in the graph: `official.tasks.squad.squad_answers`.

Shapes: B questions, W windows of T tokens, N tokens of all contexts; S spans.
"""

from typing import NamedTuple

import tensorflow as tf

from official.serving.context_windows import SEPARATOR_RUN, ContextTokens, Windows
from official.serving.text_inputs import row_of_each
from official.tokenization.wordpiece import CONTINUATION

NEVER = float("-inf")


class Spans(NamedTuple):
    """The k best spans of each question, the best first.

    Attributes:
        score: float64 [B, k], start and end logit together; NEVER where there are fewer.
        first, last: int64 [B, k], which of all N tokens.
    """

    score: tf.Tensor
    first: tf.Tensor
    last: tf.Tensor


class Places(NamedTuple):
    """Where spans stand in their contexts: `text` [S], and characters [start, end), int64 [S]."""

    text: tf.Tensor
    start: tf.Tensor
    end: tf.Tensor


def best_spans(
    windows: Windows,
    start_logits: tf.Tensor,
    end_logits: tf.Tensor,
    *,
    k: int | tf.Tensor,
    n_best_size: int,
    max_answer_length: int,
) -> Spans:
    """The best spans over all windows of each question, the first of equals first (run_squad.py:741-830).

    Args:
        start_logits, end_logits: float32 [W, T].
        n_best_size: so many starts and ends of each window.
        max_answer_length: in tokens.
    """
    start_logit, start, may_start = _best_positions(start_logits, windows, windows.has_most_context, n_best_size)
    end_logit, end, may_end = _best_positions(end_logits, windows, windows.in_context, n_best_size)
    beyond = end[:, tf.newaxis] - start[:, :, tf.newaxis]  # [W, starts, ends]
    fits = (beyond >= 0) & (beyond < max_answer_length) & may_start[:, :, tf.newaxis] & may_end[:, tf.newaxis]
    score = tf.where(fits, start_logit[:, :, tf.newaxis] + end_logit[:, tf.newaxis], NEVER)
    columns = [score, start[:, :, tf.newaxis] + tf.zeros_like(beyond), end[:, tf.newaxis] + tf.zeros_like(beyond)]
    of_window = tf.minimum(k, tf.reduce_prod(tf.shape(beyond)[1:]))
    score, start, end = _highest(of_window, *(_pairs_as_columns(column) for column in columns))  # [W, of_window]
    shift = (windows.first_token - windows.context_start)[:, tf.newaxis]
    tokens = (tf.cast(start, tf.int64) + shift, tf.cast(end, tf.int64) + shift)
    return Spans(*_highest(k, *(_of_questions(column, windows.counts) for column in (score, *tokens))))


def _best_positions(
    logits: tf.Tensor, windows: Windows, allowed: tf.Tensor, count: int
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The largest logits of each window, float64, where they stand, and whether an answer may be there: [W, count]."""
    logits = tf.where(windows.inputs["input_mask"] > 0, tf.cast(logits, tf.float64), NEVER)
    best, positions = tf.math.top_k(logits, tf.minimum(count, tf.shape(logits)[1]))
    return best, positions, tf.gather(allowed, positions, batch_dims=1)


def _pairs_as_columns(values: tf.Tensor) -> tf.Tensor:
    """[W, starts, ends] → [W, starts · ends]."""
    windows, starts, ends = tf.unstack(tf.shape(values))
    return tf.reshape(values, [windows, starts * ends])


def _of_questions(values: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """[W, k] → [B, the most windows · k], padded with what can't win."""
    nothing = NEVER if values.dtype.is_floating else 0
    rows = tf.RaggedTensor.from_row_lengths(values, counts, validate=False).to_tensor(nothing)  # [B, windows, k]
    questions, windows, k = tf.unstack(tf.shape(rows))
    return tf.reshape(rows, [questions, windows * k])


def _highest(k: int | tf.Tensor, score: tf.Tensor, *others: tf.Tensor) -> list[tf.Tensor]:
    """The k columns with the highest scores of each row, filled up where there are fewer."""
    missing = [[0, 0], [0, tf.maximum(k - tf.shape(score)[1], 0)]]
    score = tf.pad(score, missing, constant_values=NEVER)
    best, columns = tf.math.top_k(score, k)
    return [best, *(tf.gather(tf.pad(other, missing), columns, batch_dims=1) for other in others)]


def locate(
    first: tf.Tensor,
    last: tf.Tensor,
    question: tf.Tensor,
    contexts: ContextTokens,
    tokenizer: tf.Module,
    vocabulary: tf.Tensor,
    letters: tf.Tensor | None = None,
) -> Places:
    """The part of a span's words that was normalised to its pieces, or all of them where it is not found there.

    Characters are counted in the words and in what they are normalised to; where their numbers differ, or the pieces
    are not there, as with [UNK], the words stand for the span (run_squad.py:930-1020).

    Args:
        first, last: int64 [S], of all N tokens.
        question: int64 [S], whose context it is.
        tokenizer: the model's, in the graph.
        vocabulary: the token of each id.
        letters: of `Tokenizer.letters`; where there are such numbers, pieces are found by counting.
    """
    first_word, last_word = tf.gather(contexts.word, first), tf.gather(contexts.word, last)
    begin, end = tf.gather(contexts.word_starts, first_word), tf.gather(contexts.word_starts, last_word + 1)
    if letters is None:
        found, before, length = _find_spelled(first, last, contexts, tokenizer, vocabulary)
    else:
        found, before, length = _count(first, last, contexts, letters)
    start = tf.where(found, begin + before, begin)
    stop = tf.where(found, start + length, end)
    start, stop = tf.gather(contexts.character, start), tf.gather(contexts.character, stop - 1) + 1
    from_ = tf.gather(contexts.points.row_starts(), question)
    places = tf.ragged.range(from_ + start, from_ + stop)
    text = tf.strings.unicode_encode(places.with_values(tf.gather(contexts.points.values, places.values)), "UTF-8")
    return Places(tf.strings.regex_replace(text, SEPARATOR_RUN, " "), start, stop)


def _find_spelled(
    first: tf.Tensor, last: tf.Tensor, contexts: ContextTokens, tokenizer: tf.Module, vocabulary: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Whether what spans spell is in their words, how many letters stand before it, and how many it has: [S]."""
    first_word, last_word = tf.gather(contexts.word, first), tf.gather(contexts.word, last)
    pieces = _spell(first, last, contexts, vocabulary)
    normal, letters, run = _normalize(first_word, last_word, contexts, tokenizer)
    before, found = _find(normal, run, pieces)
    starts = contexts.word_starts
    found &= tf.gather(letters, run) == tf.gather(starts, last_word + 1) - tf.gather(starts, first_word)
    return found, before, _letters(pieces)


def _count(
    first: tf.Tensor, last: tf.Tensor, contexts: ContextTokens, letters: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The same by the numbers of letters that pieces have; words with another number of them are taken whole."""
    of_token = tf.gather(letters, contexts.ids.values)  # [N]
    words = tf.size(contexts.words, tf.int64)
    through = tf.cumsum(of_token)  # [N], with the token itself
    before_word = tf.math.unsorted_segment_min(through - of_token, contexts.word, words)  # [D]
    has = tf.math.unsorted_segment_sum(of_token, contexts.word, words)
    known = tf.math.unsorted_segment_min(of_token, contexts.word, words) >= 0
    counts = known & (has == contexts.word_starts[1:] - contexts.word_starts[:-1])  # [D]
    first_word, last_word = tf.gather(contexts.word, first), tf.gather(contexts.word, last)
    start = tf.gather(through - of_token, first) - tf.gather(before_word, first_word)  # [S], in the first word
    stop = tf.gather(through, last) - tf.gather(before_word, last_word)  # [S], in the last word
    between = tf.gather(contexts.word_starts, last_word) - tf.gather(contexts.word_starts, first_word)
    found = tf.gather(counts, first_word) & tf.gather(counts, last_word) & (between + stop > start)
    return found, start, between + stop - start


def _normalize(
    first_word: tf.Tensor, last_word: tf.Tensor, contexts: ContextTokens, tokenizer: tf.Module
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Runs of words as they are normalised, each once: a text without blanks is one word that all spans lie in.

    Returns:
        The text of each run [R] and how many letters it has, int64 [R]; which of them each span lies in [S].
    """
    count = tf.size(contexts.words, tf.int64)
    runs, run = tf.unique(first_word * count + last_word)
    words = tokenizer.words(_joined(contexts.words, runs // count, runs % count))  # [R, None]
    letters = tf.math.unsorted_segment_sum(_length(words.values), row_of_each(words), words.nrows())
    return _join(words), letters, run


def _joined(strings: tf.Tensor, first: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
    """Strings `first` to `last` with blanks between: [S]."""
    places = tf.ragged.range(first, last + 1)
    return _join(places.with_values(tf.gather(strings, places.values)))


def _join(strings: tf.RaggedTensor) -> tf.Tensor:
    """Strings [S, None] with blanks between: [S]. `reduce_join` would ask for `value_rowids` (see `row_of_each`)."""
    rows = row_of_each(strings)
    return tf.strings.unsorted_segment_join(strings.values, rows, strings.nrows(), separator=" ")


def _spell(first: tf.Tensor, last: tf.Tensor, contexts: ContextTokens, vocabulary: tf.Tensor) -> tf.Tensor:
    """The normalised text that tokens spell, [S] (run_squad.py:830-838)."""
    places = tf.ragged.range(first, last + 1)
    tokens = tf.gather(vocabulary, tf.gather(contexts.ids.values, places.values))
    text = _join(places.with_values(tokens))
    return tf.strings.regex_replace(tf.strings.regex_replace(text, f" {CONTINUATION}", ""), CONTINUATION, "")


def _find(texts: tf.Tensor, which: tf.Tensor, parts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """How many letters stand before the first of `parts` [S] in the text for `which` [S], and whether it is there."""

    def find(pair: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
        around = tf.strings.split(texts[pair[0]], sep=pair[1], maxsplit=1)
        return _letters(tf.strings.reduce_join(around[:1])), tf.size(around) > 1

    return tf.map_fn(find, (which, parts), fn_output_signature=(tf.int64, tf.bool))


def _length(texts: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.strings.length(texts, unit="UTF8_CHAR"), tf.int64)


def _letters(texts: tf.Tensor) -> tf.Tensor:
    """Characters that are no blanks: int64."""
    return _length(tf.strings.regex_replace(texts, " ", ""))
