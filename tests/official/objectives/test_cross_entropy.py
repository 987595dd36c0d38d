"""Cross-entropy beside NumPy, plain and as a compiled block."""

import numpy as np
import pytest
import tensorflow as tf

from official.layers import fused_blocks
from official.objectives.cross_entropy import cross_entropy


def value_and_gradient(logits, labels, upstream, fused):
    logits = tf.constant(logits, tf.float32)

    @tf.function
    def run():
        with tf.GradientTape() as tape, fused_blocks(fused):
            tape.watch(logits)
            loss = cross_entropy(logits, tf.constant(labels, tf.int32))
        return loss, tape.gradient(loss, logits, output_gradients=tf.constant(upstream, tf.float32))

    return run()


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("shape", [(3, 4, 7), (5, 1000)])
def test_it_and_its_gradient_are_those_of_the_formula(fused, shape):
    random = np.random.default_rng(0)
    logits, labels = random.normal(0, 10, shape), random.integers(0, shape[-1], shape[:-1])
    upstream = random.normal(size=shape[:-1])
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    probs = exponentials / exponentials.sum(-1, keepdims=True)
    is_label = np.eye(shape[-1])[labels]
    loss, gradient = value_and_gradient(logits, labels, upstream, fused)
    np.testing.assert_allclose(loss, -np.log((probs * is_label).sum(-1)), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gradient, (probs - is_label) * upstream[..., None], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("label", [-1, 3])
def test_no_label_outside_of_the_vocabulary_passes_for_one(label):
    loss, _ = value_and_gradient(np.zeros((2, 3)), [1, label], np.ones(2), fused=True)
    assert np.isfinite(loss[0]) and np.isnan(loss[1])
    with pytest.raises(tf.errors.InvalidArgumentError):
        value_and_gradient(np.zeros((2, 3)), [1, label], np.ones(2), fused=False)
