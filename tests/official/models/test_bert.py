"""BERT's shapes, contract and numbers. The numbers come from PyTorch (tests/golden/make_bert_forward.py)."""

import json

import numpy as np
import pytest
import tensorflow as tf

from official.errors import InputError
from official.models.bert import PRESETS, Bert, BertConfig
from official.models.parameters import count_parameters
from official.models.registry import read_config
from tests.golden import seeded

TINY = BertConfig(
    vocab_size=50,
    hidden_size=12,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=16,
    type_vocab_size=2,
)

# Encoder and pooler: rows are layers, columns are hidden sizes of 128, 256, 512 and 768 (Turc et al. 2019).
GRID = {
    2: (4_385_920, 9_591_040, 22_458_880, 38_603_520),
    4: (4_782_464, 11_170_560, 28_763_648, 52_779_264),
    6: (5_179_008, 12_750_080, 35_068_416, 66_955_008),
    8: (5_575_552, 14_329_600, 41_373_184, 81_130_752),
    10: (5_972_096, 15_909_120, 47_677_952, 95_306_496),
    12: (6_368_640, 17_488_640, 53_982_720, 109_482_240),
}
PARAMETERS = {
    f"uncased_L-{num_layers}_H-{hidden_size}_A-{hidden_size // 64}": count
    for num_layers, counts in GRID.items()
    for hidden_size, count in zip((128, 256, 512, 768), counts, strict=True)
} | {
    "bert-tiny": 4_385_920,
    "bert-mini": 11_170_560,
    "bert-small": 28_763_648,
    "bert-medium": 41_373_184,
    "bert-base": 109_482_240,
    "bert-large": 335_141_888,
    "bert-base-cased": 108_310_272,
    "bert-large-cased": 333_579_264,
    "bert-base-multilingual-cased": 177_853_440,
    "bert-base-chinese": 102_267_648,
    "tinybert-4": 14_350_248,
    "tinybert-6": 66_955_008,
    "minilm-l12-h384": 33_360_000,
    "minilm-l6-h384": 22_713_216,
    "minilm-l6-h768": 66_955_008,
}
WITH_PRETRAINING_HEADS = {
    "bert-tiny": 4_433_468,
    "bert-mini": 11_267_900,
    "bert-small": 29_058_876,
    "bert-medium": 41_668_412,
    "bert-base": 110_106_428,
    "bert-large": 336_226_108,
}


def test_every_preset_has_a_published_count():
    assert PARAMETERS.keys() == PRESETS.keys()


@pytest.mark.parametrize("preset", PARAMETERS)
def test_encoder_and_pooler_have_the_published_number_of_parameters(preset):
    assert count_parameters(PRESETS[preset]) == PARAMETERS[preset]


@pytest.mark.parametrize("preset", WITH_PRETRAINING_HEADS)
def test_pretraining_model_has_the_published_number_of_parameters(preset):
    assert count_parameters(PRESETS[preset], "mlm", "nsp") == WITH_PRETRAINING_HEADS[preset]


@pytest.mark.parametrize(
    ("preset", "heads", "count"),
    [
        ("bert-base", (), 108_891_648),
        ("bert-large", (), 334_092_288),
        ("bert-base", ("mlm",), 109_514_298),
        ("bert-large", ("mlm",), 335_174_458),
    ],
)
def test_model_without_pooler_has_the_published_number_of_parameters(preset, heads, count):
    assert count_parameters(PRESETS[preset], *heads, pooler=False) == count


@pytest.mark.parametrize(
    ("preset", "head", "labels", "pooler", "count"),
    [
        ("bert-base", "sequence_classification", 2, True, 109_483_778),
        ("bert-base", "sequence_classification", 3, True, 109_484_547),
        ("bert-base", "question_answering", 0, True, 109_483_778),
        ("bert-base", "question_answering", 0, False, 108_893_186),
        ("bert-base-cased", "token_classification", 9, True, 108_317_193),
        ("bert-base-cased", "token_classification", 9, False, 107_726_601),
    ],
)
def test_fine_tuned_model_has_the_published_number_of_parameters(preset, head, labels, pooler, count):
    names = [str(number) for number in range(labels)]
    assert count_parameters(PRESETS[preset], head, labels=names, pooler=pooler) == count


