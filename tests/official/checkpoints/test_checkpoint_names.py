"""The name maps of BERT against names written down from others.

From transformers' BertForPreTraining.state_dict(), and from the files of weights of keras_hub's BertMaskedLM and
BertTextClassifier.
"""

import pytest

from official.checkpoints.families import bert_keras_hub
from official.checkpoints.families.bert import NAMES
from tests.golden import seeded

PAIRS = [
    ("bert/embeddings/word_embeddings", "bert.embeddings.word_embeddings.weight", False),
    ("bert/embeddings/token_type_embeddings", "bert.embeddings.token_type_embeddings.weight", False),
    ("bert/embeddings/LayerNorm/beta", "bert.embeddings.LayerNorm.bias", False),
    ("bert/encoder/layer_11/attention/self/key/kernel", "bert.encoder.layer.11.attention.self.key.weight", True),
    ("bert/encoder/layer_0/attention/output/dense/bias", "bert.encoder.layer.0.attention.output.dense.bias", False),
    ("bert/encoder/layer_3/output/LayerNorm/gamma", "bert.encoder.layer.3.output.LayerNorm.weight", False),
    ("bert/encoder/layer_3/intermediate/dense/kernel", "bert.encoder.layer.3.intermediate.dense.weight", True),
    ("bert/pooler/dense/kernel", "bert.pooler.dense.weight", True),
    ("cls/predictions/output_bias", "cls.predictions.bias", False),
    ("cls/predictions/transform/LayerNorm/gamma", "cls.predictions.transform.LayerNorm.weight", False),
    ("cls/seq_relationship/output_weights", "cls.seq_relationship.weight", False),
]


@pytest.mark.parametrize(("ours", "theirs", "transposed"), PAIRS)
def test_names_are_translated_both_ways(ours, theirs, transposed):
    assert NAMES.to_theirs(ours)[0] == theirs
    found, rule = NAMES.to_ours(theirs)
    assert (found, rule.transposed) == (ours, transposed)


@pytest.mark.parametrize(
    ("spelling", "ours"),
    [
        ("embeddings.word_embeddings.weight", "bert/embeddings/word_embeddings"),
        ("encoder.layer.0.output.dense.weight", "bert/encoder/layer_0/output/dense/kernel"),
        ("pooler.dense.bias", "bert/pooler/dense/bias"),
        ("bert.embeddings.LayerNorm.gamma", "bert/embeddings/LayerNorm/gamma"),
        ("encoder.layer.2.attention.output.LayerNorm.beta", "bert/encoder/layer_2/attention/output/LayerNorm/beta"),
    ],
)
def test_a_missing_prefix_and_older_spellings_are_understood(spelling, ours):
    assert NAMES.to_ours(spelling)[0] == ours


@pytest.mark.parametrize(
    "name",
    [
        "scorer.weight",
        "bert.encoder.layer.x.output.dense.weight",
        "bert.encoder.layer.0.output.dense.weight.extra",
        "roberta.embeddings.word_embeddings.weight",
        "bert.bert.pooler.dense.bias",
        "",
    ],
)
def test_other_names_are_nobody_s(name):
    assert NAMES.to_ours(name) is None


def test_every_variable_has_one_name_and_comes_back_from_it():
    for shape in seeded.SHAPES:
        ours = list(seeded.weight_shapes(shape))
        theirs = [NAMES.to_theirs(name)[0] for name in ours]
        assert len(set(theirs)) == len(theirs)
        assert [NAMES.to_ours(name)[0] for name in theirs] == ours


def test_a_variable_without_a_rule_is_an_error():
    with pytest.raises(KeyError):
        NAMES.to_theirs("bert/embeddings/factorised/kernel")


ATTENTION = "model.weights.h5/layers/transformer_encoder{n}/_self_attention_layer/"
KERAS_HUB_PAIRS = [
    ("bert/embeddings/word_embeddings", "model.weights.h5/layers/reversible_embedding/vars/0", None),
    ("bert/embeddings/token_type_embeddings", "model.weights.h5/layers/embedding/vars/0", None),
    ("bert/embeddings/LayerNorm/beta", "model.weights.h5/layers/layer_normalization/vars/1", None),
    ("bert/encoder/layer_0/attention/self/query/kernel", ATTENTION.format(n="") + "query_dense/vars/0", 1),
    ("bert/encoder/layer_0/attention/self/value/bias", ATTENTION.format(n="") + "value_dense/vars/1", 0),
    ("bert/encoder/layer_11/attention/self/key/kernel", ATTENTION.format(n="_11") + "key_dense/vars/0", 1),
    ("bert/encoder/layer_1/attention/output/dense/kernel", ATTENTION.format(n="_1") + "output_dense/vars/0", 0),
    ("bert/encoder/layer_1/attention/output/dense/bias", ATTENTION.format(n="_1") + "output_dense/vars/1", None),
    (
        "bert/encoder/layer_3/output/LayerNorm/gamma",
        "model.weights.h5/layers/transformer_encoder_3/_feedforward_layer_norm/vars/0",
        None,
    ),
    ("bert/pooler/dense/kernel", "model.weights.h5/layers/dense/vars/0", None),
    ("cls/predictions/output_bias", "task.weights.h5/layers/masked_lm_head/vars/0", None),
]


@pytest.mark.parametrize(("ours", "theirs", "heads_axis"), KERAS_HUB_PAIRS)
def test_names_of_keras_hub_are_translated_both_ways(ours, theirs, heads_axis):
    names = bert_keras_hub.names_of("mlm")
    assert names.to_theirs(ours)[0] == theirs
    found, rule = names.to_ours(theirs)
    assert (found, rule.heads_axis, rule.transposed) == (ours, heads_axis, False)


def test_the_head_decides_what_the_weights_of_a_task_are():
    theirs = "task.weights.h5/layers/dense/vars/0"
    found, rule = bert_keras_hub.names_of("sequence_classification").to_ours(theirs)
    assert (found, rule.transposed) == ("output_weights", True)
    assert bert_keras_hub.names_of("mlm").to_ours(theirs) is None
    assert bert_keras_hub.names_of(None).find_theirs("cls/predictions/output_bias") is None


@pytest.mark.parametrize("number", ["_0", "_01", "1", "_", "_x"])
def test_keras_counts_in_one_way_only(number):
    theirs = f"model.weights.h5/layers/transformer_encoder{number}/_feedforward_layer_norm/vars/0"
    names = bert_keras_hub.names_of(None)
    assert names.to_ours(theirs) is None
    assert names.is_inside(theirs)


def test_every_variable_that_keras_hub_has_comes_back_from_its_name():
    names = bert_keras_hub.names_of("mlm")
    for shape in seeded.SHAPES:
        ours = [name for name in seeded.weight_shapes(shape) if not name.startswith("cls/seq_relationship")]
        theirs = [names.to_theirs(name)[0] for name in ours]
        assert len(set(theirs)) == len(theirs)
        assert [names.to_ours(name)[0] for name in theirs] == ours
