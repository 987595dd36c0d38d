"""Next sentence prediction (Devlin et al. 2019, §3.1): does segment B follow segment A in the corpus?"""

import tensorflow as tf

from official.objectives.means import Measures, weighted_mean


def next_sentence_prediction(nsp_logits: tf.Tensor, next_sentence_labels: tf.Tensor) -> Measures:
    """Loss and accuracy (run_pretraining.py:285-305).

    Args:
        nsp_logits: float32 [B, 2].
        next_sentence_labels: int32 [B] or [B, 1]; 0 = B is the next segment, 1 = B is a random one.
    """
    return pair_prediction("next_sentence", nsp_logits, next_sentence_labels)


def pair_prediction(name: str, logits: tf.Tensor, labels: tf.Tensor) -> Measures:
    """Loss and accuracy of one of two answers, [B, 2], for each pair of segments: `name`_loss and `name`_accuracy."""
    labels = tf.reshape(labels, [-1])  # [B]
    example_loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)  # [B]
    correct = tf.cast(tf.argmax(logits, axis=-1, output_type=tf.int32) == labels, tf.float32)
    ones = tf.ones_like(example_loss)
    return Measures(
        losses={f"{name}_loss": weighted_mean(example_loss, ones)},
        metrics={f"{name}_accuracy": weighted_mean(correct, ones)},
    )
