"""Sentences, and pairs of them, to classes or to a number: the shapes of the paper's figure 4 (a) and (b)."""

import keras
import tensorflow as tf

from official.serving.servable import (
    API_INPUTS,
    CLASSIFY,
    DEFAULT,
    REGRESS,
    Outputs,
    Request,
    Servable,
    Signature,
    as_examples,
    text_specs,
)
from official.serving.text_inputs import Inputs, parse_texts
from official.tokenization.tokenizer import Tokenizer

SINGLE, MULTI, REGRESSION = "single", "multi", "regression"
THRESHOLD = 0.5  # Of the probability from which on one of several labels is given.


class Classifier(Servable):
    """A model with the head `sequence_classification`.

    Args:
        model, tokenizer, max_seq_length: as in `Servable`.
        pairs: whether it reads two texts.
        label_type: SINGLE, MULTI or REGRESSION.
    """

    kind = "classifier"

    def __init__(
        self,
        model: keras.Model,
        tokenizer: Tokenizer,
        max_seq_length: int,
        *,
        pairs: bool = False,
        label_type: str = SINGLE,
    ):
        super().__init__(model, tokenizer, max_seq_length)
        self.labels, self.label_type = model.labels, label_type
        self.text_names = ("text_a", "text_b") if pairs else ("text",)

    def signatures(self) -> dict[str, Signature]:
        texts = Signature(
            function=self.from_texts, inputs=text_specs(self.text_names), sample=self.sample_texts_of_rows
        )
        api = {"regress": REGRESS} if self.label_type == REGRESSION else {"classify": CLASSIFY}
        records = {
            name: Signature(
                function=self.from_records,
                inputs=[tf.TensorSpec([None], tf.string, API_INPUTS)],
                sample=lambda rows: {API_INPUTS: as_examples(self.sample_texts_of_rows(rows))},
                method=method,
            )
            for name, method in api.items()
        }
        return {DEFAULT: texts} | records | self.token_signatures() | self.tokenize_signature(self.text_names)

    def sample_texts_of_rows(self, rows: int) -> Request:
        """Texts under the names that this one reads."""
        return self.sample_texts(self.text_names, rows)

    def from_texts(self, *texts: tf.Tensor) -> Outputs:
        """Strings [B], one a name in `text_names`, to what `from_tokens` answers."""
        return self.from_tokens(self.texts(*texts))

    def from_tokens(self, inputs: Inputs) -> Outputs:
        """`score` [B]; or `probabilities` and `logits` [B, labels] with `label` [B], or `predicted` [B, labels]."""
        logits = self.run(inputs, "logits")["logits"]
        if self.label_type == REGRESSION:
            return {"score": logits[:, 0]}
        if self.label_type == MULTI:
            probabilities = tf.sigmoid(logits)
            return {"probabilities": probabilities, "logits": logits, "predicted": probabilities > THRESHOLD}
        label = tf.gather(tf.constant(self.labels), tf.argmax(logits, axis=-1))
        return {"probabilities": tf.nn.softmax(logits), "logits": logits, "label": label}

    def from_records(self, serialized: tf.Tensor) -> Outputs:
        """Records with texts under the names in `text_names`, to what the API asks for (classifier.cc:163-183)."""
        answers = self.from_texts(*parse_texts(serialized, self.text_names))
        if self.label_type == REGRESSION:
            return {"outputs": answers["score"]}
        scores = answers["probabilities"]
        return {"classes": tf.broadcast_to(tf.constant(self.labels), tf.shape(scores)), "scores": scores}


class MultipleChoice(Servable):
    """A model that gives each choice a number, and the most likely of a row is chosen (SWAG, §4.4)."""

    kind = "multiple_choice"
    text_names = ("text_a", "choices")

    def signatures(self) -> dict[str, Signature]:
        specs = [tf.TensorSpec([None], tf.string, "text_a"), tf.TensorSpec([None, None], tf.string, "choices")]
        texts = Signature(function=self.from_texts, inputs=specs, sample=self.sample_choices)
        return {DEFAULT: texts} | self.token_signatures()

    def sample_choices(self, rows: int) -> Request:
        """Two choices a row."""
        texts = self.sample_texts(self.text_names, rows)
        return texts | {"choices": texts["choices"].repeat(2).reshape(rows, 2)}

    def from_texts(self, text_a: tf.Tensor, choices: tf.Tensor) -> Outputs:
        """Strings [B] and [B, C] to `choice` [B], counted from 0, `probabilities` and `logits` [B, C]."""
        shape = tf.shape(choices)
        inputs = self.texts(tf.repeat(text_a, shape[1]), tf.reshape(choices, [-1]))
        logits = tf.reshape(self.run(inputs, "logits")["logits"], shape)
        choice = tf.argmax(logits, axis=-1, output_type=tf.int32)
        return {"choice": choice, "probabilities": tf.nn.softmax(logits), "logits": logits}

    def from_tokens(self, inputs: Inputs) -> Outputs:
        """`logits` [B], of each pair by itself."""
        return {"logits": self.run(inputs, "logits")["logits"][:, 0]}
