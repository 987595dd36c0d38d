"""Learning rates as functions of the step."""

import dataclasses

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class LinearDecayWithWarmup:
    """The published schedule (optimization.py:32-54).

    The rate decays linearly from `learning_rate` at step 0 to 0 at `num_train_steps`; while step < `num_warmup_steps`
    it is `learning_rate · step / num_warmup_steps` instead. So it jumps down at the end of the warm-up, by the share
    num_warmup_steps / num_train_steps that the decay has meanwhile come.
    """

    learning_rate: float
    num_train_steps: int
    num_warmup_steps: int = 0

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """The rate (float32 scalar) of the update that takes `step` (integer scalar, from 0) to step + 1."""
        peak = tf.constant(self.learning_rate, tf.float32)
        done = tf.cast(tf.minimum(step, self.num_train_steps), tf.float32)
        decayed = peak * (1.0 - done / float(self.num_train_steps))
        if not self.num_warmup_steps:
            return decayed
        warming_up = peak * (tf.cast(step, tf.float32) / float(self.num_warmup_steps))
        return tf.where(step < self.num_warmup_steps, warming_up, decayed)
