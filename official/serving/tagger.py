"""A label for each word of a sentence of any length."""

import keras
import tensorflow as tf

from official.errors import InputError
from official.serving.servable import DEFAULT, Outputs, Request, Servable, Signature, text_specs
from official.serving.text_inputs import Inputs
from official.serving.word_windows import cut_windows
from official.tokenization.tokenizer import Tokenizer

TEXT = ("text",)
WORDS = "serving_words"
# What Python's str.split parts at, as run_ner.py does with lines that are typed.
WHITE_SPACE = r"[\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+"


class Tagger(Servable):
    """A model with the head `token_classification`.

    Args:
        model, tokenizer, max_seq_length: as in `Servable`; of a window.
        doc_stride: as in run_ner.py; by default half a window.
    """

    kind = "tagger"
    of_tokens = frozenset({"logits"})

    def __init__(self, model: keras.Model, tokenizer: Tokenizer, max_seq_length: int, *, doc_stride: int | None = None):
        super().__init__(model, tokenizer, max_seq_length)
        room = max_seq_length - 2
        self.doc_stride = max(1, room // 2) if doc_stride is None else doc_stride
        if self.doc_stride > room:
            raise InputError(f"--doc_stride is {doc_stride}: at most {room} was expected, which is what a window holds")
        self.labels, self.unk_id = model.labels, tokenizer.unk_id

    def signatures(self) -> dict[str, Signature]:
        words = tf.TensorSpec([None, None], tf.string, "words")
        return {
            DEFAULT: Signature(
                function=self.from_texts, inputs=text_specs(TEXT), sample=lambda rows: self.sample_texts(TEXT, rows)
            ),
            WORDS: Signature(function=self.from_words, inputs=[words], sample=self.sample_words),
        } | self.token_signatures()

    def sample_words(self, rows: int) -> Request:
        """Sentences of words, filled up with ""."""
        texts = tf.constant(self.sample_texts(TEXT, rows)["text"])
        return {"words": tf.strings.split(texts).to_tensor().numpy()}

    def from_texts(self, text: tf.Tensor) -> Outputs:
        """Strings [B], parted at white space, to what `from_words` answers, and `words` [B, D]."""
        text = tf.strings.unicode_transcode(text, "UTF-8", "UTF-8", errors="ignore")
        words = tf.strings.split(tf.strings.regex_replace(text, WHITE_SPACE, " "))
        return {"words": words.to_tensor()} | self._label(words)

    def from_words(self, words: tf.Tensor) -> Outputs:
        """Words [B, D], shorter sentences filled up with "", to labels.

        Returns:
            `labels` and `probabilities` (of that label) [B, D], "" and 0 behind a sentence's end; `num_words` [B].
        """
        count = tf.reduce_max(tf.where(words != "", 1 + tf.range(tf.shape(words)[1]), 0), axis=1)
        answers = self._label(tf.RaggedTensor.from_tensor(words, lengths=tf.maximum(count, 0)))
        width = tf.shape(words)[1]
        missing = [[0, 0], [0, width - tf.shape(answers["labels"])[1]]]
        return {name: value if name == "num_words" else tf.pad(value, missing) for name, value in answers.items()}

    def from_tokens(self, inputs: Inputs) -> Outputs:
        """`logits` [B, T, labels], 0 at padding."""
        return self.run(inputs, "logits")

    def _label(self, words: tf.RaggedTensor) -> Outputs:
        words = words.with_row_splits_dtype(tf.int64)
        windows = cut_windows(words, self.texts, self.doc_stride, self.unk_id)
        logits = tf.gather_nd(self.from_tokens(windows.inputs)["logits"], windows.place)  # [words, labels]
        best = tf.gather(tf.constant(self.labels), tf.argmax(logits, axis=-1))
        return {
            "labels": words.with_values(best).to_tensor(),
            "probabilities": words.with_values(tf.reduce_max(tf.nn.softmax(logits), axis=-1)).to_tensor(),
            "num_words": tf.cast(words.row_lengths(), tf.int32),
        }
