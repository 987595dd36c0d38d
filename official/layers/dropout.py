"""Dropout whose masks depend on nothing but a seed: the same step, layer and replica always draw the same mask.

So a run that is resumed drops what the uninterrupted one would have dropped, and a block that is recomputed in the
backward pass sees the mask of its forward pass.
"""

import zlib
from contextlib import AbstractContextManager
from typing import NamedTuple

import keras
import tensorflow as tf

from official.layers.fusion import block
from official.layers.random_bits import random_bits
from official.layers.tracing import Setting

GENERATORS = ("counter", "philox")
_seed = Setting(None)


class DropoutSeed(NamedTuple):
    """What masks are drawn from.

    value: int32 [2], different for each training step and replica.
    generator: one of `GENERATORS`: `random_bits`, or TensorFlow's own, which draws others where it is compiled.
    """

    value: tf.Tensor
    generator: str = "philox"

    def fold(self, number: int) -> "DropoutSeed":
        """Another one for each `number`, for layers that come more than once."""
        far = tf.constant([0, (number * 0x9E37_79B1) % 2**32 - 2**31], tf.int32)  # From one number to the next.
        return self._replace(value=tf.bitwise.bitwise_xor(self.value, far))


def dropout_seed(seed: DropoutSeed | None) -> AbstractContextManager[None]:
    """Within the block, all dropout draws from `seed`, each layer from a stream of its own."""
    return _seed.set_to(seed)


def current_dropout_seed() -> DropoutSeed | None:
    """That of the `dropout_seed` block in which this is called."""
    return _seed.value


class Dropout(keras.layers.Layer):
    """Zeroes a share `rate` of its input's elements and scales the others by 1 / (1 − rate), in training only."""

    def __init__(self, rate: float, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def build(self, input_shape=None):
        path = self.path.split("/", 1)[-1]  # Without the model's own name, which Keras numbers.
        self.stream = zlib.crc32(path.encode()) & 0x7FFFFFFF

    def call(self, x, training=False):
        seed, how = self.draw(training)
        return dropped(x, *seed, **how) if seed else x

    def draw(self, training: bool) -> tuple[tuple[tf.Tensor, ...], dict]:
        """What `drop` is given beside its input, for a block that drops among other things; nothing where none is."""
        if not training or not self.rate:
            return (), {}
        outer = current_dropout_seed() or DropoutSeed(tf.random.uniform([2], maxval=2**31 - 1, dtype=tf.int32))
        seed = tf.bitwise.bitwise_xor(outer.value, tf.constant([self.stream, 0], tf.int32))
        return (seed,), {"rate": self.rate, "generator": outer.generator}


def drop(x: tf.Tensor, seed: tf.Tensor | None = None, *, rate: float = 0.0, generator: str = "philox") -> tf.Tensor:
    """Zeroes a share `rate` of the elements of `x`, and scales the others by 1 / (1 − rate); without a seed, none."""
    if seed is None:
        return x
    if generator == "philox":
        return tf.nn.experimental.stateless_dropout(x, rate, seed, rng_alg="philox")
    kept = random_bits(tf.shape(x), seed) >= tf.constant(round(rate * 2**32), tf.uint32)
    return tf.where(kept, x * (1.0 / (1.0 - rate)), tf.zeros_like(x))


dropped = block(drop)
