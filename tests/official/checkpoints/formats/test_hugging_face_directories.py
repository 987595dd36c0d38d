"""Hugging Face directories: config and weights both ways, and what is refused."""

import json
import os

import numpy as np
import pytest
import safetensors.numpy

from official import checkpoints
from official.errors import InputError
from official.models.bert import Bert
from official.tokenization.wordpiece import WordPieceTokenizer
from tests.golden import seeded
from tests.golden.pytorch_names import pytorch_name


def read_config(directory):
    return json.loads((directory / "config.json").read_text("utf-8"))


def edit_config(directory, **changes):
    (directory / "config.json").write_text(json.dumps(read_config(directory) | changes))


def forget_settings(directory):
    """As a file that is not from here."""
    edit_weights(directory, lambda tensors: tensors)


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
        (("question_answering",), {}, "BertForQuestionAnswering"),
        (("question_answering",), {"pooler": False}, "BertForQuestionAnswering"),
        (("mlm", "question_answering"), {}, "BertForQuestionAnswering"),
    ],
)
def test_heads_come_back_and_are_named_in_the_config(tmp_path, make_model, heads, options, architecture):
    model = make_model(0, heads, **options)
    checkpoints.save(model, str(tmp_path))
    assert read_config(tmp_path)["architectures"] == [architecture]
    loaded = checkpoints.load(str(tmp_path))
    assert set(loaded.heads) == set(heads)
    assert (loaded.encoder.pooler is None) == (model.encoder.pooler is None)
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
    forget_settings(directory)
    assert checkpoints.load(str(directory)).config.hidden_act == ours


@pytest.mark.parametrize(("number", "theirs"), [(0, "gelu_new"), (1, "gelu"), (8, "relu")])
def test_activation_is_written(tmp_path, make_model, number, theirs):
    model = make_model(number)
    checkpoints.save(model, str(tmp_path))
    assert read_config(tmp_path)["hidden_act"] == theirs
    assert checkpoints.load(str(tmp_path)).config == model.config


def test_another_activation_than_the_model_s_is_noted(directory, model):
    edit_config(directory, hidden_act="gelu")
    forget_settings(directory)
    report = checkpoints.load_weights(model, str(directory))
    assert report.notes == ["hidden_act is 'gelu' in the model, 'gelu_erf' in the checkpoint's config"]
    assert report.notes[0] in str(report)


# Config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_act": "silu"}, "hidden_act is 'silu': one of gelu"),
        ({"hidden_act": ["gelu"]}, "hidden_act is"),
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
    with pytest.raises(InputError, match=r"no weights: one of model\.safetensors, .* was expected"):
        checkpoints.load(str(directory))


def test_weights_cut_short_are_refused(directory):
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match=r"model\.safetensors: .*cut short"):
        checkpoints.load(str(directory))


# What is stored of a head: its labels

CLASSIFIERS = ["sequence_classification", "token_classification"]


def labelled_model(model, head, *names, **options):
    made = Bert(model.config, (head,), labels=names, **options)
    for number, variable in enumerate(made.weights):
        variable.assign(np.random.RandomState(number).standard_normal(variable.shape))
    return made


@pytest.mark.parametrize("head", CLASSIFIERS)
def test_labels_come_back_with_their_head(tmp_path, model, head):
    made = labelled_model(model, head, "no", "yes", "어쩌면")
    checkpoints.save(made, str(tmp_path))
    assert read_config(tmp_path)["id2label"] == {"0": "no", "1": "yes", "2": "어쩌면"}
    assert read_config(tmp_path)["label2id"] == {"no": 0, "yes": 1, "어쩌면": 2}
    loaded = checkpoints.load(str(tmp_path))
    assert (loaded.heads, loaded.labels) == ((head,), ("no", "yes", "어쩌면"))
    assert_same_weights(loaded, made)


@pytest.mark.parametrize("names", [None, {"0": "A", "1": "B"}])
def test_labels_that_do_not_name_every_class_are_numbered(tmp_path, model, names):
    checkpoints.save(labelled_model(model, "sequence_classification", "x", "y", "z"), str(tmp_path))
    edit_config(tmp_path, id2label=names)
    assert checkpoints.load(str(tmp_path)).labels == ("LABEL_0", "LABEL_1", "LABEL_2")


@pytest.mark.parametrize("names", [["a"], {"a": "b"}, {"0": 1}, {"1": "a"}, {"0": "a", "00": "b"}, 7])
def test_labels_that_make_no_sense_are_refused(tmp_path, model, names):
    checkpoints.save(labelled_model(model, "sequence_classification", "x", "y"), str(tmp_path))
    edit_config(tmp_path, id2label=names)
    with pytest.raises(InputError, match=r"config\.json: id2label is"):
        checkpoints.load(str(tmp_path))


