"""A label for each word, at its first piece (Devlin et al. 2019, §5.3)."""

import tensorflow as tf

from official.objectives.means import Measures, weighted_mean

NO_TOKEN = 1e-9  # A batch may have no labelled token at all: only windows that repeat others.


def token_classification(model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
    """Mean cross-entropy over the tokens that have a label.

    Args:
        model: called with the batch, answers with `logits` [B, T, labels].
        batch: with `token_labels` int32 [B, T], negative where a token has none.
        training: whether dropout is active.
    """
    logits, labels = model(batch, training=training)["logits"], batch["token_labels"]
    counted = tf.cast(labels >= 0, tf.float32)  # [B, T]
    labels = tf.maximum(labels, 0)
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)  # [B, T]
    correct = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == labels, tf.float32)
    return Measures(
        losses={"loss": weighted_mean(loss, counted, NO_TOKEN)},
        metrics={"accuracy": weighted_mean(correct, counted)},
    )
