"""Casts in compiled blocks: the same bits as TensorFlow's own, which are slower there."""

import numpy as np
import tensorflow as tf

from official.layers.casts import cast
from official.layers.fusion import block, fused_blocks, is_in_compiled_block


def compiled(function, x, upstream=None):
    """What a compiled block of `function` makes of `x`, or with `upstream` its gradient."""

    @block
    def of_block(x):
        assert is_in_compiled_block()
        return function(x)

    @tf.function
    def run(x):
        with tf.GradientTape() as tape, fused_blocks():
            tape.watch(x)
            y = of_block(x)
        return y if upstream is None else tape.gradient(y, x, output_gradients=upstream)

    return run(x)


def bits_of(x):
    return tf.bitcast(x, {tf.bfloat16: tf.uint16, tf.float32: tf.uint32}[x.dtype]).numpy()


def every_upper_half():
    """float32 of every upper 16 bits, NaNs left out, with lower ones around the half where rounding turns."""
    upper = np.arange(2**16, dtype=np.uint32) << 16
    lower = np.uint32([0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF])
    values = (upper[:, None] + lower).view(np.float32)
    return tf.constant(values[~np.isnan(values)])


def test_float32_is_rounded_to_the_nearest_bfloat16_and_to_even():
    x = every_upper_half()
    found = compiled(lambda x: cast(x, tf.bfloat16), x)
    np.testing.assert_array_equal(bits_of(found), bits_of(tf.cast(x, tf.bfloat16)))


def test_bfloat16_is_widened_as_it_is():
    x = tf.bitcast(tf.constant(np.arange(2**16, dtype=np.uint16)), tf.bfloat16)
    found = compiled(lambda x: cast(x, tf.float32), x).numpy()
    np.testing.assert_array_equal(found, tf.cast(x, tf.float32).numpy())


def test_what_is_no_number_stays_none():
    infinity = tf.constant([np.inf, -np.inf])
    for not_a_number in (infinity - infinity, infinity * 0, -(infinity - infinity), tf.sqrt(-tf.abs(infinity)) + 1):
        assert np.isnan(compiled(lambda x: cast(x, tf.bfloat16), not_a_number).numpy().astype("float32")).all()


def test_gradients_are_cast_in_the_same_way():
    upstream = every_upper_half()
    found = compiled(lambda x: cast(x, tf.float32), tf.zeros_like(upstream, tf.bfloat16), upstream)
    np.testing.assert_array_equal(bits_of(found), bits_of(tf.cast(upstream, tf.bfloat16)))
    sixteen = tf.constant([1.5, -2.0], tf.bfloat16)
    found = compiled(lambda x: cast(x, tf.bfloat16), tf.zeros([2]), sixteen)
    assert found.dtype == tf.float32 and found.numpy().tolist() == [1.5, -2.0]


def test_outside_of_blocks_it_is_tensorflows_cast():
    graph = tf.function(lambda: cast(tf.ones([2]), tf.bfloat16)).get_concrete_function().graph
    assert "Cast" in {op.type for op in graph.get_operations()} and "Bitcast" not in str(graph.as_graph_def())