@pytest.mark.parametrize(
    ("heads", "options"),
    [
        (("sequence_classification",), {}),
        (("mlm",), {"labels": ("a", "b")}),
        (("sequence_classification",), {"labels": ("a", "b"), "pooler": False}),
        (("sequence_classification", "token_classification"), {"labels": ("a", "b")}),
        (("classification",), {"labels": ("a", "b")}),
    ],
)
def test_heads_that_can_t_be_are_refused(heads, options):
    with pytest.raises(ValueError, match="head|answer"):
        Bert(TINY, heads, **options)


def test_fine_tuned_heads_answer_in_their_shapes():
    batch = {"input_ids": tf.ones((2, 5), tf.int32)}
    outputs = Bert(TINY, ("sequence_classification",), labels=("a", "b", "c"))(batch)
    assert outputs["logits"].shape == (2, 3)
    outputs = Bert(TINY, ("token_classification", "question_answering"), labels=("a", "b", "c"), pooler=False)(batch)
    assert outputs["logits"].shape == (2, 5, 3)
    assert outputs["start_logits"].shape == outputs["end_logits"].shape == (2, 5)


def test_a_model_that_is_built_for_real_has_as_many():
    assert Bert(PRESETS["bert-tiny"], ("mlm", "nsp")).count_params() == 4_433_468


def test_variables_have_the_names_and_shapes_of_the_original_graph():
    shape = seeded.SHAPES[2]
    model = Bert(BertConfig(**shape), ("mlm", "nsp"))
    names = {variable.path.split("/", 1)[1]: tuple(variable.shape) for variable in model.weights}
    assert names == seeded.weight_shapes(shape)


# Numbers


@pytest.fixture(scope="module", params=range(len(seeded.SHAPES)))
def golden(request, repository):
    """PyTorch's answers for one shape, and ours from the same weights."""
    number, shape = request.param, seeded.SHAPES[request.param]
    model = Bert(BertConfig(**shape), ("mlm", "nsp"), output_hidden_states=True, output_attention_probs=True)
    drawn = seeded.weights(shape, seed=number)
    for variable in model.weights:
        variable.assign(drawn[variable.path.split("/", 1)[1]])
    batch = seeded.batch(shape, seed=number)
    theirs = np.load(repository / "tests" / "golden" / f"bert_forward_{number}.npz")
    return model, batch, theirs


def features(batch, *names):
    return {name: tf.constant(batch[name]) for name in ("input_ids", "input_mask", "segment_ids", *names)}


def test_all_outputs_equal_those_of_pytorch(golden):
    model, batch, theirs = golden
    ours = model(features(batch))
    for name in ("pooled_output", "mlm_logits", "nsp_logits"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=1e-5, err_msg=name)
    for name in ("hidden_states", "attention_probs"):
        np.testing.assert_allclose(np.stack(ours[name]), theirs[name], rtol=0, atol=1e-5, err_msg=name)
    np.testing.assert_array_equal(ours["sequence_output"], ours["hidden_states"][-1])


def test_losses_of_its_logits_equal_those_of_pytorch(golden):
    model, batch, theirs = golden
    ours = model(features(batch, "masked_lm_positions"))
    mlm = cross_entropies(ours["mlm_logits"], batch["masked_lm_ids"])
    used = batch["masked_lm_weights"]
    np.testing.assert_allclose((mlm * used).sum() / used.sum(), theirs["masked_lm_loss"], atol=1e-5)
    nsp = cross_entropies(ours["nsp_logits"], batch["next_sentence_labels"][:, 0])
    np.testing.assert_allclose(nsp.mean(), theirs["next_sentence_loss"], atol=1e-5)


def cross_entropies(logits, labels):
    logits = np.asarray(logits, np.float64)
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    probabilities = exponentials / exponentials.sum(-1, keepdims=True)
    return -np.log(np.take_along_axis(probabilities, labels[..., np.newaxis], -1)[..., 0])


