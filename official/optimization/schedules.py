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
        decayed = self.learning_rate * self._left(step)
        if not self.num_warmup_steps:
            return decayed
        return self._warmed_up(step, decayed)

    def _left(self, step):
        """The share of the steps that is still to come."""
        done = tf.cast(tf.minimum(step, self.num_train_steps), tf.float32)
        return 1.0 - done / float(self.num_train_steps)

    def _warmth(self, step):
        """How much of the warm-up is over: above 1 when it is."""
        return tf.cast(step, tf.float32) / float(self.num_warmup_steps)

    def _warmed_up(self, step, decayed):
        return tf.where(step < self.num_warmup_steps, self.learning_rate * self._warmth(step), decayed)


class LinearDecayTimesWarmup(LinearDecayWithWarmup):
    """ELECTRA's: the same decay, times a factor that rises to 1 in the warm-up (model/optimization.py:36-47)."""

    def _warmed_up(self, step, decayed):
        return decayed * tf.minimum(1.0, self._warmth(step))


class LinearDecayAfterWarmup(LinearDecayWithWarmup):
    """RoBERTa's: up to the peak in the warm-up, and from there down to 0 (fairseq, polynomial_decay_schedule.py)."""

    def _left(self, step):
        to_come = tf.cast(self.num_train_steps - tf.minimum(step, self.num_train_steps), tf.float32)
        return to_come / float(max(1, self.num_train_steps - self.num_warmup_steps))
