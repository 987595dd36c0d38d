"""Classes, grades or choices of whole texts (Devlin et al. 2019, §4.1)."""

import dataclasses
from collections.abc import Sequence

import tensorflow as tf

from official.objectives.means import Measures, weighted_mean


@dataclasses.dataclass(frozen=True)
class Classification:
    """Cross-entropy of one label a text (run_classifier.py:604-620).

    Attributes:
        class_weights: what an example of each class counts; by default all the same.
        choices: so many rows are one example, and each row's one logit says how likely it is the right one (SWAG).
    """

    class_weights: Sequence[float] | None = None
    choices: int = 1

    def __call__(self, model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
        """`label_ids` int32 [B]."""
        logits, labels = model(batch, training=training)["logits"], batch["label_ids"]
        if self.choices > 1:
            logits = tf.reshape(logits, [-1, self.choices])  # [B, choices]
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)  # [B]
        correct = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == labels, tf.float32)
        ones = tf.ones_like(loss)
        weights = ones if self.class_weights is None else tf.gather(tf.constant(self.class_weights), labels)
        return Measures(
            losses={"loss": weighted_mean(loss, weights)}, metrics={"accuracy": weighted_mean(correct, ones)}
        )


class MultiLabelClassification:
    """Any number of labels a text: a binary cross-entropy for each."""

    def __call__(self, model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
        """`label_ids` float32 [B, labels], 1 for those that apply."""
        logits, labels = model(batch, training=training)["logits"], batch["label_ids"]
        loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)  # [B, labels]
        correct = tf.cast((logits > 0) == (labels > 0.5), tf.float32)
        ones = tf.ones_like(loss)
        return Measures(losses={"loss": weighted_mean(loss, ones)}, metrics={"accuracy": weighted_mean(correct, ones)})


class Regression:
    """The squared error of one number a text."""

    def __call__(self, model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
        """`label_ids` float32 [B]."""
        values = model(batch, training=training)["logits"][:, 0]  # [B]
        error = values - batch["label_ids"]
        ones = tf.ones_like(error)
        return Measures(
            losses={"loss": weighted_mean(tf.square(error), ones)},
            metrics={"absolute_error": weighted_mean(tf.abs(error), ones)},
        )
