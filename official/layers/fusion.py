"""Element-wise blocks, compiled as one where that pays: what stands between two matrix products.

On a CPU the products belong to oneDNN, which XLA does not call there; but between them XLA reads and writes every
tensor once where plain operations do so ten times. So `@block` marks the functions in between. Each has one definition;
inside `fused_blocks()` it runs compiled, elsewhere as written: exported models carry no compiled code.
"""

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager

import tensorflow as tf

from official.layers.tracing import Setting

_fused, _compiling = Setting(False), Setting(False)


def fused_blocks(fused: bool = True) -> AbstractContextManager[None]:
    """Within the block of this context, `@block` functions are traced compiled."""
    return _fused.set_to(fused)


def fuses_blocks() -> bool:
    return _fused.value


def is_in_compiled_block() -> bool:
    """Whether what is traced is the inside of a compiled block, or its gradient."""
    return _compiling.value


def block(function: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """Marks a function of tensors (and Python constants by keyword) that has no matrix product in it.

    Compiled, its gradient is computed from its inputs in one go: nothing in between is stored, and the first operations
    are done again, which is cheaper than reading them from memory.
    """

    @functools.wraps(function)
    def call(*tensors, **constants):
        if not fuses_blocks():
            return function(*tensors, **constants)
        return _compiled(function, tuple(sorted(constants.items())))(*tensors)

    return call


@functools.cache
def _compiled(function, constants):
    """`function` with a gradient that recomputes it, both compiled."""

    def bound(*tensors):
        with _compiling.set_to(True):
            return function(*tensors, **dict(constants))

    forward = tf.function(bound, jit_compile=True, autograph=False)

    @functools.partial(tf.function, jit_compile=True, autograph=False)
    def backward(upstream, *tensors):
        with tf.GradientTape() as tape:
            tape.watch([tensor for tensor in tensors if tensor.dtype.is_floating])
            result = bound(*tensors)
        return tape.gradient(result, tensors, output_gradients=upstream)  # None for a seed.

    # A function of its own, since TensorFlow keeps for good the graph in which it meets a custom gradient.
    @functools.partial(tf.function, autograph=False)
    @tf.custom_gradient
    def call(*tensors):
        return forward(*tensors), lambda upstream: backward(upstream, *tensors)

    return call
