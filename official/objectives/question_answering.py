"""Where an answer starts and ends (Devlin et al. 2019, §4.2)."""

import tensorflow as tf

from official.objectives.means import Measures, weighted_mean


def question_answering(model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
    """The mean of two cross-entropies over positions (run_squad.py:645-660); padding competes too, as published.

    Args:
        model: called with the batch, answers with `start_logits` and `end_logits` [B, T].
        batch: with `start_positions` and `end_positions` int32 [B]; 0, [CLS], where there is no answer.
        training: whether dropout is active.
    """
    outputs = model(batch, training=training)
    losses, right = [], True
    for side in ("start", "end"):
        logits, positions = outputs[f"{side}_logits"], batch[f"{side}_positions"]
        losses.append(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=positions, logits=logits))  # [B]
        right = right & (tf.argmax(logits, axis=-1, output_type=tf.int32) == positions)
    loss = (losses[0] + losses[1]) / 2
    ones = tf.ones_like(loss)
    return Measures(
        losses={"loss": weighted_mean(loss, ones)},
        metrics={"exact": weighted_mean(tf.cast(right, tf.float32), ones)},
    )
