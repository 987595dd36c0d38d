"""Dropout whose masks depend on nothing but a seed: the same step, layer and replica always draw the same mask.

So a run that is resumed drops what the uninterrupted one would have dropped, and a block that is recomputed in the
backward pass sees the mask of its forward pass.
"""

import contextlib
import threading
import zlib
from collections.abc import Iterator

import keras
import tensorflow as tf

_active = threading.local()  # MirroredStrategy traces each replica in a thread of its own.


@contextlib.contextmanager
def dropout_seed(seed: tf.Tensor) -> Iterator[None]:
    """Within the block, all dropout draws from `seed`, each layer from a stream of its own.

    Args:
        seed: int32 [2], different for each training step and replica.
    """
    outer = getattr(_active, "seed", None)
    _active.seed = seed
    try:
        yield
    finally:
        _active.seed = outer


def current_dropout_seed() -> tf.Tensor | None:
    """That of the `dropout_seed` block in which this is called."""
    return getattr(_active, "seed", None)


class Dropout(keras.layers.Layer):
    """Zeroes a share `rate` of its input's elements and scales the others by 1 / (1 − rate), in training only."""

    def __init__(self, rate: float, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def build(self, input_shape=None):
        path = self.path.split("/", 1)[-1]  # Without the model's own name, which Keras numbers.
        self.stream = zlib.crc32(path.encode()) & 0x7FFFFFFF

    def call(self, x, training=False):
        if not training or not self.rate:
            return x
        seed = current_dropout_seed()
        if seed is None:
            return tf.nn.dropout(x, self.rate)
        seed = tf.bitwise.bitwise_xor(seed, tf.constant([self.stream, 0], tf.int32))
        return tf.nn.experimental.stateless_dropout(x, self.rate, seed, rng_alg="philox")
