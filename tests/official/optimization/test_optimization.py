"""The optimizer, the schedule and the clipping against numpy, written from the published formulas."""

import re

import numpy as np
import pytest
import tensorflow as tf

from official.models.bert import Bert, BertConfig
from official.optimization import AdamW, AdamWeightDecay, Lamb, LinearDecayWithWarmup, clipping_factor
from official.optimization.moving_average import MovingAverage


def published_schedule(step, learning_rate, num_train_steps, num_warmup_steps):
    """optimization.py:32-54 of the original, in float32."""
    step = np.float32(step)
    rate = np.float32(learning_rate) * (1 - min(step, np.float32(num_train_steps)) / np.float32(num_train_steps))
    if num_warmup_steps and step < num_warmup_steps:
        rate = np.float32(learning_rate) * (step / np.float32(num_warmup_steps))
    return rate


def moments(m, v, g):
    return 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2


def published_update(w, m, v, g, rate, decay, t):
    """optimization.py:146-171 of the original."""
    m, v = moments(m, v, g)
    return w - rate * (m / (np.sqrt(v) + 1e-6) + decay * w), m, v


def adamw_update(w, m, v, g, rate, decay, t):
    """Loshchilov and Hutter 2019, algorithm 2, lines 6 to 12, where decay is part of what the rate multiplies."""
    m, v = moments(m, v, g)
    return w - rate * (m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-6) + decay * w), m, v


def lamb_update(w, m, v, g, rate, decay, t):
    """You et al. 2020, algorithm 2; without decay there is no rescaling, as in the authors' code."""
    m, v = moments(m, v, g)
    r = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-6)
    if not decay:
        return w - rate * r, m, v
    r = r + decay * w
    return w - rate * np.linalg.norm(w) / np.linalg.norm(r) * r, m, v


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


@pytest.mark.parametrize(
    ("make", "update"), [(AdamWeightDecay, published_update), (AdamW, adamw_update), (Lamb, lamb_update)]
)
def test_ten_updates_are_the_published_ones(make, update):
    random = np.random.RandomState(0)
    start = {"dense/kernel": random.randn(3, 4), "dense/bias": random.randn(4), "LayerNorm/gamma": random.randn(4)}
    variables = {name: tf.Variable(value.astype("float32")) for name, value in start.items()}
    optimizer = make(variables)
    expected = {name: (value, 0.0, 0.0) for name, value in start.items()}
    for step in range(10):
        gradients = {name: random.randn(*value.shape) for name, value in start.items()}
        given = [tf.constant(g.astype("float32")) for g in gradients.values()]
        optimizer.apply_gradients(given, tf.constant(1e-2), tf.constant(step, tf.int64), tf.constant(True))
        for name, gradient in gradients.items():
            decay = 0.01 if name == "dense/kernel" else 0.0
            expected[name] = update(*expected[name], gradient, 1e-2, decay, step + 1)
    for name, (w, m, v) in expected.items():
        np.testing.assert_allclose(variables[name], w, atol=1e-6)
        np.testing.assert_allclose(optimizer.slots[f"{name}/adam_m"], m, atol=1e-6)
        np.testing.assert_allclose(optimizer.slots[f"{name}/adam_v"], v, atol=1e-6)


def test_first_step_is_about_three_learning_rates_whatever_the_gradient():
    variables = {"w": tf.Variable([0.0, 0.0])}
    optimizer = AdamWeightDecay(variables)
    optimizer.apply_gradients([tf.constant([1.0, -100.0])], tf.constant(1e-3), tf.constant(0), tf.constant(True))
    np.testing.assert_allclose(variables["w"], [-3.162e-3, 3.162e-3], rtol=2e-3)


@pytest.mark.parametrize("make", [AdamWeightDecay, AdamW, Lamb])
def test_an_update_that_is_not_to_be_applied_changes_nothing(make):
    optimizer = make({"w": tf.Variable([1.0, 2.0])})

    def update(gradient, applied):
        optimizer.apply_gradients([tf.constant(gradient)], tf.constant(1e-3), tf.constant(0), tf.constant(applied))
        return [variable.numpy() for variable in (*optimizer.variables.values(), *optimizer.slots.values())]

    before = update([1.0, 1.0], applied=True)
    np.testing.assert_array_equal(update([np.nan, np.inf], applied=False), before)


@pytest.mark.parametrize(("weight", "gradient"), [(0.0, 1.0), (0.0, 0.0)])
def test_lamb_moves_a_tensor_of_zeros_as_adam_does(weight, gradient):
    ours, adam = (make({"kernel": tf.Variable([weight] * 3)}) for make in (Lamb, AdamW))
    for optimizer in (ours, adam):
        optimizer.apply_gradients([tf.constant([gradient] * 3)], tf.constant(0.1), tf.constant(0), tf.constant(True))
    np.testing.assert_array_equal(ours.variables["kernel"], adam.variables["kernel"])


def test_a_moving_average_follows_the_weights_and_stands_in_for_them():
    weight = tf.Variable(1.0)
    average = MovingAverage({"w": weight}, decay=0.9)
    average.start()
    expected = 1.0
    for value, applied in (2.0, True), (np.nan, False), (3.0, True):
        weight.assign(value if applied else 2.0)
        average.update(tf.constant(applied))
        expected = 0.9 * expected + 0.1 * value if applied else expected
    with average.in_place_of_weights():
        assert float(weight) == pytest.approx(expected)
    assert float(weight) == 3.0


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
    factor, norm = clipping_factor([tf.constant(g) for g in gradients], 1.0)
    assert float(norm) == pytest.approx(5.0 * scale)
    assert float(factor) == pytest.approx(1 / max(1.0, 5.0 * scale))


def test_without_a_longest_gradient_none_is_clipped():
    factor, norm = clipping_factor([tf.constant([3.0, 4.0])], 0.0)
    assert (float(factor), float(norm)) == (1.0, 5.0)


@pytest.mark.parametrize("make", [AdamWeightDecay, AdamW, Lamb])
def test_an_update_multiplies_the_gradients_by_the_factor(make):
    gradient, start = np.float32([[0.3, -2.0], [5.0, 0.01]]), np.float32([[1, 2], [3, 4]])
    updated = []
    for given, factor in ((gradient * np.float32(0.125), 1.0), (gradient, 0.125)):
        optimizer = make({"kernel": tf.Variable(start)})
        for step in range(3):
            optimizer.apply_gradients(
                [tf.constant(given)], tf.constant(0.1), tf.constant(step), tf.constant(True), tf.constant(factor)
            )
        updated.append(optimizer.variables["kernel"].numpy())
    np.testing.assert_array_equal(*updated)
    assert not np.array_equal(updated[0], start)


def test_repeated_rows_of_a_sparse_gradient_are_added_before_the_norm_is_taken():
    sparse = tf.IndexedSlices(tf.constant([[3.0], [1.0]]), tf.constant([0, 0]), dense_shape=tf.constant([2, 1]))
    _, norm = clipping_factor([sparse], 1.0)
    assert float(norm) == pytest.approx(4.0)
