"""Hugging Face directories: config and weights both ways, and what is refused."""

import json
import os

import numpy as np
import pytest
import safetensors.numpy

from official import checkpoints
from official.errors import InputError
from tests.golden import seeded
from tests.golden.pytorch_names import pytorch_name


def read_config(directory):
    return json.loads((directory / "config.json").read_text("utf-8"))


def edit_config(directory, **changes):
    (directory / "config.json").write_text(json.dumps(read_config(directory) | changes))


def edit_weights(directory, change):
    path = str(directory / "model.safetensors")
    tensors = safetensors.numpy.load_file(path)
    safetensors.numpy.save_file(change(dict(tensors)) or tensors, path, metadata={"format": "pt"})


def assert_same_weights(model, expected):
    assert len(model.weights) == len(expected.weights)
    for variable, other in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_array_equal(variable, other, err_msg=variable.path)


@pytest.fixture
def directory(tmp_path, model):
    checkpoints.save(model, str(tmp_path / "model"))
    return tmp_path / "model"


@pytest.mark.parametrize("number", range(len(seeded.SHAPES)))
def test_tf1_to_hugging_face_to_tf1_is_the_same_to_the_last_bit(tmp_path, make_model, number):
    original = make_model(number)
    checkpoints.save_tf1(original, str(tmp_path / "one" / "bert_model.ckpt"))
    checkpoints.save(checkpoints.load(str(tmp_path / "one")), str(tmp_path / "two"))
    checkpoints.save_tf1(checkpoints.load(str(tmp_path / "two")), str(tmp_path / "three" / "bert_model.ckpt"))
    for name in sorted(os.listdir(tmp_path / "one")):
        assert (tmp_path / "three" / name).read_bytes() == (tmp_path / "one" / name).read_bytes()


def test_tensors_have_pytorch_s_names_and_orientation(directory):
    stored = safetensors.numpy.load_file(str(directory / "model.safetensors"))
    expected = {
        pytorch_name(name): values.T if name.endswith("kernel") else values
        for name, values in seeded.weights(seeded.SHAPES[0], seed=0).items()
    }
    assert stored.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(stored[name], values, err_msg=name)


@pytest.mark.parametrize(
    ("heads", "options", "architecture"),
    [
        ((), {}, "BertModel"),
        ((), {"pooler": False}, "BertModel"),
        (("mlm",), {}, "BertForMaskedLM"),
        (("mlm",), {"pooler": False}, "BertForMaskedLM"),
        (("nsp",), {}, "BertForNextSentencePrediction"),
        (("nsp", "mlm"), {}, "BertForPreTraining"),
    ],
)
def test_heads_come_back_and_are_named_in_the_config(tmp_path, make_model, heads, options, architecture):
    model = make_model(0, heads, **options)
    checkpoints.save(model, str(tmp_path))
    assert read_config(tmp_path)["architectures"] == [architecture]
    loaded = checkpoints.load(str(tmp_path))
    assert set(loaded.heads) == set(heads)
    assert (loaded.bert.pooler is None) == (model.bert.pooler is None)
    for variable in model.weights:
        match = next(other for other in loaded.weights if other.path == variable.path)
        np.testing.assert_array_equal(match, variable)


def test_a_loaded_model_answers_with_all_that_can_be_looked_at(directory):
    outputs = checkpoints.load(str(directory))({"input_ids": np.array([[1, 2, 3]], np.int32)})
    assert {"hidden_states", "attention_probs"} <= outputs.keys()


def test_an_output_dir_holds_it_in_model(directory, model):
    assert_same_weights(checkpoints.load(str(directory.parent)), model)


# Activations: `gelu` is the exact form there, the tanh form in the original's files.


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("gelu", "gelu_erf"), ("gelu_new", "gelu"), ("gelu_pytorch_tanh", "gelu"), ("relu", "relu"), ("tanh", "tanh")],
)
def test_activation_is_read(directory, theirs, ours):
    edit_config(directory, hidden_act=theirs)
    assert checkpoints.load(str(directory)).config.hidden_act == ours


@pytest.mark.parametrize(("number", "theirs"), [(0, "gelu_new"), (1, "gelu"), (8, "relu")])
def test_activation_is_written(tmp_path, make_model, number, theirs):
    model = make_model(number)
    checkpoints.save(model, str(tmp_path))
    assert read_config(tmp_path)["hidden_act"] == theirs
    assert checkpoints.load(str(tmp_path)).config == model.config


def test_another_activation_than_the_model_s_is_noted(directory, model):
    edit_config(directory, hidden_act="gelu")
    report = checkpoints.load_weights(model, str(directory))
    assert report.notes == ["hidden_act is 'gelu' in the model, 'gelu_erf' in the checkpoint's config"]
    assert report.notes[0] in str(report)


