"""Layers against numpy, compiled blocks against plain ones, and dropout's masks."""

import math

import numpy as np
import pytest
import tensorflow as tf

from official.layers import Dropout, DropoutSeed, dropout_seed, fused_blocks
from official.layers.activations import gelu_erf, gelu_tanh
from official.layers.attention import attention_bias, attention_probs
from official.layers.layer_norm import normalize
from official.layers.transformer import add_and_normalize

RANDOM = np.random.RandomState(0)
X = RANDOM.randn(4, 6, 8).astype("float32") * 3
GAMMA, BETA = RANDOM.rand(8).astype("float32") + 0.5, RANDOM.randn(8).astype("float32")
SCORES = RANDOM.randn(2, 3, 5, 5).astype("float32") * 4
MASK = np.float32([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
BIAS = (1 - MASK[:, None, None, :]) * -10_000
SEED = np.int32([3, 4])
DROPOUT = {"rate": 0.3, "generator": "counter"}

BLOCKS = {
    "gelu_tanh": (gelu_tanh, [X], {}),
    "gelu_erf": (gelu_erf, [X], {}),
    "normalize": (normalize, [X, GAMMA, BETA], {"epsilon": 1e-12}),
    "attention_probs": (attention_probs, [SCORES, BIAS], {"scale": 0.25}),
    "dropped_probs": (attention_probs, [SCORES, BIAS, SEED], {"scale": 0.25, **DROPOUT}),
    "add_and_normalize": (add_and_normalize, [X, X[::-1], GAMMA, BETA], {"epsilon": 1e-12}),
    "drop_add_and_normalize": (add_and_normalize, [X, X[::-1], GAMMA, BETA, SEED], {"epsilon": 1e-12, **DROPOUT}),
}


def value_and_gradients(function, tensors, constants, fused):
    @tf.function
    def compute(*tensors):
        with tf.GradientTape() as tape, fused_blocks(fused):
            tape.watch([tensor for tensor in tensors if tensor.dtype.is_floating])
            result = function(*tensors, **constants)
            loss = tf.reduce_sum(tf.cast(result, tf.float32) ** 2)
        gradients = tape.gradient(loss, tensors[:2])
        return result, [each for each in gradients if each is not None]  # None for the mask of attention.

    return compute(*tensors)


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 3e-2)])
def test_compiled_block_and_its_gradient_are_those_of_the_plain_function(name, dtype, tolerance):
    function, tensors, constants = BLOCKS[name]
    tensors = [tf.cast(tensors[0], dtype), *map(tf.constant, tensors[1:])]
    plain, plain_gradients = value_and_gradients(function, tensors, constants, fused=False)
    fused, fused_gradients = value_and_gradients(function, tensors, constants, fused=True)
    assert fused.dtype == dtype
    for ours, expected in zip([fused, *fused_gradients], [plain, *plain_gradients], strict=True):
        scale = np.abs(expected.numpy().astype("float32")).max()
        np.testing.assert_allclose(
            ours.numpy().astype("float32"), expected.numpy().astype("float32"), atol=tolerance * scale
        )


def test_layer_norm_is_numpys():
    centred = X - X.mean(-1, keepdims=True)
    expected = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * GAMMA + BETA
    np.testing.assert_allclose(normalize(X, GAMMA, BETA, epsilon=1e-12), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("function", "formula"),
    [
        (gelu_tanh, lambda x: 0.5 * x * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
        (gelu_erf, lambda x: 0.5 * x * (1 + math.erf(x / math.sqrt(2)))),
    ],
)
def test_gelu_is_the_published_formula(function, formula):
    x = np.linspace(-6, 6, 101).astype("float32")
    np.testing.assert_allclose(function(tf.constant(x)), [formula(value) for value in x.tolist()], atol=1e-6)


def test_padding_gets_no_attention_and_padded_queries_still_attend():
    np.testing.assert_array_equal(attention_bias(MASK), BIAS)
    probs = attention_probs(SCORES, BIAS, scale=0.25).numpy()
    assert not probs[0, :, :, 3:].any()
    np.testing.assert_allclose(probs.sum(-1), 1.0, rtol=1e-5)
    assert probs[0, :, 3:, :3].all()


def drop(layer, seed, x=None, generator="counter"):
    with dropout_seed(DropoutSeed(tf.constant(seed, tf.int32), generator)):
        return layer(tf.ones([200, 100]) if x is None else x, training=True).numpy()


@pytest.fixture
def layers():
    made = [Dropout(0.1, name="first"), Dropout(0.1, name="second")]
    for layer in made:
        layer.build()
    return made


def test_dropout_drops_its_share_and_keeps_the_mean(layers):
    values = drop(layers[0], [1, 2])
    assert set(np.unique(values)) == {np.float32(0), np.float32(1 / 0.9)}
    assert (values == 0).mean() == pytest.approx(0.1, abs=0.01)  # One standard deviation is 0.002.


def test_the_same_seed_draws_the_same_mask_and_steps_replicas_and_layers_differ(layers):
    mask = drop(layers[0], [1, 2])
    np.testing.assert_array_equal(mask, drop(layers[0], [1, 2]))
    others = [drop(layers[0], [1, 3]), drop(layers[0], [2, 2]), drop(layers[1], [1, 2])]
    for other in others:
        both = ((mask == 0) & (other == 0)).mean()
        assert both == pytest.approx(0.01, abs=0.004)  # As often as by chance.


def test_dropout_outside_training_and_at_rate_zero_changes_nothing(layers):
    x = tf.random.normal([3, 4])
    np.testing.assert_array_equal(layers[0](x, training=False), x)
    np.testing.assert_array_equal(Dropout(0.0)(x, training=True), x)


def test_dropout_without_a_seed_still_drops(layers):
    assert (layers[0](tf.ones([100, 100]), training=True).numpy() == 0).any()
