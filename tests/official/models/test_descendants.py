"""Shapes of BERT's descendants, as published (reference: the releases' sizes), and what they share and do not."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from official import layers
from official.errors import InputError
from official.models import bert, registry
from official.models.albert import Albert, AlbertConfig
from official.models.electra import ElectraConfig, ElectraPretraining, generator_of
from official.models.parameters import count_parameters
from official.models.registry import PRESETS
from official.models.roberta import Roberta, RobertaConfig

# Encoder, with its pooler where the family has one.
PARAMETERS = {
    "roberta-base": 124_645_632,
    "roberta-large": 355_359_744,
    "albert-base-v1": 11_683_584,
    "albert-large-v1": 17_683_968,
    "albert-xlarge-v1": 58_724_864,
    "albert-xxlarge-v1": 222_595_584,
    "albert-base-v2": 11_683_584,
    "albert-large-v2": 17_683_968,
    "albert-xlarge-v2": 58_724_864,
    "albert-xxlarge-v2": 222_595_584,
    "electra-small": 13_483_008,
    "electra-base": 108_891_648,
    "electra-large": 334_092_288,
    # On embeddings of the discriminator, which are counted here: 30,522 words, 512 positions, 2 segments, LayerNorm.
    "electra-small-generator": 608_064 + (30_522 + 512 + 2 + 2) * 128,
    "electra-base-generator": 9_673_984 + (30_522 + 512 + 2 + 2) * 768,
    "electra-large-generator": 51_065_344 - (256 + 1) * 256,  # The reference counts a pooler.
    "distilbert-base": 66_362_880,
    "distilbert-base-cased": 66_362_880 - (30_522 - 28_996) * 768,
    "distilbert-base-multilingual-cased": 66_362_880 + (119_547 - 30_522) * 768,
}
WITH_HEADS = [
    ("roberta-base", ("mlm",), {"pooler": False}, 124_697_433),
    ("albert-base-v2", ("mlm", "sop"), {}, 11_813_810),
    ("albert-large-v2", ("mlm", "sop"), {}, 17_847_474),
    ("albert-xlarge-v2", ("mlm", "sop"), {}, 59_021_490),
    ("albert-xxlarge-v2", ("mlm", "sop"), {}, 223_158_450),
    ("electra-small", ("rtd",), {}, 13_549_057),
    ("electra-base", ("rtd",), {}, 109_483_009),
    ("electra-large", ("rtd",), {}, 335_142_913),
    ("electra-base-generator", ("mlm",), {}, PARAMETERS["electra-base-generator"] + 229_434),
    ("distilbert-base", ("mlm",), {}, 66_985_530),
]
# ALBERT's table 3: the base shape, by the width of the embeddings.
TABLE_3 = {
    "none": {64: 87_648_000, 128: 89_650_176, 256: 93_654_528, 768: 109_081_344},
    "all": {64: 9_681_408, 128: 11_683_584, 256: 15_687_936, 768: 31_114_752},
}
SMALL = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 24}


def test_every_preset_has_a_published_count():
    assert PARAMETERS.keys() | bert.PRESETS.keys() == PRESETS.keys()


@pytest.mark.parametrize("preset", PARAMETERS)
def test_the_encoder_has_the_published_number_of_parameters(preset):
    assert count_parameters(PRESETS[preset]) == PARAMETERS[preset]


@pytest.mark.parametrize(("preset", "heads", "options", "count"), WITH_HEADS)
def test_heads_of_pretraining_have_the_published_number_of_parameters(preset, heads, options, count):
    assert count_parameters(PRESETS[preset], *heads, **options) == count


def test_generator_and_discriminator_together_have_the_published_number_of_parameters():
    model = ElectraPretraining(PRESETS["electra-small"])
    assert sum(int(np.prod(variable.shape)) for variable in model.trainable_variables) == 14_196_219
    assert generator_of(PRESETS["electra-small"], 0.25) == PRESETS["electra-small-generator"]
    assert generator_of(PRESETS["electra-base"], 1 / 3) == PRESETS["electra-base-generator"]


@pytest.mark.parametrize(
    ("shared", "width", "count"), [(name, *item) for name, row in TABLE_3.items() for item in row.items()]
)
def test_factorised_and_shared_parameters_are_those_of_table_3(shared, width, count):
    config = AlbertConfig(embedding_size=width, shared=shared)
    assert count_parameters(config) == count


@pytest.mark.parametrize("shared", ["all", "attention", "feed_forward", "none"])
def test_layers_have_in_common_what_the_config_says(shared):
    steps = Albert(AlbertConfig(**SMALL, embedding_size=8, shared=shared)).encoder.encoder.steps
    first, last = steps[0][0], steps[-1][0]
    assert (first.attention is last.attention) == (shared in ("all", "attention"))
    assert (first.intermediate is last.intermediate) == (shared in ("all", "feed_forward"))


def test_groups_are_parted_as_published():
    config = AlbertConfig(**SMALL | {"num_hidden_layers": 5}, embedding_size=8, num_hidden_groups=3)
    assert [config.group_of(layer) for layer in range(5)] == [0, 0, 1, 1, 2]


def test_layers_with_the_same_weights_draw_different_dropout():
    config = AlbertConfig(
        **SMALL | {"num_hidden_layers": 2}, embedding_size=16, hidden_dropout_prob=0.5, attention_probs_dropout_prob=0.0
    )
    model = Albert(config, output_hidden_states=True)
    inputs = {"input_ids": tf.reshape(tf.range(1, 41), [4, 10])}
    seed = layers.DropoutSeed(tf.constant([3, 5]))
    seeds = [seed.fold(layer).value.numpy().tolist() for layer in range(24)]
    assert len({tuple(each) for each in seeds}) == 24
    with layers.dropout_seed(seed):
        once, again = (model(inputs, training=True)["hidden_states"] for _ in range(2))
    np.testing.assert_array_equal(once[2], again[2])
    block = model.encoder.encoder.steps[0][0]
    with layers.dropout_seed(seed.fold(0)):
        as_first, _ = block(once[1], layers.attention_bias(tf.ones([4, 10])), training=True)
    with layers.dropout_seed(seed.fold(1)):
        as_second, _ = block(once[1], layers.attention_bias(tf.ones([4, 10])), training=True)
    np.testing.assert_allclose(as_second, once[2], atol=1e-6)
    assert not np.allclose(as_first, once[2], atol=1e-4)


def test_positions_are_counted_from_behind_the_id_of_padding():
    model = Roberta(RobertaConfig(**SMALL, max_position_embeddings=10))
    ids = tf.constant([[0, 9, 8, 2, 1, 1], [0, 9, 2, 1, 1, 1]])
    positions = model.encoder.positions(ids)
    np.testing.assert_array_equal(positions, [[2, 3, 4, 5, 1, 1], [2, 3, 4, 1, 1, 1]])


def test_a_sequence_longer_than_the_positions_of_a_roberta_is_refused():
    model = Roberta(RobertaConfig(**SMALL, max_position_embeddings=10))
    model({"input_ids": tf.fill([1, 8], 5)})
    with pytest.raises(InputError, match="sequences of 9 tokens: this model has positions for 8"):
        model({"input_ids": tf.fill([1, 9], 5)})


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"model_type": "albert", "num_hidden_groups": 13, "num_hidden_layers": 12}, "num_hidden_groups is 13"),
        ({"model_type": "albert", "shared": "half"}, "shared is 'half'"),
        ({"model_type": "roberta", "pad_token_id": -1}, "pad_token_id is -1: a whole number of at least 0"),
        ({"model_type": "roberta", "position_embedding_type": "relative_key"}, "this RoBERTa computes with 'absolute'"),
        ({"model_type": "electra", "embedding_size": 0}, "embedding_size is 0"),
        ({"model_type": "distilbert", "dim": 30, "n_heads": 4}, "num_attention_heads is 4"),
        ({"model_type": "xlm"}, "model_type is 'xlm'"),
    ],
)
def test_an_impossible_config_is_refused(values, told):
    values = {"vocab_size": 60, **values}
    with pytest.raises(InputError, match=told):
        registry.config_class(values).from_hugging_face(values)


def test_the_original_s_albert_config_is_read(tmp_path):
    path = tmp_path / "albert_config.json"
    path.write_text('{"vocab_size": 30000, "num_hidden_groups": 1, "embedding_size": 128, "hidden_act": "gelu"}')
    assert registry.read_config(str(path)) == dataclasses.replace(AlbertConfig(), type_vocab_size=2)


def test_embeddings_are_shared_between_generator_and_discriminator():
    config = ElectraConfig(**SMALL, embedding_size=8)
    model = ElectraPretraining(config, generator_size=0.5)
    assert model.generator.encoder.embeddings is model.discriminator.encoder.embeddings
    paths = [variable.path for variable in model.trainable_variables]
    assert len(set(paths)) == len(paths)
    assert sum("embeddings/word_embeddings" in path for path in paths) == 1
