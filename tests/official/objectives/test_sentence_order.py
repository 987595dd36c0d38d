"""Sentence-order prediction: loss and accuracy."""

import numpy as np
import pytest
import tensorflow as tf

from official.objectives.sentence_order import sentence_order_prediction


@pytest.mark.parametrize("shape", [[4], [4, 1]])
def test_loss_and_accuracy_are_those_of_two_classes(shape):
    logits = np.float32([[2, -1], [0.5, 0.5], [-3, 1], [1, 0]])
    labels = np.int32([0, 1, 1, 1])
    measures = sentence_order_prediction(tf.constant(logits), tf.constant(labels.reshape(shape)))
    nll = np.log(np.exp(logits).sum(1)) - logits[np.arange(4), labels]
    total, weight, epsilon = measures.losses["sentence_order_loss"]
    assert float(total) == pytest.approx(nll.sum(), rel=1e-6) and float(weight) == 4 and epsilon == 0
    correct, weight, _ = measures.metrics["sentence_order_accuracy"]
    assert (float(correct), float(weight)) == (2, 4)  # Of two equal logits the first is the answer.
