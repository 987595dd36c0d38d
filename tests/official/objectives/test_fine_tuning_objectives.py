"""Losses of fine-tuning against numpy, from logits that a stand-in for the model gives."""

import numpy as np
import pytest
import tensorflow as tf

from official.objectives.classification import Classification, MultiLabelClassification, Regression
from official.objectives.question_answering import question_answering
from official.objectives.token_classification import token_classification


def answering(**outputs):
    return lambda batch, training: {name: tf.constant(values, tf.float32) for name, values in outputs.items()}


def draw(*shape, seed=0):
    return np.random.RandomState(seed).standard_normal(shape)


def log_softmax(logits):
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def of(mean):
    return float(mean.total) / (float(mean.weight) + mean.epsilon)


@pytest.mark.parametrize("weights", [None, (1.0, 2.5, 0.5)])
def test_classification_is_the_weighted_mean_of_cross_entropies(weights):
    logits, labels = draw(5, 3), np.array([0, 2, 1, 1, 0], np.int32)
    measures = Classification(weights)(answering(logits=logits), {"label_ids": tf.constant(labels)}, True)
    losses = -log_softmax(logits)[np.arange(5), labels]
    counts = np.ones(5) if weights is None else np.array(weights)[labels]
    np.testing.assert_allclose(of(measures.losses["loss"]), (losses * counts).sum() / counts.sum(), rtol=1e-6)
    np.testing.assert_allclose(of(measures.metrics["accuracy"]), (logits.argmax(-1) == labels).mean(), rtol=1e-6)


def test_choices_compete_within_their_question():
    logits, labels = draw(8, 1), np.array([3, 0], np.int32)
    measures = Classification(choices=4)(answering(logits=logits), {"label_ids": tf.constant(labels)}, True)
    losses = -log_softmax(logits.reshape(2, 4))[np.arange(2), labels]
    np.testing.assert_allclose(of(measures.losses["loss"]), losses.mean(), rtol=1e-6)


def test_several_labels_are_binary_decisions():
    logits, labels = draw(4, 3), (draw(4, 3, seed=1) > 0).astype(np.float32)
    measures = MultiLabelClassification()(answering(logits=logits), {"label_ids": tf.constant(labels)}, True)
    probabilities = 1 / (1 + np.exp(-logits))
    losses = -(labels * np.log(probabilities) + (1 - labels) * np.log(1 - probabilities))
    np.testing.assert_allclose(of(measures.losses["loss"]), losses.mean(), rtol=1e-6)


def test_regression_is_the_squared_error():
    values, labels = draw(6, 1), draw(6, seed=1).astype(np.float32)
    measures = Regression()(answering(logits=values), {"label_ids": tf.constant(labels)}, True)
    np.testing.assert_allclose(of(measures.losses["loss"]), ((values[:, 0] - labels) ** 2).mean(), rtol=1e-6)


def test_tokens_without_a_label_do_not_count():
    logits, labels = draw(2, 4, 3), np.array([[-1, 2, 0, -1], [1, -1, -1, -1]], np.int32)
    measures = token_classification(answering(logits=logits), {"token_labels": tf.constant(labels)}, True)
    losses = [-log_softmax(logits)[row, place, labels[row, place]] for row, place in ((0, 1), (0, 2), (1, 0))]
    np.testing.assert_allclose(of(measures.losses["loss"]), np.mean(losses), rtol=1e-6)


def test_a_batch_without_any_labelled_token_has_no_loss():
    batch = {"token_labels": tf.constant([[-1, -1]])}
    assert of(token_classification(answering(logits=draw(1, 2, 3)), batch, True).losses["loss"]) == 0.0


def test_answers_are_the_mean_of_start_and_end():
    start, end, positions = draw(3, 7), draw(3, 7, seed=1), np.array([[0, 3, 6], [0, 5, 6]], np.int32)
    batch = {"start_positions": tf.constant(positions[0]), "end_positions": tf.constant(positions[1])}
    measures = question_answering(answering(start_logits=start, end_logits=end), batch, True)
    rows = np.arange(3)
    losses = -(log_softmax(start)[rows, positions[0]] + log_softmax(end)[rows, positions[1]]) / 2
    np.testing.assert_allclose(of(measures.losses["loss"]), losses.mean(), rtol=1e-6)
