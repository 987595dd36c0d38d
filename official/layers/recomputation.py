"""Blocks whose inner values are not kept for the backward pass, but computed again there (Chen et al. 2016)."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import tensorflow as tf

from official.layers.dropout import current_dropout_seed, dropout_seed
from official.layers.fusion import fused_blocks, fuses_blocks
from official.layers.tracing import Setting

_recomputed = Setting(False)


def recomputed_blocks(recomputed: bool = True) -> AbstractContextManager[None]:
    """Within the block of this context, Transformer blocks keep their input only."""
    return _recomputed.set_to(recomputed)


def recomputes_blocks() -> bool:
    return _recomputed.value


def recomputed(function: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """A function of float tensors that does its work again for its gradient.

    The second time it runs outside of the contexts that it was called in: it is given the same dropout masks and the
    same fusion again.
    """
    seed, fused = current_dropout_seed(), fuses_blocks()

    def as_before(*tensors):
        with dropout_seed(seed), fused_blocks(fused):
            return function(*tensors)

    # A function of its own, since TensorFlow keeps for good the graph in which it meets a custom gradient.
    return tf.function(tf.recompute_grad(as_before), autograph=False)
