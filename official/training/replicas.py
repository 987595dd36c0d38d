"""Sums over the replicas of a step."""

from collections.abc import Mapping

import tensorflow as tf


def sum_over_replicas(values, replica):
    """Sums tensors over all replicas, if there are several.

    `all_reduce` registers a gradient for good, and with it the graph and all variables in it: a process that makes one
    model after the other would keep them all.
    """
    if replica.num_replicas_in_sync == 1:
        return values
    return replica.all_reduce(tf.distribute.ReduceOp.SUM, values)


def stack_sums(means: Mapping) -> tf.Tensor:
    """Totals and weights of means, float32 [M, 2]."""
    return tf.stack([tf.stack([mean.total, mean.weight]) for mean in means.values()])  # [M, 2]
