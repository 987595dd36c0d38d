"""Blocks whose inner values are not kept for the backward pass, but computed again there (Chen et al. 2016)."""

import contextlib
import threading
from collections.abc import Callable, Iterator

import tensorflow as tf

from official.layers.dropout import current_dropout_seed, dropout_seed
from official.layers.fusion import fused_blocks, fuses_blocks

_active = threading.local()  # MirroredStrategy traces each replica in a thread of its own.


@contextlib.contextmanager
def recomputed_blocks(recomputed: bool = True) -> Iterator[None]:
    """Within the block of this context, Transformer blocks keep their input only."""
    outer = getattr(_active, "recomputed", False)
    _active.recomputed = recomputed
    try:
        yield
    finally:
        _active.recomputed = outer


def recomputes_blocks() -> bool:
    return getattr(_active, "recomputed", False)


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
