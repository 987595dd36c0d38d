"""Texts to vectors, with an encoder that no task has been put on."""

import keras
import tensorflow as tf

from official.serving.servable import DEFAULT, Outputs, Servable, Signature, text_specs
from official.serving.text_inputs import Inputs
from official.tokenization.tokenizer import Tokenizer

TOKEN_EMBEDDINGS = "token_embeddings"
TEXT = ("text",)


class Encoder(Servable):
    """A vector a text, and on request one a token.

    Args:
        model, tokenizer, max_seq_length: as in `Servable`.
        normalize: whether `mean_output` has length 1, as sentence-transformers' models are used.
    """

    kind = "encoder"
    of_tokens = frozenset({"sequence_output"})

    def __init__(self, model: keras.Model, tokenizer: Tokenizer, max_seq_length: int, *, normalize: bool = False):
        super().__init__(model, tokenizer, max_seq_length)
        self.normalize = normalize
        self.model_outputs = ("sequence_output",) + ("pooled_output",) * (model.encoder.pooler is not None)
        self.tokens = tokenizer.tokens

    def signatures(self) -> dict[str, Signature]:
        def sample(rows):
            return self.sample_texts(TEXT, rows)

        return (
            {
                DEFAULT: Signature(function=self.from_texts, inputs=text_specs(TEXT), sample=sample),
                TOKEN_EMBEDDINGS: Signature(function=self.tokens_of_texts, inputs=text_specs(TEXT), sample=sample),
            }
            | self.token_signatures()
            | self.tokenize_signature(TEXT)
        )

    def from_texts(self, text: tf.Tensor) -> Outputs:
        """Strings [B] to vectors [B, H]: `mean_output` over tokens, [CLS] and [SEP] among them, and `pooled_output`."""
        return self._vectors(self.texts(text))[0]

    def tokens_of_texts(self, text: tf.Tensor) -> Outputs:
        """Strings [B] to `tokens` [B, T], "" at padding, and their `embeddings` [B, T, H]."""
        inputs = self.texts(text)
        names = tf.where(inputs["input_mask"] > 0, tf.gather(tf.constant(self.tokens), inputs["input_ids"]), "")
        return {"tokens": names, "embeddings": self.run(inputs, "sequence_output")["sequence_output"]}

    def from_tokens(self, inputs: Inputs) -> Outputs:
        """As `from_texts`, and `sequence_output` [B, T, H] too, 0 at padding."""
        vectors, states = self._vectors(inputs)
        return vectors | {"sequence_output": states}

    def _vectors(self, inputs: Inputs) -> tuple[Outputs, tf.Tensor]:
        outputs = self.run(inputs, *self.model_outputs)
        states = outputs.pop("sequence_output")  # [B, T, H], 0 at padding
        count = tf.reduce_sum(inputs["input_mask"], axis=1, keepdims=True)
        mean = tf.math.divide_no_nan(tf.reduce_sum(states, axis=1), tf.cast(count, states.dtype))  # [B, H]
        return outputs | {"mean_output": tf.math.l2_normalize(mean, axis=-1) if self.normalize else mean}, states