def test_numbers_are_the_same_in_a_graph_of_unknown_sizes_and_with_one_hot_embeddings(golden):
    model, batch, theirs = golden
    one_hot = Bert(model.config, model.heads, use_one_hot_embeddings=True)
    one_hot.set_weights(model.get_weights())
    unknown = tf.TensorSpec([None, None], tf.int32)
    graph = tf.function(one_hot, input_signature=[dict.fromkeys(features(batch), unknown)])
    np.testing.assert_allclose(graph(features(batch))["mlm_logits"], theirs["mlm_logits"], rtol=0, atol=1e-5)


# Contract


def test_logits_at_positions_are_those_rows_of_all_logits():
    model = Bert(TINY, ("mlm",))
    ids = tf.constant([[5, 6, 7, 8], [9, 10, 11, 12]])
    positions = tf.constant([[3, 0], [1, 1]])
    everywhere = model({"input_ids": ids})["mlm_logits"]
    chosen = model({"input_ids": ids, "masked_lm_positions": positions})["mlm_logits"]
    np.testing.assert_allclose(chosen, tf.gather(everywhere, positions, batch_dims=1), atol=1e-6)


@pytest.mark.parametrize(
    ("heads", "options", "expected"),
    [
        ((), {}, {"sequence_output", "pooled_output"}),
        ((), {"pooler": False}, {"sequence_output"}),
        (("mlm",), {"pooler": False}, {"sequence_output", "mlm_logits"}),
        (("mlm", "nsp"), {}, {"sequence_output", "pooled_output", "mlm_logits", "nsp_logits"}),
        (
            (),
            {"output_hidden_states": True, "output_attention_probs": True},
            {"sequence_output", "pooled_output", "hidden_states", "attention_probs"},
        ),
    ],
)
def test_answers_with_what_was_asked_for(heads, options, expected):
    assert Bert(TINY, heads, **options)({"input_ids": tf.constant([[1, 2, 3]])}).keys() == expected


def test_shapes_of_all_outputs():
    model = Bert(TINY, ("mlm", "nsp"), output_hidden_states=True, output_attention_probs=True)
    outputs = model({"input_ids": tf.ones([2, 5], tf.int32)})
    assert [state.shape for state in outputs["hidden_states"]] == [(2, 5, 12)] * 3
    assert [probs.shape for probs in outputs["attention_probs"]] == [(2, 3, 5, 5)] * 2
    assert outputs["pooled_output"].shape == (2, 12)
    assert outputs["mlm_logits"].shape == (2, 5, 50)
    assert outputs["nsp_logits"].shape == (2, 2)


def test_mask_and_segments_default_to_all_real_and_first():
    model = Bert(TINY)
    ids = tf.constant([[1, 2, 3]])
    spelt_out = {"input_ids": ids, "input_mask": tf.ones_like(ids), "segment_ids": tf.zeros_like(ids)}
    np.testing.assert_array_equal(model({"input_ids": ids})["pooled_output"], model(spelt_out)["pooled_output"])


def test_padding_changes_nothing_for_real_tokens():
    model = Bert(TINY)
    short = model({"input_ids": tf.constant([[1, 2, 3]])})["sequence_output"]
    padded = {"input_ids": tf.constant([[1, 2, 3, 0, 9]]), "input_mask": tf.constant([[1, 1, 1, 0, 0]])}
    np.testing.assert_allclose(model(padded)["sequence_output"][:, :3], short, atol=1e-6)


def test_dropout_acts_in_training_only():
    model = Bert(TINY)
    inputs = {"input_ids": tf.constant([[1, 2, 3]])}
    np.testing.assert_array_equal(model(inputs)["pooled_output"], model(inputs)["pooled_output"])
    assert not np.allclose(model(inputs, training=True)["pooled_output"], model(inputs)["pooled_output"])


def test_sequences_longer_than_the_positions_are_refused():
    with pytest.raises(InputError, match="sequences of 17 tokens.*positions for 16"):
        Bert(TINY)({"input_ids": tf.ones([1, 17], tf.int32)})


