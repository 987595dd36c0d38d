"""Averages that are still their two sums, so that they can be taken over micro-batches, replicas and steps."""

from typing import NamedTuple

import tensorflow as tf


class Mean(NamedTuple):
    """total / (weight + epsilon).

    total, weight: float32 scalars, sums over whatever was seen.
    epsilon: what the published loss adds to its denominator.
    """

    total: tf.Tensor
    weight: tf.Tensor
    epsilon: float = 0.0


class Measures(NamedTuple):
    """What an objective says of a batch: the parts whose sum is minimised, and what else is reported."""

    losses: dict[str, Mean]
    metrics: dict[str, Mean]


def weighted_mean(values: tf.Tensor, weights: tf.Tensor, epsilon: float = 0.0) -> Mean:
    """The mean of `values` under `weights`, two float32 tensors of one shape."""
    return Mean(tf.reduce_sum(values * weights), tf.reduce_sum(weights), epsilon)
