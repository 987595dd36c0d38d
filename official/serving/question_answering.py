"""Questions on texts of any length: windows, search and answers are all in the graph."""

import keras
import tensorflow as tf

from official.errors import InputError
from official.serving.answer_spans import NEVER, Places, Spans, best_spans, locate
from official.serving.context_windows import ContextTokens, Windows, cut_windows, tokenize_contexts
from official.serving.servable import DEFAULT, Outputs, Request, Servable, Signature, text_specs
from official.serving.text_inputs import Inputs
from official.tasks.squad.squad_answers import CERTAIN_ODDS
from official.tokenization.wordpiece import WordPieceTokenizer

TEXTS = ("question", "context")
N_BEST = "n_best"
CANDIDATES = 5  # Times n_best_size: spans whose texts are compared, to find so many different ones.


class QuestionAnswering(Servable):
    """A model with the head `question_answering`; the search is that of run_squad.py, and its parameters.

    Args:
        model, tokenizer, max_seq_length: as in `Servable`; of a window.
        doc_stride, max_query_length, n_best_size, max_answer_length: in tokens.
        version_2_with_negative: whether "" is an answer.
        null_score_diff_threshold: "" is given where the odds of it are above this.
    """

    kind = "question_answering"
    of_tokens = frozenset({"start_logits", "end_logits"})

    def __init__(
        self,
        model: keras.Model,
        tokenizer: WordPieceTokenizer,
        max_seq_length: int,
        *,
        doc_stride: int = 128,
        max_query_length: int = 64,
        n_best_size: int = 20,
        max_answer_length: int = 30,
        version_2_with_negative: bool = False,
        null_score_diff_threshold: float = 0.0,
    ):
        if max_seq_length <= max_query_length + 3:
            raise InputError(
                f"--max_seq_length is {max_seq_length}: more than --max_query_length + 3, {max_query_length + 3}, was "
                "expected"
            )
        super().__init__(model, tokenizer, max_seq_length)
        self.doc_stride, self.max_query_length = doc_stride, max_query_length
        self.n_best_size, self.max_answer_length = n_best_size, max_answer_length
        self.null_answers, self.threshold = version_2_with_negative, null_score_diff_threshold
        self.vocabulary = tf.constant(tokenizer.tokens)

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
        return self.run(inputs, "start_logits", "end_logits")

    def from_texts(self, question: tf.Tensor, context: tf.Tensor) -> Outputs:
        """Strings [B] to the best answer.

        Returns:
            `answer` [B], a part of its context, white space aside; `start_char` and `end_char`, the characters
            [start, end) of the context, int64 [B]; `score` [B], the sum of its logits; and under v2.0 `null_odds` [B],
            by how much no answer is better: above the threshold, `answer` is "" and stands at [0, 0). Where a context
            has no words, the answer is "", its score and the odds against it -1,000,000.
        """
        windows, contexts, null_score, spans = self._search(question, context, k=1)
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
        _, contexts, null_score, spans = self._search(question, context, k=CANDIDATES * self.n_best_size)
        places = self._places(spans, contexts)
        kept = self._first_of_each_text(spans, places, null_score)  # [B, k]
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

    def _search(
        self, question: tf.Tensor, context: tf.Tensor, k: int
    ) -> tuple[Windows, ContextTokens, tf.Tensor, Spans]:
        """Windows, contexts, the lowest score of no answer float64 [B], and the k best spans."""
        contexts = tokenize_contexts(context, self.texts)
        query = self.texts.tokenize(question)
        windows = cut_windows(query, contexts, self.texts, self.doc_stride, self.max_query_length)
        logits = self.from_tokens(windows.inputs)
        start_logits, end_logits = logits["start_logits"], logits["end_logits"]
        at_cls = tf.cast(start_logits[:, 0], tf.float64) + tf.cast(end_logits[:, 0], tf.float64)  # [W]
        null_score = tf.math.unsorted_segment_min(at_cls, windows.question, contexts.ids.nrows())
        spans = best_spans(
            windows,
            start_logits,
            end_logits,
            k=k,
            n_best_size=self.n_best_size,
            max_answer_length=self.max_answer_length,
        )
        return windows, contexts, tf.where(windows.counts > 0, null_score, 0), spans

    def _places(self, spans: Spans, contexts: ContextTokens) -> Places:
        """Texts and characters of spans [B, k]; "" at [0, 0) where there is none."""
        there = tf.where(spans.score > NEVER)  # [S, 2]
        first, last = tf.gather_nd(spans.first, there), tf.gather_nd(spans.last, there)
        found = locate(first, last, there[:, 0], contexts, self.texts.tokenize, self.vocabulary)
        shape = tf.shape(spans.score, tf.int64)
        return Places(*(tf.scatter_nd(there, values, shape) for values in found))

    def _null_odds(self, null_score: tf.Tensor, spans: Spans) -> tf.Tensor:
        best = spans.score[:, 0]
        return tf.where(best > NEVER, null_score - best, tf.constant(CERTAIN_ODDS, tf.float64))

    def _first_of_each_text(self, spans: Spans, places: Places, null_score: tf.Tensor) -> tf.Tensor:
        """Which spans, bool [B, k], are among the n best of different texts, no answer among them if it is better."""
        text, number = places.text, tf.range(tf.shape(places.text)[1])
        same = text[:, :, tf.newaxis] == text[:, tf.newaxis, :]  # [B, k, k]
        seen_before = tf.reduce_any(same & (number[:, tf.newaxis] > number), axis=2)
        different = (spans.score > NEVER) & ~seen_before
        rank = tf.cumsum(tf.cast(different, tf.int32), axis=1, exclusive=True)
        if not self.null_answers:
            return different & (rank < self.n_best_size)
        better = tf.reduce_sum(tf.cast(different & (spans.score >= null_score[:, tf.newaxis]), tf.int32), axis=1)
        room = tf.where(better < self.n_best_size, self.n_best_size - 1, self.n_best_size)
        return different & (rank < room[:, tf.newaxis])


def _zero(values: tf.Tensor) -> tf.Tensor:
    return tf.fill(tf.shape(values), "") if values.dtype == tf.string else tf.zeros_like(values)
