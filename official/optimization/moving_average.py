"""An exponential moving average of the weights, kept beside them."""

import contextlib
from collections.abc import Iterator, Mapping

import tensorflow as tf


class MovingAverage:
    """average ← decay · average + (1 − decay) · weight, after every step.

    Args:
        variables: the weights, by name.
        decay: near 1; the average then reaches back about 1 / (1 − decay) steps.
    """

    SLOT = "moving_average"

    def __init__(self, variables: Mapping[str, tf.Variable], decay: float):
        self.variables, self.decay = dict(variables), decay
        self.slots = {
            f"{name}/{self.SLOT}": tf.Variable(variable, trainable=False, name=self.SLOT)
            for name, variable in self.variables.items()
        }

    def start(self) -> None:
        """Starts from the weights as they are now."""
        for name, variable in self.variables.items():
            self.slots[f"{name}/{self.SLOT}"].assign(variable)

    def update(self, applied: tf.Tensor) -> None:
        """Takes in the weights of this step where `applied` (bool scalar); to be called in a replica."""
        tf.__internal__.distribute.interim.maybe_merge_call(self._update_all, tf.distribute.get_strategy(), applied)

    def _update_all(self, strategy, applied):
        share = tf.where(applied, tf.constant(1.0 - self.decay), 0.0)
        for name, variable in self.variables.items():
            slot = self.slots[f"{name}/{self.SLOT}"]
            strategy.extended.update(slot, _move, args=(variable, share), group=False)

    def replace_weights(self) -> None:
        """Gives the model the averages as its weights."""
        for name, variable in self.variables.items():
            variable.assign(self.slots[f"{name}/{self.SLOT}"])

    @contextlib.contextmanager
    def in_place_of_weights(self) -> Iterator[None]:
        """Within the block the model has the averages as its weights."""
        kept = {name: variable.numpy() for name, variable in self.variables.items()}
        self.replace_weights()
        try:
            yield
        finally:
            for name, variable in self.variables.items():
                variable.assign(kept[name])


def _move(average, weight, share):
    average.assign_add(share * (weight.value() - average.value()))
