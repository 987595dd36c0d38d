"""Loss scaling, without which small gradients are zero in float16 (Micikevicius et al. 2018, §3.2)."""

import tensorflow as tf

FIRST_SCALE = 2.0**15
STEPS_TO_GROW = 2_000
HALVINGS = 16  # In a row, after which the scale would be below 1: what is not finite then is not its fault.


class LossScale:
    """What the loss is multiplied by: halved after a gradient that is not finite, doubled after 2,000 that are.

    Attributes:
        slots: its variables, for a checkpoint.
    """

    def __init__(self):
        self.slots = {
            "loss_scale": tf.Variable(FIRST_SCALE, trainable=False, name="loss_scale"),
            "good_steps": tf.Variable(0, dtype=tf.int32, trainable=False, name="good_steps"),
        }

    def value(self) -> tf.Tensor:
        """float32 scalar."""
        return self.slots["loss_scale"].read_value()

    def update(self, finite: tf.Tensor) -> None:
        """Takes notice of a step; to be called outside of the replicas."""
        scale, good_steps = self.value(), self.slots["good_steps"].read_value() + 1
        grown = tf.where(good_steps >= STEPS_TO_GROW, scale * 2.0, scale)
        self.slots["loss_scale"].assign(tf.where(finite, grown, tf.maximum(scale / 2.0, 1.0)))
        self.slots["good_steps"].assign(tf.where(finite & (good_steps < STEPS_TO_GROW), good_steps, 0))