@pytest.mark.parametrize(("heads", "options"), [(("mlm", "rtd"), {}), (("nsp",), {"pooler": False})])
def test_impossible_heads_are_refused(heads, options):
    with pytest.raises(ValueError, match="head"):
        Bert(TINY, heads, **options)


# Config


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("hidden_size", 0, "hidden_size is 0"),
        ("hidden_size", "768", "hidden_size is '768'"),
        ("hidden_size", 12.0, "hidden_size is 12.0"),
        ("num_hidden_layers", True, "num_hidden_layers is True"),
        ("num_hidden_layers", None, "num_hidden_layers is None"),
        ("vocab_size", -1, "vocab_size is -1"),
        ("num_attention_heads", 5, "num_attention_heads is 5: it must divide hidden_size, 12"),
        ("hidden_act", "swish", "hidden_act is 'swish': one of gelu"),
        ("hidden_act", None, "hidden_act is None"),
        ("hidden_act", ["gelu"], "hidden_act is"),
        ("hidden_dropout_prob", 1, "hidden_dropout_prob is 1"),
        ("hidden_dropout_prob", "0.1", "hidden_dropout_prob is '0.1'"),
        ("attention_probs_dropout_prob", -0.1, "attention_probs_dropout_prob is -0.1"),
        ("attention_probs_dropout_prob", float("nan"), "attention_probs_dropout_prob is nan"),
        ("initializer_range", 0, "initializer_range is 0"),
    ],
)
def test_impossible_values_are_refused_by_name(tmp_path, field, value, message):
    path = tmp_path / "bert_config.json"
    path.write_text(json.dumps({"vocab_size": 50, "hidden_size": 12, "num_attention_heads": 3, field: value}))
    with pytest.raises(InputError) as error:
        read_config(str(path))
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[1]", "a JSON object was expected"),
        ("{}", "vocab_size is missing"),
    ],
)
def test_what_is_no_config_is_refused_and_named(tmp_path, text, message):
    path = tmp_path / "bert_config.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_config(str(path))
    assert str(path) in str(error.value)


def test_no_such_config():
    with pytest.raises(InputError, match=r"nowhere\.json: no such file"):
        read_config("nowhere.json")
    with pytest.raises(InputError, match="bert-huge: no such file, and no preset of that name"):
        read_config("bert-huge")


def test_unknown_keys_are_named_and_those_of_the_releases_are_not(capsys):
    BertConfig.from_dict({"vocab_size": 9, "pooler_fc_size": 768, "directionality": "bidi", "hidden_sizes": 3})
    message = capsys.readouterr().err
    assert "hidden_sizes" in message
    assert "pooler" not in message


def test_config_survives_being_written_and_read(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(TINY.to_json())
    assert read_config(str(path)) == TINY


def test_defaults_are_those_of_the_original():
    assert json.loads(BertConfig(vocab_size=1).to_json()) == {
        "attention_probs_dropout_prob": 0.1,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": 768,
        "initializer_range": 0.02,
        "intermediate_size": 3072,
        "max_position_embeddings": 512,
        "num_attention_heads": 12,
        "num_hidden_layers": 12,
        "type_vocab_size": 16,
        "vocab_size": 1,
    }


def test_a_config_of_hugging_face_given_as_the_originals_means_what_it_means_there(tmp_path):
    """There `gelu` is the exact form: https://huggingface.co/docs/transformers/model_doc/bert, `hidden_act`."""
    path = tmp_path / "config.json"
    shape = {"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    forms = {"gelu": "gelu_erf", "gelu_new": "gelu", "relu": "relu"}
    for act, ours in forms.items():
        path.write_text(json.dumps(shape | {"hidden_act": act, "model_type": "bert", "architectures": ["BertModel"]}))
        assert read_config(str(path)).hidden_act == ours
    path.write_text(json.dumps(shape | {"hidden_act": "gelu"}))
    assert read_config(str(path)).hidden_act == "gelu"
    for wrong in ({"model_type": "xlm"}, {"position_embedding_type": "relative_key"}):
        path.write_text(json.dumps(shape | {"model_type": "bert"} | wrong))
        with pytest.raises(InputError, match=f"{path}: {next(iter(wrong))} is"):
            read_config(str(path))
