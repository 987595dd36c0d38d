"""Multi-head self-attention (Vaswani et al. 2017, §3.2), as BERT computes it."""

import math
from typing import NamedTuple

import keras
import tensorflow as tf

from official.layers.casts import cast, widened
from official.layers.dense import Dense
from official.layers.dropout import Dropout, drop
from official.layers.fusion import block
from official.layers.initializers import TruncatedNormal
from official.layers.sums import softmax

MASKED_OUT = -10_000.0  # Added to a score whose key is padding: modeling.py:712.


def attention_bias(input_mask: tf.Tensor) -> tf.Tensor:
    """What is added to the scores so that nobody attends to padding.

    Only keys are masked: a padded query still attends to the real tokens, as in the original (modeling.py:549-553).

    Args:
        input_mask: [B, T], 1 for a real token, 0 for padding.

    Returns:
        float32 [B, 1, 1, T]: 0 or −10000.
    """
    is_padding = 1.0 - tf.cast(input_mask, tf.float32)  # [B, T]
    return tf.expand_dims(tf.expand_dims(is_padding, 1), 1) * MASKED_OUT  # LiteRT has no slice with new axes.


@block
def attention_probs(
    scores: tf.Tensor, bias: tf.Tensor, seed: tf.Tensor | None = None, *, scale: float, **dropout
) -> tf.Tensor:
    """dropout(softmax(scores·scale + bias)) over the keys, computed in float32.

    Args:
        scores: [B, N, T, T].
        bias: a mask, [B, 1, 1 or T, T]; it is given no gradient, which would take as long as that of the scores.
        scale: of the scores.
        seed, dropout: as for `drop`.
    """
    scaled = widened(scores) * scale
    probs = softmax(scaled + tf.cast(tf.stop_gradient(bias), scaled.dtype))
    return cast(drop(probs, seed, **dropout), scores.dtype)


class Attended(NamedTuple):
    """What attention came from, for those who look at it; what it came to is computed when they ask.

    query, key, value: [B, T, H], of all heads beside each other.
    products: Q·Kᵀ of each head, [B, N, T, T].
    bias: what is added to the scaled products, [B, 1, 1 or T, T].
    """

    query: tf.Tensor
    key: tf.Tensor
    value: tf.Tensor
    products: tf.Tensor
    bias: tf.Tensor

    @property
    def scale(self) -> float:
        heads = self.products.shape[1]
        return 1.0 / math.sqrt(self.query.shape[-1] // heads)

    def scores(self) -> tf.Tensor:
        """What softmax is taken of, float32 [B, N, T, T]."""
        return tf.cast(self.products, tf.float32) * self.scale + tf.cast(self.bias, tf.float32)

    def probs(self) -> tf.Tensor:
        """How much each token attends to each, before dropout, [B, N, T, T]."""
        return attention_probs(self.products, self.bias, scale=self.scale)


class SelfAttention(keras.layers.Layer):
    """softmax(Q·Kᵀ/√d + bias)·V in each of `num_heads` heads, concatenated; without the output projection."""

    def __init__(self, num_heads: int, hidden_size: int, dropout_rate: float, initializer_range: float, **kwargs):
        super().__init__(**kwargs)
        self.num_heads = num_heads
        self.head_size = hidden_size // num_heads
        self.query, self.key, self.value = (
            Dense(hidden_size, kernel_initializer=TruncatedNormal(stddev=initializer_range), name=name)
            for name in ("query", "key", "value")
        )
        self.dropout = Dropout(dropout_rate, name="dropout")

    def build(self, input_shape):
        for projection in (self.query, self.key, self.value):
            projection.build(input_shape)
        self.dropout.build()

    def call(self, x, bias, training=False):
        """[B, T, H] and [B, 1, 1 or T, T] → context [B, T, H] and what it came from."""
        query, key, value = self.query(x), self.key(x), self.value(x)  # [B, T, H] each
        scores = tf.matmul(self._split_heads(query), self._split_heads(key), transpose_b=True)  # [B, N, T, T]
        attended = Attended(query, key, value, scores, bias)
        seed, dropout = self.dropout.draw(training)
        probs = attention_probs(scores, bias, *seed, scale=attended.scale, **dropout)
        context = tf.matmul(probs, self._split_heads(value))  # [B, N, T, d]
        return self._join_heads(context), attended

    def _split_heads(self, x):
        x = tf.reshape(x, [*_batch_and_length(x), self.num_heads, self.head_size])  # [B, T, N, d]
        return tf.transpose(x, [0, 2, 1, 3])  # [B, N, T, d]

    def _join_heads(self, x):
        x = tf.transpose(x, [0, 2, 1, 3])  # [B, T, N, d]
        return tf.reshape(x, [*_batch_and_length(x), self.num_heads * self.head_size])  # [B, T, H]


def _batch_and_length(x):
    """The first two axes of `x`, as numbers where they are known: TPUs need static shapes."""
    dynamic = tf.shape(x)
    return [x.shape[axis] if x.shape[axis] is not None else dynamic[axis] for axis in (0, 1)]