# Config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_act": "silu"}, "hidden_act is 'silu': one of gelu"),
        ({"hidden_act": ["gelu"]}, "hidden_act is"),
        ({"layer_norm_eps": 1e-5}, "layer_norm_eps is 1e-05: this BERT computes with 1e-12 only"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ({"is_decoder": True}, "is_decoder is True"),
        ({"model_type": "gpt9"}, "model_type is 'gpt9': one of bert"),
        ({"model_type": ["bert"]}, "model_type is"),
        ({"hidden_size": -3}, "hidden_size is -3"),
        ({"vocab_size": None}, "vocab_size is None"),
    ],
)
def test_a_config_of_another_model_is_refused(directory, changes, message):
    edit_config(directory, **changes)
    with pytest.raises(InputError, match=message) as error:
        checkpoints.load(str(directory))
    assert str(directory / "config.json") in str(error.value)


def test_fields_that_do_not_concern_us_are_passed_over_in_silence(directory, capsys):
    edit_config(directory, transformers_version="5.0", id2label={"0": "a"}, classifier_dropout=None, use_cache=True)
    checkpoints.load(str(directory))
    assert not capsys.readouterr().err


def test_defaults_are_those_of_transformers(directory, model):
    values = read_config(directory)
    for name in ("type_vocab_size", "layer_norm_eps", "model_type", "architectures", "position_embedding_type"):
        del values[name]
    (directory / "config.json").write_text(json.dumps(values))
    assert_same_weights(checkpoints.load(str(directory)), model)


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000])
def test_what_is_no_config_is_refused(directory, text):
    (directory / "config.json").write_text(text)
    with pytest.raises(InputError, match="JSON"):
        checkpoints.load(str(directory))


# Weights


def test_names_without_prefix_with_older_spellings_and_buffers_are_read(directory, model):
    def older(tensors):
        renamed = {}
        for name, values in tensors.items():
            name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
            renamed[name.removeprefix("bert.")] = values
        return renamed | {"embeddings.position_ids": np.arange(16)[np.newaxis]}

    edit_weights(directory, older)
    assert not checkpoints.load_weights(model, str(directory)).unused
    assert_same_weights(checkpoints.load(str(directory)), model)


def test_half_precision_is_widened(directory, model):
    edit_weights(directory, lambda tensors: {name: values.astype(np.float16) for name, values in tensors.items()})
    for variable, other in zip(checkpoints.load(str(directory)).weights, model.weights, strict=True):
        np.testing.assert_array_equal(variable, np.asarray(other).astype(np.float16).astype(np.float32))


WORDS, DECODER = "bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"


def test_a_copy_of_the_tied_embeddings_is_accepted(directory, model):
    edit_weights(directory, lambda tensors: tensors | {DECODER: tensors[WORDS].copy()})
    assert_same_weights(checkpoints.load(str(directory)), model)


def test_the_copy_alone_is_enough(directory, model):
    def drop(tensors):
        tensors[DECODER] = tensors.pop(WORDS)
        tensors["cls.predictions.decoder.bias"] = tensors.pop("cls.predictions.bias")
        return tensors

    edit_weights(directory, drop)
    assert_same_weights(checkpoints.load(str(directory)), model)


def test_an_untied_decoder_is_refused_where_it_would_be_needed(directory):
    edit_weights(directory, lambda tensors: tensors | {DECODER: tensors[WORDS] + 1})
    with pytest.raises(InputError, match=r"cls\.predictions\.decoder\.weight is not the same as"):
        checkpoints.load(str(directory))
    assert checkpoints.load(str(directory), heads=()).heads == ()


def test_the_same_variable_twice_is_refused(directory):
    edit_weights(directory, lambda tensors: tensors | {"pooler.dense.bias": tensors["bert.pooler.dense.bias"]})
    with pytest.raises(InputError, match="are the same variable, bert/pooler/dense/bias"):
        checkpoints.load(str(directory))


def test_missing_weights_are_named(directory):
    os.remove(directory / "model.safetensors")
    with pytest.raises(InputError, match=r"model\.safetensors: no such file"):
        checkpoints.load(str(directory))


def test_weights_cut_short_are_refused(directory):
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"model\.safetensors: .*cut short"):
        checkpoints.load(str(directory))


# Tokenizer


def test_vocabulary_goes_along(tmp_path, make_model):
    vocab_file = tmp_path / "words.txt"
    vocab_file.write_text("[UNK]\n한국\n[PAD]\n[MASK]\n", encoding="utf-8")
    checkpoints.save(make_model(0), str(tmp_path / "model"), vocab_file=str(vocab_file), lower_case=False)
    assert (tmp_path / "model" / "vocab.txt").read_bytes() == vocab_file.read_bytes()
    settings = json.loads((tmp_path / "model" / "tokenizer_config.json").read_text("utf-8"))
    assert settings["do_lower_case"] is False
    assert settings["tokenizer_class"] == "BertTokenizer"
    assert settings["model_max_length"] == 16
    assert settings["mask_token"] == "[MASK]"
    assert read_config(tmp_path / "model")["pad_token_id"] == 2


def test_a_vocabulary_that_is_not_there_is_refused_before_anything_is_written(tmp_path, model):
    with pytest.raises(InputError, match="no such file"):
        checkpoints.save(model, str(tmp_path / "model"), vocab_file=str(tmp_path / "vocab.txt"))
    assert not (tmp_path / "model").exists()
