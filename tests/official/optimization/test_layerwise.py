"""Learning rates by layer."""

import numpy as np
import pytest
import tensorflow as tf

from official.models.bert import Bert, BertConfig
from official.optimization import AdamWeightDecay, layerwise_scales

CONFIG = BertConfig(vocab_size=11, hidden_size=4, num_hidden_layers=2, num_attention_heads=2, intermediate_size=8)


@pytest.mark.parametrize(
    ("name", "power"),
    [
        ("output_weights", 0),
        ("bert/pooler/dense/kernel", 0),
        ("cls/tagging/output_bias", 0),
        ("bert/encoder/layer_1/output/dense/kernel", 1),
        ("bert/encoder/layer_0/attention/self/query/bias", 2),
        ("bert/embeddings/word_embeddings", 3),
        ("bert/embeddings/LayerNorm/gamma", 3),
    ],
)
def test_a_layer_learns_slower_than_the_one_above(name, power):
    assert layerwise_scales([name], num_layers=2, decay=0.5) == {name: 0.5**power}


def test_every_variable_of_a_model_has_a_scale_and_none_differs_without_decay():
    model = Bert(CONFIG, ("sequence_classification",), labels=("a", "b"))
    names = [variable.path.split("/", 1)[1] for variable in model.weights]
    assert set(layerwise_scales(names, 2, 1.0).values()) == {1.0}
    assert set(layerwise_scales(names, 2, 0.9).values()) == {1.0, 0.9, 0.9**2, 0.9**3}


def test_the_optimizer_scales_what_a_variable_learns():
    values = {name: tf.Variable([1.0, 2.0]) for name in ("a/bias", "b/bias")}
    optimizer = AdamWeightDecay(values, learning_rate_scales={"b/bias": 0.25})
    optimizer.apply_gradients([tf.constant([0.5, -1.0])] * 2, tf.constant(0.1), tf.constant(0), tf.constant(True))
    moved = {name: variable.numpy() - [1.0, 2.0] for name, variable in values.items()}
    np.testing.assert_allclose(moved["b/bias"], 0.25 * moved["a/bias"], rtol=1e-5)
