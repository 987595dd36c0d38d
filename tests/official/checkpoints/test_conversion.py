"""`python -m official.checkpoints`: round trips to the last bit, tools, tables, and what is refused."""

import json
import os
import subprocess
import sys

import h5py
import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf

from official import checkpoints
from official.checkpoints.conversion import Changes, convert
from official.checkpoints.describe import describe
from official.errors import InputError
from official.models.bert import Bert
from official.tokenization.wordpiece import WordPieceTokenizer
from tests.golden.pytorch_names import pytorch_name

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[unused1]", "the", "sea", "##side", "##s", "."]
TOKENS += [f"w{number}" for number in range(101 - len(TOKENS))]


@pytest.fixture
def directory(tmp_path, model):
    """A Hugging Face directory with a vocabulary."""
    path = str(tmp_path / "source")
    checkpoints.save(model, path, tokenizer=WordPieceTokenizer.from_tokens(TOKENS))
    return path


def read_all(directory):
    """Every file of a directory by its name."""
    return {name: (directory / name).read_bytes() for name in sorted(os.listdir(directory))}


def run(*arguments, repository):
    return subprocess.run(
        [sys.executable, "-m", "official.checkpoints", *map(str, arguments)],
        cwd=repository,
        capture_output=True,
        text=True,
    )


# Round trips


def test_tf1_to_hugging_face_to_tf1_is_the_original_s_own_file(golden_bert, tmp_path):
    convert([str(golden_bert / "ckpt")], str(tmp_path / "hf"), Changes())
    convert([str(tmp_path / "hf")], str(tmp_path / "tf1"), Changes(format="tf1"))
    for name in ("bert_model.ckpt.data-00000-of-00001", "vocab.txt"):
        assert (tmp_path / "tf1" / name).read_bytes() == (golden_bert / "ckpt" / name).read_bytes()
    theirs = tf.train.load_checkpoint(str(golden_bert / "ckpt" / "bert_model.ckpt"))
    ours = tf.train.load_checkpoint(str(tmp_path / "tf1" / "bert_model.ckpt"))
    assert ours.get_variable_to_shape_map() == theirs.get_variable_to_shape_map()
    config = json.loads((golden_bert / "ckpt" / "bert_config.json").read_text())
    assert json.loads((tmp_path / "tf1" / "bert_config.json").read_text()) == config


def test_a_real_model_goes_from_hugging_face_to_tf1_to_hugging_face_to_keras_hub(minilm, tmp_path):
    convert([str(minilm)], str(tmp_path / "tf1"), Changes(format="tf1"))
    convert([str(tmp_path / "tf1")], str(tmp_path / "hf"), Changes())
    convert([str(tmp_path / "hf")], str(tmp_path / "keras_hub"), Changes(format="keras_hub"))
    convert([str(tmp_path / "keras_hub")], str(tmp_path / "back"), Changes())
    stored = safetensors.numpy.load_file(minilm / "model.safetensors")
    del stored["embeddings.position_ids"]
    for name in ("hf", "back"):
        ours = safetensors.numpy.load_file(tmp_path / name / "model.safetensors")
        assert ours.keys() == {f"bert.{name}" for name in stored}
        for name, values in stored.items():
            np.testing.assert_array_equal(ours[f"bert.{name}"], values, err_msg=name)
        assert json.loads((tmp_path / "back" / "config.json").read_text())["hidden_act"] == "gelu"
    with h5py.File(tmp_path / "keras_hub" / "model.weights.h5") as weights:
        query = weights["layers/transformer_encoder_5/_self_attention_layer/query_dense/vars/0"][:]  # [H, N, d]
        words = weights["layers/reversible_embedding/vars/0"][:]
    theirs = stored["encoder.layer.5.attention.self.query.weight"]
    np.testing.assert_array_equal(query, theirs.T.reshape(384, 12, 32))
    np.testing.assert_array_equal(words, stored["embeddings.word_embeddings.weight"])
    assert (tmp_path / "hf" / "vocab.txt").read_bytes() == (minilm / "vocab.txt").read_bytes()


