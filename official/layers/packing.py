"""Several examples in a row, each of which attends to itself alone (Krell et al. 2021, arXiv:2107.02027, §3.2)."""

from collections.abc import Mapping
from typing import NamedTuple

import tensorflow as tf

from official.layers.attention import MASKED_OUT


class Packing(NamedTuple):
    """Where the B examples of a batch are in its R rows.

    examples: int32 [R, L], the number of each token's example in its batch, from 1; 0 for padding.
    positions: int32 [R, L], of each token within its example, from 0.
    places: int32 [B, T], where in all R · L tokens each token of each example is; anything for what is behind its end.
    """

    examples: tf.Tensor
    positions: tf.Tensor
    places: tf.Tensor

    @classmethod
    def of(cls, inputs: Mapping[str, tf.Tensor]) -> "Packing | None":
        """That of a model's inputs: `packed_examples`, `packed_positions` and `packed_places`, if they have these."""
        if "packed_places" not in inputs:
            return None
        return cls(*(inputs[f"packed_{field}"] for field in cls._fields))

    def attention_bias(self) -> tf.Tensor:
        """What is added to the scores so that nobody attends to another example: float32 [R, 1, L, L], 0 or −10000."""
        is_other = tf.expand_dims(self.examples, 1) != tf.expand_dims(self.examples, 2)  # [R, L, L]
        return tf.expand_dims(tf.cast(is_other, tf.float32), 1) * MASKED_OUT

    def unpacked(self, states: tf.Tensor) -> tf.Tensor:
        """The states of each example in a row of its own: [R, L, H] → [B, T, H]."""
        flat = tf.reshape(states, [-1, states.shape[-1]])  # [R·L, H]
        return tf.gather(flat, self.places)  # [B, T, H]
