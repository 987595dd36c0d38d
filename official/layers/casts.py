"""Between 16 bits and float32: blocks are given and give back what products are made of, and compute in float32."""

from contextlib import AbstractContextManager

import tensorflow as tf

from official.layers.fusion import is_in_compiled_block
from official.layers.tracing import Setting

_with_products = Setting(False)


def fused_with_products() -> AbstractContextManager[None]:
    """Within the block of this context, `widened` leaves 16 bits as they are: for what is traced to be exported.

    There oneDNN makes one operation of a product and what follows it, which computes in float32 from the product's sums
    and rounds once, at its end; casts would stand between the two.
    """
    return _with_products.set_to(True)


def widened(x: tf.Tensor) -> tf.Tensor:
    """What comes out of a product, in float32."""
    return x if _with_products.value else cast(x, tf.float32)


def cast(x: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """`x` as numbers of `dtype`, rounded to the nearest, of two to the even one: `tf.cast`, but fast in blocks."""
    if not is_in_compiled_block() or x.dtype == dtype or tf.bfloat16 not in (x.dtype, dtype):
        return tf.cast(x, dtype)

    @tf.custom_gradient
    def both_ways(x):
        return _rounded(x, dtype), lambda upstream: _rounded(upstream, x.dtype)

    return both_ways(x)


def _rounded(x, dtype):
    """`x` in `dtype`; in bfloat16 by its bits: XLA's cast asks of each number whether it is one, which takes as long as
    all the rest of a GELU on a CPU. The NaNs that processors make stay what they are.
    """
    if dtype != tf.bfloat16:
        return tf.cast(x, dtype)
    bits = tf.bitcast(x, tf.uint32)
    sixteen = tf.constant(16, tf.uint32)
    is_odd = tf.bitwise.right_shift(bits, sixteen) & tf.constant(1, tf.uint32)
    bits += tf.constant(0x7FFF, tf.uint32) + is_odd
    return tf.bitcast(tf.cast(tf.bitwise.right_shift(bits, sixteen), tf.uint16), tf.bfloat16)
