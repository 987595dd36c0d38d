"""The words that a pretrained model puts in the place of [MASK]."""

import keras
import tensorflow as tf

from official.serving.servable import DEFAULT, Outputs, Request, Servable, Signature, text_specs
from official.serving.text_inputs import Inputs
from official.tokenization.tokenizer import Tokenizer

TEXT = ("text",)
POSITIONS = "masked_lm_positions"


class FillMask(Servable):
    """A model with the head `mlm`.

    Args:
        model, tokenizer, max_seq_length: as in `Servable`; the tokenizer has [MASK].
        top_k: so many guesses for each.
    """

    kind = "fill_mask"
    model_outputs = ("mlm_logits",)

    def __init__(self, model: keras.Model, tokenizer: Tokenizer, max_seq_length: int, *, top_k: int = 5):
        super().__init__(model, tokenizer, max_seq_length)
        self.tokens, self.mask_id, self.top_k = tokenizer.tokens, tokenizer.mask_id, top_k

    def other_inputs(self) -> tuple[str, ...]:
        return (POSITIONS,)

    def signatures(self) -> dict[str, Signature]:
        texts = Signature(function=self.from_texts, inputs=text_specs(TEXT), sample=self.sample_sentences)
        return {DEFAULT: texts} | self.token_signatures() | self.tokenize_signature(TEXT)

    def sample_sentences(self, rows: int) -> Request:
        """Texts that begin with [MASK]."""
        mask = self.tokens[self.mask_id].encode()
        return {name: mask + b" " + texts for name, texts in self.sample_texts(TEXT, rows).items()}

    def sample_tokens(self, rows: int) -> Request:
        inputs = super().sample_tokens(rows)
        return inputs | {POSITIONS: inputs["input_mask"][:, :1]}

    def from_texts(self, text: tf.Tensor) -> Outputs:
        """Strings [B] with M [MASK] at most, to guesses for each, the likeliest first.

        Returns:
            `tokens` and `probabilities` [B, M, top_k], "" and 0 where a text has fewer; `num_masks` [B].
        """
        inputs = self.texts(text)
        is_mask = inputs["input_ids"] == self.mask_id
        count = tf.reduce_sum(tf.cast(is_mask, tf.int32), axis=1)  # [B]
        places = tf.cast(tf.where(is_mask)[:, 1], tf.int32)
        positions = tf.RaggedTensor.from_row_lengths(places, count, validate=False).to_tensor()  # [B, M]
        guesses = self.from_tokens(inputs | {POSITIONS: positions})
        present = tf.sequence_mask(count, tf.shape(positions)[1])[:, :, tf.newaxis]
        return {
            "tokens": tf.where(present, guesses["tokens"], ""),
            "probabilities": tf.where(present, guesses["probabilities"], 0.0),
            "num_masks": count,
        }

    def from_tokens(self, inputs: Inputs) -> Outputs:
        """`tokens`, `token_ids` and `probabilities` [B, P, top_k] at `masked_lm_positions` [B, P]."""
        probabilities = tf.nn.softmax(self.run(inputs, "mlm_logits")["mlm_logits"])  # [B, P, V]
        best, token_ids = tf.math.top_k(probabilities, self.top_k)
        return {"tokens": tf.gather(tf.constant(self.tokens), token_ids), "token_ids": token_ids, "probabilities": best}
