"""Questions on texts of any length: windows, search and answers are all in the graph."""

import functools
from collections.abc import Callable

import keras
import tensorflow as tf

from official.errors import InputError
from official.serving.answer_spans import NEVER, Places, Spans, best_spans, locate
from official.serving.context_windows import ContextTokens, cut_windows, tokenize_contexts
from official.serving.servable import DEFAULT, Outputs, Request, Servable, Signature, text_specs
from official.serving.text_inputs import Inputs
from official.tasks.squad.squad_answers import CERTAIN_ODDS
from official.tokenization.tokenizer import Tokenizer

TEXTS = ("question", "context")
N_BEST = "n_best"
CANDIDATES = 5  # Times n_best_size: spans whose texts are compared at first, to find so many different ones.
MORE = 4  # Times as many are compared where these were too few, as in a text that repeats itself.
ROUNDS = 4  # All spans of 16 windows, by default; a longer text that repeats itself may have fewer answers.


class QuestionAnswering(Servable):
    """A model with the head `question_answering`; the search is that of run_squad.py, and its parameters.

    Args:
        model, tokenizer, max_seq_length: as in `Servable`; of a window.
        doc_stride, max_query_length, n_best_size, max_answer_length: in tokens.
        version_2_with_negative: whether "" is an answer.
        null_score_diff_threshold: "" is given where the odds of it are above this.
    """

    kind = "question_answering"
    model_outputs = ("start_logits", "end_logits")
    of_tokens = frozenset({"start_logits", "end_logits"})

    def __init__(
        self,
        model: keras.Model,
        tokenizer: Tokenizer,
        max_seq_length: int,
        *,
        doc_stride: int = 128,
        max_query_length: int = 64,
        n_best_size: int = 20,
        max_answer_length: int = 30,
        version_2_with_negative: bool = False,
        null_score_diff_threshold: float = 0.0,
    ):
        special = tokenizer.layout.special_tokens
        if max_seq_length <= max_query_length + special:
            raise InputError(
                f"--max_seq_length is {max_seq_length}: more than --max_query_length + {special}, "
                f"{max_query_length + special}, was expected"
            )
        super().__init__(model, tokenizer, max_seq_length)
        self.doc_stride, self.max_query_length = doc_stride, max_query_length
        self.n_best_size, self.max_answer_length = n_best_size, max_answer_length
        self.null_answers, self.threshold = version_2_with_negative, null_score_diff_threshold
        self.vocabulary = tf.constant(tokenizer.tokens)
        self.letters = None if tokenizer.letters is None else tf.constant(tokenizer.letters)

    def signatures(self) -> dict[str, Signature]:
        inputs = text_specs(TEXTS)
        return {
            DEFAULT: Signature(function=self.from_texts, inputs=inputs, sample=self.sample_questions),
            N_BEST: Signature(function=self.n_best, inputs=inputs, sample=self.sample_questions),
        } | self.token_signatures()

    def sample_questions(self, rows: int) -> Request:
        """Contexts that fill a window, and questions of a third of that at most."""
        texts = self.sample_texts(TEXTS, rows)
        return texts | {"question": self.sample_texts(("question", "", "", ""), rows)["question"]}

    def from_tokens(self, inputs: Inputs) -> Outputs:
        """`start_logits` and `end_logits` [B, T], 0 at padding."""
        return self.run(inputs, *self.model_outputs)

    def from_texts(self, question: tf.Tensor, context: tf.Tensor) -> Outputs:
        """Strings [B] to the best answer.

        Returns:
            `answer` [B], a part of its context, white space aside; `start_char` and `end_char`, the characters
            [start, end) of the context, int64 [B]; `score` [B], the sum of its logits; and under v2.0 `null_odds` [B],
            by how much no answer is better: above the threshold, `answer` is "" and stands at [0, 0). Where a context
            has no words, the answer is "", its `score` -1,000,000 and its `null_odds` 1,000,000.
        """
        contexts, null_score, spans_of = self._search(question, context)
        spans = spans_of(k=1)
        places = self._places(spans, contexts)
        score = tf.maximum(spans.score[:, 0], -CERTAIN_ODDS)
        answers = {"answer": places.text[:, 0], "start_char": places.start[:, 0], "end_char": places.end[:, 0]}
        if self.null_answers:
            odds = self._null_odds(null_score, spans)
            answers = {name: tf.where(odds > self.threshold, _zero(value), value) for name, value in answers.items()}
            answers["null_odds"] = tf.cast(odds, tf.float32)
        return answers | {"score": tf.cast(score, tf.float32)}

    def n_best(self, question: tf.Tensor, context: tf.Tensor) -> Outputs:
        """Strings [B] to n different answers at most, the best first.

        Returns:
            `answers`, `start_chars`, `end_chars`, `scores` and `probabilities` [B, n], "" and 0 where there are fewer;
            `num_answers` [B]; and under v2.0 `null_odds` and `null_probability` [B]. Probabilities are those of
            `nbest_predictions.json`, with no answer among them.
        """
        contexts, null_score, spans_of = self._search(question, context)
        spans, places, different = self._find_different(spans_of, contexts)
        kept = self._n_best_of(different, spans, null_score)  # [B, k]
        scores = tf.where(kept, spans.score, NEVER)
        null = {}
        highest = tf.reduce_max(scores, axis=1)
        if self.null_answers:
            odds = self._null_odds(null_score, spans)
            highest = tf.maximum(highest, null_score)
        powers = tf.where(kept, tf.exp(scores - highest[:, tf.newaxis]), 0)
        total = tf.reduce_sum(powers, axis=1)
        if self.null_answers:
            null_power = tf.exp(null_score - highest)
            total += null_power
            null = {"null_odds": tf.cast(odds, tf.float32), "null_probability": tf.cast(null_power / total, tf.float32)}
        columns = {
            "answers": places.text,
            "start_chars": places.start,
            "end_chars": places.end,
            "scores": tf.cast(tf.where(kept, spans.score, 0), tf.float32),
            "probabilities": tf.cast(tf.math.divide_no_nan(powers, total[:, tf.newaxis]), tf.float32),
        }
        dense = {
            name: tf.ragged.boolean_mask(values, kept).to_tensor(shape=[None, self.n_best_size])
            for name, values in columns.items()
        }
        return dense | null | {"num_answers": tf.reduce_sum(tf.cast(kept, tf.int32), axis=1)}

    def _search(self, question: tf.Tensor, context: tf.Tensor) -> tuple[ContextTokens, tf.Tensor, Callable[..., Spans]]:
        """Contexts, the lowest score of no answer float64 [B], and what finds the k best spans."""
        contexts = tokenize_contexts(context, self.texts)
        query = self.texts.tokenize(question)
        windows = cut_windows(query, contexts, self.texts, self.doc_stride, self.max_query_length)
        logits = self.from_tokens(windows.inputs)
        start_logits, end_logits = logits["start_logits"], logits["end_logits"]
        at_cls = tf.cast(start_logits[:, 0], tf.float64) + tf.cast(end_logits[:, 0], tf.float64)  # [W]
        null_score = tf.math.unsorted_segment_min(at_cls, windows.question, contexts.ids.nrows())
        spans_of = functools.partial(
            best_spans,
            windows,
            start_logits,
            end_logits,
            n_best_size=self.n_best_size,
            max_answer_length=self.max_answer_length,
        )
        return contexts, tf.where(windows.counts > 0, null_score, 0), spans_of

    def _places(self, spans: Spans, contexts: ContextTokens) -> Places:
        """Texts and characters of spans [B, k]; "" at [0, 0) where there is none."""
        there = tf.where(spans.score > NEVER)  # [S, 2]
        first, last = tf.gather_nd(spans.first, there), tf.gather_nd(spans.last, there)
        found = locate(first, last, there[:, 0], contexts, self.texts.tokenize, self.vocabulary, self.letters)
        shape = tf.shape(spans.score, tf.int64)
        return Places(*(tf.scatter_nd(there, values, shape) for values in found))

    def _null_odds(self, null_score: tf.Tensor, spans: Spans) -> tf.Tensor:
        best = tf.reduce_max(spans.score, axis=1)  # Of an empty batch nothing was looked for.
        return tf.where(best > NEVER, null_score - best, tf.constant(CERTAIN_ODDS, tf.float64))

    def _find_different(
        self, spans_of: Callable[..., Spans], contexts: ContextTokens
    ) -> tuple[Spans, Places, tf.Tensor]:
        """The best spans, their places, and which are the first of their text, bool [B, k]: n of these if need be."""
        rows = contexts.ids.nrows()

        def too_few(k, spans, places, different):
            found = tf.reduce_sum(tf.cast(different, tf.int32), axis=1)
            more = tf.reduce_all(spans.score > NEVER, axis=1)
            return tf.reduce_any((found < self.n_best_size) & more)

        def look(k, spans, places, different):
            spans = spans_of(k=k)
            places = self._places(spans, contexts)
            return MORE * k, spans, places, _first_of_each(places.text) & (spans.score > NEVER)

        def nothing(*types):
            return [tf.zeros([rows, 0], dtype) for dtype in types]

        start = (
            CANDIDATES * self.n_best_size,
            Spans(*nothing(tf.float64, tf.int64, tf.int64)),
            Places(*nothing(tf.string, tf.int64, tf.int64)),
            *nothing(tf.bool),
        )
        shape = tf.TensorShape([None, None])
        shapes = (tf.TensorShape([]), Spans(shape, shape, shape), Places(shape, shape, shape), shape)
        return tf.while_loop(too_few, look, start, shape_invariants=shapes, maximum_iterations=ROUNDS)[1:]

    def _n_best_of(self, different: tf.Tensor, spans: Spans, null_score: tf.Tensor) -> tf.Tensor:
        """Which of different spans, bool [B, k], are the n best, no answer among them if it is better."""
        rank = tf.cumsum(tf.cast(different, tf.int32), axis=1, exclusive=True)
        if not self.null_answers:
            return different & (rank < self.n_best_size)
        better = tf.reduce_sum(tf.cast(different & (spans.score >= null_score[:, tf.newaxis]), tf.int32), axis=1)
        room = tf.where(better < self.n_best_size, self.n_best_size - 1, self.n_best_size)
        return different & (rank < room[:, tf.newaxis])


def _first_of_each(texts: tf.Tensor) -> tf.Tensor:
    """Where a text [B, k] stands for the first time in its row."""
    rows = tf.as_string(tf.range(tf.shape(texts)[0]))[:, tf.newaxis]
    texts = rows + " " + texts
    numbers = tf.range(tf.size(texts))
    _, which = tf.unique(tf.reshape(texts, [-1]))
    first = tf.math.unsorted_segment_min(numbers, which, tf.size(texts))
    return tf.reshape(tf.gather(first, which) == numbers, tf.shape(texts))


def _zero(values: tf.Tensor) -> tf.Tensor:
    return tf.fill(tf.shape(values), "") if values.dtype == tf.string else tf.zeros_like(values)
