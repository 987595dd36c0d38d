"""The name map of BERT against names written down from transformers' BertForPreTraining.state_dict()."""

import pytest

from official.checkpoints.bert import NAMES
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
        "classifier.weight",
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
