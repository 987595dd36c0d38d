"""Sums within compiled blocks, as products with ones.

On a CPU, XLA first writes to memory what it is to add up, and then adds it in groups of 32; a product with ones reads
it once. Outside of compiled blocks these are the plain operations.
"""

import tensorflow as tf

from official.layers.fusion import is_in_compiled_block


def mean_of_last_axis(x: tf.Tensor) -> tf.Tensor:
    """float32 [..., H] → [..., 1]."""
    if not is_in_compiled_block():
        return tf.reduce_mean(x, axis=-1, keepdims=True)
    return _sum_of_last_axis(x) / x.shape[-1]


def softmax(x: tf.Tensor) -> tf.Tensor:
    """Over the last axis, float32 [..., H]."""
    return _softmax(x) if is_in_compiled_block() else tf.nn.softmax(x)


@tf.custom_gradient
def _softmax(x):
    probs = tf.nn.softmax(x)

    def gradient(upstream):
        return probs * (upstream - _sum_of_last_axis(upstream * probs))

    return probs, gradient


def scale_and_shift(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) -> tf.Tensor:
    """x·γ + β: float32 [..., H] and twice [H] → [..., H]."""
    if not is_in_compiled_block():
        return x * gamma + beta
    return _scale_and_shift(x, gamma, beta)


@tf.custom_gradient
def _scale_and_shift(x, gamma, beta):
    def gradient(upstream):
        return upstream * gamma, _sum_of_rows(upstream * x), _sum_of_rows(upstream)

    return x * gamma + beta, gradient


def _sum_of_last_axis(x):
    """[..., H] → [..., 1]."""
    return tf.matmul(x, tf.ones([tf.shape(x)[-1], 1]))


def _sum_of_rows(x):
    """[..., H] → [H]."""
    rows = tf.reshape(x, [-1, x.shape[-1]])  # [R, H]
    return tf.squeeze(tf.matmul(tf.ones([1, tf.shape(rows)[0]]), rows), axis=0)
