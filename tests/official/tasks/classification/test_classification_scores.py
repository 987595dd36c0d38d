"""Probabilities, losses and scores against figures worked out by hand or by others."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from official.tasks.classification import classification_scores as scoring

LOGITS = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, -1.0], [0.5, 1.0]], np.float32)
LABELS = np.array([0, 1, 1, 1], np.int32)
NUMBERS = np.array([1.0, 2.0, 3.0, 4.0], np.float32)


def test_probabilities():
    assert scoring.probabilities(LOGITS[:1], "single")[0] == pytest.approx([0.880797, 0.119203], abs=1e-6)
    assert scoring.probabilities(LOGITS[:1], "multi")[0] == pytest.approx([0.880797, 0.5], abs=1e-6)
    assert scoring.probabilities(LOGITS[:, :1], "regression").tolist() == LOGITS[:, :1].tolist()


@pytest.mark.parametrize("value", [1e4, -1e4, 3e38])
def test_huge_logits_give_probabilities_and_losses(value):
    logits = np.array([[value, 0.0, value]], np.float32)
    for label_type, labels in (("single", np.array([0])), ("multi", np.array([[1.0, 0.0, 0.0]]))):
        assert np.isfinite(scoring.probabilities(logits, label_type)).all()
        assert np.isfinite(scoring.losses(logits, labels, label_type)).all()


@settings(max_examples=50, deadline=None)
@given(arrays.arrays(np.float32, (5, 3), elements=st.floats(-50, 50, width=32)), st.integers(0, 2))
def test_losses_are_those_of_tensorflow(logits, label):
    labels = np.full(5, label, np.int32)
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    assert scoring.losses(logits, labels, "single") == pytest.approx(expected.numpy(), abs=1e-4)
    targets = np.eye(3, dtype=np.float32)[labels]
    expected = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(targets, logits), axis=-1)
    assert scoring.losses(logits, targets, "multi") == pytest.approx(expected.numpy(), abs=1e-4)


def test_predictions():
    assert scoring.predictions(LOGITS, "single").tolist() == [0, 1, 0, 1]
    assert scoring.predictions(LOGITS, "multi").tolist() == [[1, 0], [0, 1], [1, 0], [1, 1]]
    assert scoring.predictions(LOGITS[:, :1], "regression").tolist() == [2.0, 0.0, 3.0, 0.5]


def test_loss_is_the_mean_of_the_batches_and_eval_loss_that_of_the_examples():
    results = scoring.scores(LOGITS, LABELS, "single", ("accuracy",), batch_size=3)
    each = [
        math.log(1 + math.exp(-2)),
        math.log(1 + math.exp(-1)),
        math.log(1 + math.exp(4)),
        math.log(1 + math.exp(-0.5)),
    ]
    assert results["eval_loss"] == pytest.approx(sum(each) / 4)
    assert results["loss"] == pytest.approx((sum(each[:3]) / 3 + each[3]) / 2)
    assert results["eval_accuracy"] == 0.75


@pytest.mark.parametrize(
    "labels, predicted, measure, expected",
    [
        ([0, 1, 1, 1], [0, 1, 0, 1], "f1", 0.8),  # Precision 1, recall 2/3.
        ([0, 1, 1, 1], [0, 1, 0, 1], "macro_f1", (0.8 + 2 / 3) / 2),
        ([0, 1, 1, 1], [0, 1, 0, 1], "mcc", 2 / math.sqrt(2 * 3 * 1 * 2)),
        ([0, 1], [0, 0], "f1", 0.0),
        ([0, 1], [0, 0], "mcc", 0.0),
        ([[1, 0], [1, 1]], [[1, 0], [0, 1]], "subset_accuracy", 0.5),
        ([[1, 0], [1, 1]], [[1, 0], [0, 1]], "micro_f1", 0.8),
        ([[1, 0], [1, 1]], [[1, 0], [0, 1]], "macro_f1", (2 / 3 + 1) / 2),
        ([[0, 0]], [[0, 0]], "micro_f1", 0.0),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 10.0], "pearson", 14 / math.sqrt(5 * 50)),
        ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 10.0], "spearman", 1.0),
        ([1.0, 2.0, 3.0], [2.0, 2.0, 2.0], "pearson", 0.0),
        ([1.0], [2.0], "spearman", 0.0),
    ],
)
def test_measures(labels, predicted, measure, expected):
    assert scoring.MEASURES[measure](np.array(labels), np.array(predicted)) == pytest.approx(expected)


@pytest.mark.parametrize(
    "labels, predicted, expected",
    [
        ([0, 1, 0], [1, 1, 1], True),
        ([1, 1, 1], [1, 1, 1], False),
        ([0, 1, 0], [1, 1, 0], False),
        ([[0, 1], [1, 0]], [[0, 0], [0, 0]], True),
        ([1.0, 2.0], [3.0, 3.0], True),
    ],
)
def test_a_collapsed_model_is_seen(labels, predicted, expected):
    assert scoring.collapsed(np.array(labels), np.array(predicted)) is expected


def test_the_confusion_matrix_can_be_read():
    shown = scoring.confusion(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), ("neg", "a very long name"))
    assert shown.splitlines() == [
        "     right │ said",
        "           │        neg a very lo…",
        "───────────┼──────────────────────",
        "       neg │          1          1",
        "a very lo… │          ·          2",
    ]


def test_tables_of_many_classes_show_the_commonest():
    labels = np.array([*range(50), *[49] * 5, *[30] * 5], np.int32)
    shown = scoring.table(labels, labels, [f"class{number}" for number in range(50)])
    assert "class49" in shown and "class30" in shown and "class25" not in shown
    assert "(20 of 50 classes: those with most examples)" in shown


def test_tables_of_any_number_of_labels():
    labels = np.array([[1, 0], [1, 1], [0, 1]])
    shown = scoring.table(labels.astype(np.float32), labels.astype(np.int32), ("red", "green"))
    assert "red      1.000     1.000     1.000         2" in shown
