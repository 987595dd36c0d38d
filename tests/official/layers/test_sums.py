"""Sums by products with ones, in compiled blocks only: layer normalisation and attention beside NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from official.layers.attention import attention_probs
from official.layers.fusion import fused_blocks, is_in_compiled_block
from official.layers.layer_norm import normalize

EPSILON = 1e-12


def published(x, gamma, beta, upstream):
    """LayerNorm's output, and its gradients with respect to the three (Ba et al. 2016, supplement)."""
    centred = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt((centred**2).mean(-1, keepdims=True) + EPSILON)
    normal = centred / deviation
    scaled = upstream * gamma
    of_x = (scaled - scaled.mean(-1, keepdims=True) - normal * (scaled * normal).mean(-1, keepdims=True)) / deviation
    return normal * gamma + beta, of_x, (upstream * normal).sum((0, 1)), upstream.sum((0, 1))


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("shape", [(2, 3, 8), (4, 33, 384), (8, 128, 100)])
def test_layer_normalisation_and_its_gradients_are_those_of_the_paper(fused, shape):
    random = np.random.default_rng(0)
    x, upstream = random.normal(3, 2, shape), random.normal(size=shape)
    gamma, beta = random.normal(1, 0.5, shape[-1:]), random.normal(size=shape[-1:])
    tensors = [tf.constant(values, tf.float32) for values in (x, gamma, beta)]

    @tf.function
    def run():
        with tf.GradientTape() as tape, fused_blocks(fused):
            tape.watch(tensors)
            y = normalize(*tensors, epsilon=EPSILON)
        # Outside of the context, where a training step asks for gradients.
        return y, *tape.gradient(y, tensors, output_gradients=tf.constant(upstream, tf.float32))

    for found, expected in zip(run(), published(x, gamma, beta, upstream), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("shape", [(1, 2, 3, 3), (2, 2, 24, 24), (2, 1, 7, 129)])
def test_attention_and_its_gradient_are_those_of_softmax(fused, shape):
    random = np.random.default_rng(0)
    scores, upstream = random.normal(0, 20, shape), random.normal(size=shape)
    mask = -10_000 * random.integers(0, 2, (shape[0], 1, 1, shape[-1]))
    exponentials = np.exp(scores / 8 + mask - (scores / 8 + mask).max(-1, keepdims=True))
    probs = exponentials / exponentials.sum(-1, keepdims=True)
    of_scores = probs * (upstream - (upstream * probs).sum(-1, keepdims=True)) / 8
    x, bias = tf.constant(scores, tf.float32), tf.constant(mask, tf.float32)

    @tf.function
    def run():
        with tf.GradientTape() as tape, fused_blocks(fused):
            tape.watch([x, bias])
            y = attention_probs(x, bias, scale=0.125)
        of_x, of_bias = tape.gradient(y, [x, bias], output_gradients=tf.constant(upstream, tf.float32))
        assert of_bias is None
        return y, of_x

    for found, expected in zip(run(), (probs, of_scores), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)


def test_what_is_exported_has_the_plain_operations():
    tensors = [tf.zeros([2, 3, 8]), tf.ones([8]), tf.zeros([8])]
    graph = tf.function(lambda: normalize(*tensors, epsilon=EPSILON)).get_concrete_function().graph
    assert not is_in_compiled_block()
    assert "Mean" in {op.type for op in graph.get_operations()}
    assert not {op.type for op in graph.get_operations()} & {"MatMul", "BatchMatMulV2"}