def test_a_real_pytorch_model_bin_with_pretraining_heads_goes_to_tf1_and_back(rxnfp, tmp_path):
    convert([str(rxnfp / "bert_pretrained")], str(tmp_path / "tf1"), Changes(format="tf1"))
    convert([str(tmp_path / "tf1")], str(tmp_path / "hf"), Changes())
    reader = tf.train.load_checkpoint(str(tmp_path / "tf1" / "bert_model.ckpt"))
    ours = safetensors.numpy.load_file(tmp_path / "hf" / "model.safetensors")
    names = reader.get_variable_to_shape_map()
    assert {pytorch_name(name) for name in names} == ours.keys()
    for name in names:
        values = reader.get_tensor(name)
        np.testing.assert_array_equal(ours[pytorch_name(name)], values.T if name.endswith("kernel") else values)


@pytest.mark.parametrize("format", ["hugging_face", "tf1", "keras_hub"])
def test_labels_of_a_head_survive_every_format(tmp_path, model, format):
    labelled = Bert(model.config, ("sequence_classification",), labels=("no", "yes", "maybe"))
    notes = checkpoints.save(labelled, str(tmp_path), format=format)
    loaded = checkpoints.load(str(tmp_path))
    assert loaded.heads == ("sequence_classification",)
    assert loaded.labels == ("no", "yes", "maybe")
    assert not notes
    for variable, other in zip(loaded.weights, labelled.weights, strict=True):
        np.testing.assert_array_equal(variable, other)


def test_converting_twice_gives_the_same_files(directory, tmp_path):
    for name in ("one", "two"):
        convert([directory], str(tmp_path / name), Changes())
    assert read_all(tmp_path / "one") == read_all(tmp_path / "two")


# Tools


def test_tokens_are_added_on_the_way(directory, tmp_path, capsys):
    (tmp_path / "tokens.txt").write_text("seaside\n\ndunes\n", encoding="utf-8")
    convert([directory], str(tmp_path / "more"), Changes(add_tokens=str(tmp_path / "tokens.txt")))
    tokenizer = checkpoints.read_tokenizer(str(tmp_path / "more"))
    assert tokenizer.tokenize("The seaside dunes.") == ["the", "seaside", "dunes", "."]
    assert tokenizer.vocab["seaside"] == 5  # In the place of [unused1].
    assert checkpoints.load(str(tmp_path / "more")).config.vocab_size == 102
    assert "1 in the place of [unusedN], 1 appended" in capsys.readouterr().out


def test_positions_are_extended_on_the_way(directory, tmp_path, model):
    convert([directory], str(tmp_path / "longer"), Changes(max_position_embeddings=40))
    longer = checkpoints.load(str(tmp_path / "longer"))
    table = np.asarray(model.encoder.embeddings.position_embeddings)
    np.testing.assert_array_equal(longer.encoder.embeddings.position_embeddings, np.tile(table, (3, 1))[:40])


def test_checkpoints_are_averaged_on_the_way(directory, tmp_path, model):
    other = model.with_config(model.config)
    for variable, half in zip(other.weights, model.weights, strict=True):
        variable.assign(3 * np.asarray(half))
    checkpoints.save(other, str(tmp_path / "other"))
    convert([directory, str(tmp_path / "other")], str(tmp_path / "mean"), Changes(average=True))
    for variable, one in zip(checkpoints.load(str(tmp_path / "mean")).weights, model.weights, strict=True):
        np.testing.assert_allclose(variable, 2 * np.asarray(one), rtol=1e-7)


# The command


