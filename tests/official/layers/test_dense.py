"""The dense layer gives what Keras's gives, and TensorFlow fuses it."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from official.layers.activations import ACTIVATIONS
from official.layers.casts import fused_with_products
from official.layers.dense import Dense

SHAPES = ([5, 8], [2, 5, 8], [2, 1, 3, 8], [0, 5, 8])


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("activation", ["gelu_erf", "gelu", "tanh", "linear"])
def test_it_is_the_dense_layer_of_keras(shape, activation):
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    ours, keras_own = Dense(6, ACTIVATIONS[activation]), keras.layers.Dense(6, ACTIVATIONS[activation])
    for layer in (ours, keras_own):
        layer.build(shape)
    keras_own.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(x), keras_own(x), atol=1e-6)


def test_lengths_that_are_known_stay_known():
    x = keras.Input([None, 8], batch_size=4)
    assert Dense(6)(x).shape == (4, None, 6)


def operations(activation: str, policy: str) -> set[str]:
    """What runs in a Session for a dense layer in the middle of a graph, products and what follows them."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session, fused_with_products():
        layer = Dense(64, ACTIVATIONS[activation], dtype=policy)
        layer.build([None, None, 32])
        x = tf.compat.v1.placeholder(tf.float32, [None, None, 32])
        y = tf.identity(tf.cast(layer(tf.cast(x, layer.compute_dtype)), tf.float32))
        session.run(tf.compat.v1.global_variables_initializer())
        metadata = tf.compat.v1.RunMetadata()
        options = tf.compat.v1.RunOptions(trace_level=tf.compat.v1.RunOptions.FULL_TRACE)
        session.run(y, {x: np.ones([2, 3, 32], np.float32)}, options, metadata)
    nodes = [node for device in metadata.step_stats.dev_stats for node in device.node_stats]
    return {node.timeline_label.partition(" = ")[2].partition("(")[0] for node in nodes}


@pytest.mark.parametrize("activation", ["gelu_erf", "gelu"])
@pytest.mark.parametrize("policy", ["float32", "bfloat16"])
def test_product_bias_and_gelu_become_one_operation(activation, policy):
    found = operations(activation, policy)
    if not any(name.startswith("_Mkl") for name in found):
        pytest.skip("oneDNN is not in use on this machine")
    assert "_MklNativeFusedMatMul" in found
    assert not found & {"MatMul", "_MklMatMul", "BiasAdd", "_MklNativeBiasAdd", "Erf", "Erfc", "Tanh", "Mul"}
