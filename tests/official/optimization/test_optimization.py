"""The optimizer, the schedule and the clipping against numpy, written from the published formulas."""

import re

import numpy as np
import pytest
import tensorflow as tf

from official.models.bert import Bert, BertConfig
from official.optimization import AdamWeightDecay, LinearDecayWithWarmup, clip_by_global_norm


def published_schedule(step, learning_rate, num_train_steps, num_warmup_steps):
    """optimization.py:32-54 of the original, in float32."""
    step = np.float32(step)
    rate = np.float32(learning_rate) * (1 - min(step, np.float32(num_train_steps)) / np.float32(num_train_steps))
    if num_warmup_steps and step < num_warmup_steps:
        rate = np.float32(learning_rate) * (step / np.float32(num_warmup_steps))
    return rate


def published_update(w, m, v, g, rate, decay):
    """optimization.py:146-171 of the original."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    return w - rate * (m / (np.sqrt(v) + 1e-6) + decay * w), m, v


@pytest.mark.parametrize("warmup", [0, 4, 10])
@pytest.mark.parametrize("step", [0, 1, 3, 4, 5, 9, 10, 19, 20, 25])
def test_schedule_is_the_published_one(step, warmup):
    schedule = LinearDecayWithWarmup(2e-3, num_train_steps=20, num_warmup_steps=warmup)
    rate = schedule(tf.constant(step, tf.int64))
    np.testing.assert_allclose(rate, published_schedule(step, 2e-3, 20, warmup), rtol=1e-6)


def test_learning_rate_jumps_down_at_the_end_of_the_warmup():
    schedule = LinearDecayWithWarmup(1.0, num_train_steps=100, num_warmup_steps=10)
    assert float(schedule(tf.constant(9, tf.int64))) == pytest.approx(0.9)
    assert float(schedule(tf.constant(10, tf.int64))) == pytest.approx(0.9)
    assert float(schedule(tf.constant(11, tf.int64))) == pytest.approx(0.89)


def test_ten_updates_are_the_published_ones():
    random = np.random.RandomState(0)
    start = {"dense/kernel": random.randn(3, 4), "dense/bias": random.randn(4), "LayerNorm/gamma": random.randn(4)}
    variables = {name: tf.Variable(value.astype("float32")) for name, value in start.items()}
    optimizer = AdamWeightDecay(variables)
    expected = {name: (value, 0.0, 0.0) for name, value in start.items()}
    for step in range(10):
        gradients = {name: random.randn(*value.shape) for name, value in start.items()}
        optimizer.apply_gradients([tf.constant(g.astype("float32")) for g in gradients.values()], tf.constant(1e-2))
        for name, gradient in gradients.items():
            decay = 0.01 if name == "dense/kernel" else 0.0
            expected[name] = published_update(*expected[name], gradient, 1e-2, decay)
    for name, (w, m, v) in expected.items():
        np.testing.assert_allclose(variables[name], w, atol=1e-6)
        np.testing.assert_allclose(optimizer.slots[f"{name}/adam_m"], m, atol=1e-6)
        np.testing.assert_allclose(optimizer.slots[f"{name}/adam_v"], v, atol=1e-6)


def test_first_step_is_about_three_learning_rates_whatever_the_gradient():
    variables = {"w": tf.Variable([0.0, 0.0])}
    AdamWeightDecay(variables).apply_gradients([tf.constant([1.0, -100.0])], tf.constant(1e-3))
    np.testing.assert_allclose(variables["w"], [-3.162e-3, 3.162e-3], rtol=2e-3)


def test_biases_and_layer_norms_do_not_decay_and_everything_else_does():
    config = BertConfig(vocab_size=11, hidden_size=4, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8)
    model = Bert(config, heads=("mlm", "nsp"))
    names = [v.path.split("/", 1)[1] for v in model.trainable_variables]
    optimizer = AdamWeightDecay({name: tf.Variable(0.0) for name in names})
    exempt = {name for name in names if not optimizer.decays(name)}
    assert exempt == {name for name in names if re.search(r"(bias|gamma|beta)$", name)}
    assert {"cls/predictions/output_bias", "cls/seq_relationship/output_bias"} <= exempt


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_clipping_scales_all_gradients_by_their_joint_norm(scale):
    gradients = [np.float32([[3.0, 0.0]]) * scale, np.float32([4.0]) * scale]
    clipped, norm = clip_by_global_norm([tf.constant(g) for g in gradients], 1.0)
    assert float(norm) == pytest.approx(5.0 * scale)
    for ours, gradient in zip(clipped, gradients, strict=True):
        np.testing.assert_allclose(ours, gradient / max(1.0, 5.0 * scale), rtol=1e-6)


def test_repeated_rows_of_a_sparse_gradient_are_added_before_the_norm_is_taken():
    sparse = tf.IndexedSlices(tf.constant([[3.0], [1.0]]), tf.constant([0, 0]), dense_shape=tf.constant([2, 1]))
    _, norm = clip_by_global_norm([sparse], 1.0)
    assert float(norm) == pytest.approx(4.0)