def test_labels_of_another_order_are_refused(tmp_path, model):
    checkpoints.save(labelled_model(model, "sequence_classification", "no", "yes"), str(tmp_path))
    other = labelled_model(model, "sequence_classification", "yes", "no")
    with pytest.raises(InputError, match="its labels are no, yes, the model's are yes, no"):
        checkpoints.load_weights(other, str(tmp_path))
    unnamed = labelled_model(model, "sequence_classification", "LABEL_0", "LABEL_1")
    assert len(checkpoints.load_weights(unnamed, str(tmp_path)).loaded) == len(unnamed.weights)


def test_a_head_of_other_classes_is_refused_and_may_be_started_anew(tmp_path, model):
    checkpoints.save(labelled_model(model, "sequence_classification", "no", "yes"), str(tmp_path))
    other = labelled_model(model, "sequence_classification", "a", "b", "c")
    with pytest.raises(InputError, match=r"\[2, 24\] in the checkpoint, \[3, 24\].*--reinitialize_head"):
        checkpoints.load_weights(other, str(tmp_path))
    report = checkpoints.load_weights(other, str(tmp_path), reinitialize=["sequence_classification"])
    assert len(report.reinitialized) == 2


# Never a silently wrong model


@pytest.mark.parametrize(
    "changes", [{"num_attention_heads": 4}, {"hidden_act": "gelu"}, {"layer_norm_eps": 1e-5}], ids=str
)
def test_a_config_that_computes_something_else_with_our_weights_is_refused(directory, changes):
    edit_config(directory, **changes)
    with pytest.raises(InputError, match=f"{next(iter(changes))} is .*but the model whose weights are in model.safe"):
        checkpoints.load(str(directory))


def test_a_config_of_fewer_layers_than_the_weights_have_is_refused(tmp_path, make_model):
    checkpoints.save(make_model(1), str(tmp_path))
    edit_config(tmp_path, num_hidden_layers=1)
    with pytest.raises(InputError, match="holds 2 layers, but its config says that num_hidden_layers is 1"):
        checkpoints.load(str(tmp_path))


@pytest.mark.parametrize(
    "field",
    [
        "vocab_size",
        "hidden_size",
        "max_position_embeddings",
        "type_vocab_size",
        "intermediate_size",
        "num_hidden_layers",
    ],
)
def test_a_config_that_lies_about_a_size_is_refused_before_anything_is_built(directory, field):
    edit_config(directory, **{field: 2_000_000_000})
    with pytest.raises(InputError, match=rf"but its config says that {field} is 2000000000"):
        checkpoints.load(str(directory))


@pytest.mark.parametrize("name", ["bert.encoder.layer.0.attention.self.distance_embedding.weight", "encoder.adapter.w"])
def test_an_encoder_of_another_kind_is_refused(directory, name):
    edit_weights(directory, lambda tensors: tensors | {name: np.zeros(3, np.float32)})
    with pytest.raises(InputError, match="no place"):
        checkpoints.load(str(directory))


def test_what_stands_on_the_encoder_and_nobody_knows_is_told_and_left_out(directory, model, capsys):
    edit_weights(directory, lambda tensors: tensors | {"crf.transitions": np.zeros((3, 3), np.float32)})
    assert_same_weights(checkpoints.load(str(directory)), model)
    assert "in the checkpoint but not in the model (1): crf.transitions [3, 3]" in capsys.readouterr().err


def test_a_value_that_no_model_has_is_refused(directory):
    edit_weights(directory, lambda tensors: tensors | {"bert.pooler.dense.bias": np.full(24, 3e30, np.float32)})
    with pytest.raises(InputError, match=r"bert.pooler.dense.bias holds values up to 3e\+30: the file is damaged"):
        checkpoints.load(str(directory))


# Tokenizer


def test_tokenizer_goes_along(tmp_path, make_model):
    tokens = ["[UNK]", "한국", "[PAD]", "[MASK]"]
    tokenizer = WordPieceTokenizer({token: number for number, token in enumerate(tokens)}, lower_case=False)
    checkpoints.save(make_model(0), str(tmp_path), tokenizer=tokenizer)
    assert (tmp_path / "vocab.txt").read_text("utf-8").split("\n")[:4] == tokens
    assert read_config(tmp_path)["pad_token_id"] == 2
    assert checkpoints.read_tokenizer(str(tmp_path)).tokens == tokens


def test_a_vocabulary_larger_than_the_model_s_is_refused(tmp_path, model):
    tokenizer = WordPieceTokenizer({"[UNK]": 0, "a": 101})
    with pytest.raises(InputError, match="102 tokens, the model embeddings for 101"):
        checkpoints.save(model, str(tmp_path / "model"), tokenizer=tokenizer)
    assert not (tmp_path / "model").exists()