def test_the_command_converts_and_says_what_it_wrote_and_what_is_lost(directory, tmp_path, repository):
    result = run(directory, tmp_path / "out", "--format=tf1", repository=repository)
    assert result.returncode == 0, result.stderr
    assert f"{tmp_path}/out: written as tf1, " in result.stdout
    assert "heads: mlm, nsp" in result.stdout
    assert "note: hidden_act 'gelu_new' of config.json is the tanh form: 'gelu' here" in result.stderr
    assert sorted(os.listdir(tmp_path / "out")) == [
        "bert_config.json",
        "bert_model.ckpt.data-00000-of-00001",
        "bert_model.ckpt.index",
        "vocab.txt",
    ]


def test_the_command_describes(directory, repository):
    result = run(directory, "--describe", repository=repository)
    assert result.returncode == 0
    assert not result.stderr
    rows = dict(line.split("  ", 1) for line in result.stdout.splitlines())
    rows = {name: value.strip() for name, value in rows.items()}
    assert rows["family"] == "bert"
    assert rows["heads"] == "mlm, nsp"
    sizes = "layers 1, width 24, attention heads 2, feed-forward 48, vocabulary 101, positions 16, segments 2"
    assert rows["sizes"] == sizes
    assert rows["checksums"] == "crc32 of each tensor, right"
    assert rows["tokenizer"] == "WordPiece, 101 tokens, lower-cased"


BAD = {
    "no source": ((), 2, "0 arguments, expected was SOURCE TARGET"),
    "no target": (("{source}",), 2, "1 arguments"),
    "two sources": (("{source}", "{source}", "{tmp}/out"), 1, "2 sources for one target: --average"),
    "not there": (("{tmp}/none", "{tmp}/out"), 1, "{tmp}/none: no such checkpoint"),
    "target taken": (("{source}", "{source}"), 1, "holds a checkpoint already"),
    "no such format": (("{source}", "{tmp}/out", "--format=onnx"), 2, "--format=onnx"),
    "no tokens": (("{source}", "{tmp}/out", "--add_tokens={tmp}/none.txt"), 1, "none.txt: no such file"),
    "fewer positions": (("{source}", "{tmp}/out", "--max_position_embeddings=4"), 1, "this model has 16 positions"),
}


@pytest.mark.parametrize("case", BAD)
def test_the_command_refuses_in_one_line_and_writes_nothing(case, directory, tmp_path, repository):
    arguments, status, message = BAD[case]
    places = {"source": directory, "tmp": str(tmp_path)}
    result = run(*(argument.format(**places) for argument in arguments), repository=repository)
    assert result.returncode == status
    error = result.stderr.splitlines()[-1]
    assert error.startswith("error: ")
    assert message.format(**places) in error
    assert not (tmp_path / "out").exists()


def test_overwriting_has_to_be_asked_for(directory, tmp_path, model):
    checkpoints.save(model.with_config(model.config), str(tmp_path / "old"))
    with pytest.raises(InputError, match="--overwrite"):
        convert([directory], str(tmp_path / "old"), Changes())
    convert([directory], str(tmp_path / "old"), Changes(overwrite=True))
    for variable, other in zip(checkpoints.load(str(tmp_path / "old")).weights, model.weights, strict=True):
        np.testing.assert_array_equal(variable, other)


# Descriptions


def test_a_checkpoint_without_config_is_described_with_one_that_is_given(golden_bert):
    from official.models.registry import read_config

    path = str(golden_bert / "ckpt_mrpc" / "model.ckpt")
    with pytest.raises(InputError, match=r"there is no bert_config\.json or albert_config\.json beside it"):
        describe(path)
    text = describe(path, read_config(str(golden_bert / "ckpt" / "bert_config.json")))
    assert "sequence_classification" in text
    assert "2: LABEL_0, LABEL_1" in text


def test_a_description_reads_every_value(directory):
    path = os.path.join(directory, "model.safetensors")
    with open(path, "r+b") as file:
        file.seek(-9, 2)
        byte = file.read(1)
        file.seek(-9, 2)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(InputError, match="is damaged: its CRC-32"):
        describe(directory)
