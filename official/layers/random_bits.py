"""Random numbers by counting: the n-th number of a stream is a hash of n, so that any of them can be made at any time.

Philox, TensorFlow's own, is of this kind too, but takes ten rounds: a fifth of a training step on a CPU. Dropout needs
no more than masks that look independent from element to element and from stream to stream, which
tests/official/layers/test_random_bits.py measures: two rounds of a hash of 32 bits are enough, and XLA computes them
where the mask is used, without storing it.
"""

import tensorflow as tf


def random_bits(shape: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """uint32 numbers of a shape; each of the 2⁶⁴ values of `seed`, int32 [2], has a stream of its own.

    A stream repeats none of its 2³² numbers.
    """
    first, second = tf.unstack(tf.bitcast(seed, tf.uint32))
    start = _mixed(first + _mixed(second))
    key = _mixed(second ^ start)
    count = tf.bitcast(tf.reshape(tf.range(tf.reduce_prod(shape)), shape), tf.uint32)
    return _mixed(_mixed(count + start) ^ key)


def _mixed(x: tf.Tensor) -> tf.Tensor:
    """A permutation of uint32 in which each bit that goes in changes about half of those that come out.

    The constants are those of Chris Wellons's hash-prospector ("lowbias32"), found there by search.
    """
    x ^= tf.bitwise.right_shift(x, _uint32(16))
    x *= _uint32(0x7FEB_352D)
    x ^= tf.bitwise.right_shift(x, _uint32(15))
    x *= _uint32(0x846C_A68B)
    return x ^ tf.bitwise.right_shift(x, _uint32(16))


def _uint32(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint32)
