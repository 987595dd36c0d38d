"""TF1 checkpoints: the original's is read, and what we write is what it would have written."""

import json
import os
import pathlib
import shutil

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from official import checkpoints
from official.checkpoints.formats import tf1
from official.errors import InputError
from tests.golden import seeded

DATA, INDEX = ".data-00000-of-00001", ".index"


@pytest.fixture
def prefix(tmp_path, model):
    checkpoints.save_tf1(model, str(tmp_path / "bert_model.ckpt"))
    return str(tmp_path / "bert_model.ckpt")


def test_names_and_shapes_are_those_of_the_original_graph(prefix):
    written = tf.train.load_checkpoint(prefix).get_variable_to_shape_map()
    assert {name: tuple(shape) for name, shape in written.items()} == seeded.weight_shapes(seeded.SHAPES[0])


def test_config_is_written_beside_it(prefix, model):
    with open(os.path.join(os.path.dirname(prefix), "bert_config.json"), encoding="utf-8") as file:
        assert json.load(file) == json.loads(model.config.to_json())


def test_the_original_s_checkpoint_is_written_again_byte_for_byte(golden_bert, tmp_path):
    source = golden_bert / "ckpt" / "bert_model.ckpt"
    checkpoints.save_tf1(checkpoints.load(str(source)), str(tmp_path / "bert_model.ckpt"))
    written = tmp_path / f"bert_model.ckpt{DATA}"
    assert written.read_bytes() == source.with_name(source.name + DATA).read_bytes()


def test_optimizer_state_and_step_are_passed_over(tmp_path, model):
    names = {variable.path.split("/", 1)[1]: variable for variable in model.weights}
    slots = {f"{name}/{slot}": tf.zeros_like(value) for name, value in names.items() for slot in ("adam_m", "adam_v")}
    tf1.save_variables(names | slots | {"global_step": tf.constant(7, tf.int64)}, str(tmp_path / "model.ckpt-7"))
    report = checkpoints.load_weights(model, str(tmp_path / "model.ckpt-7"))
    assert len(report.loaded) == len(names)
    assert not report.unused


@pytest.mark.parametrize("form", ["{prefix}", "{prefix}.index", "{directory}"])
def test_it_is_found_by_its_prefix_its_index_or_its_directory(prefix, model, form):
    loaded = checkpoints.load(form.format(prefix=prefix, directory=os.path.dirname(prefix)))
    for variable, expected in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(variable, expected)


def test_a_directory_of_several_asks_which(prefix, model):
    checkpoints.save_tf1(model, prefix + "-100")
    with pytest.raises(InputError, match=r"holds 2 checkpoints: name one of bert_model\.ckpt-100, bert_model\.ckpt"):
        checkpoints.load(os.path.dirname(prefix))


def test_an_older_checkpoint_is_replaced(prefix, make_model):
    newer = make_model(1)
    checkpoints.save_tf1(newer, prefix)
    np.testing.assert_array_equal(checkpoints.load(prefix).weights[0], newer.weights[0])
    assert len(os.listdir(os.path.dirname(prefix))) == 3


def test_no_config_beside_it(prefix):
    os.remove(os.path.join(os.path.dirname(prefix), "bert_config.json"))
    with pytest.raises(InputError, match=r"there is no bert_config\.json or albert_config\.json beside it"):
        checkpoints.load(prefix)


def test_a_given_config_needs_no_file(prefix, model):
    os.remove(os.path.join(os.path.dirname(prefix), "bert_config.json"))
    assert checkpoints.load(prefix, config=model.config).config == model.config


def test_training_state_of_tensorflow_2_is_told_apart(tmp_path, model):
    path = tf.train.Checkpoint(x=tf.Variable(1.0)).save(str(tmp_path / "state.ckpt"))
    with pytest.raises(InputError, match="training state of a TensorFlow 2 program"):
        checkpoints.load_weights(model, path)


def test_a_missing_data_file_is_refused(prefix, model):
    os.remove(prefix + DATA)
    with pytest.raises(InputError, match=r"bert_model\.ckpt") as error:
        checkpoints.load_weights(model, prefix)
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, model):
    directory = tmp_path_factory.mktemp("whole")
    checkpoints.save_tf1(model, str(directory / "bert_model.ckpt"))
    return directory


@settings(max_examples=60, deadline=None)
@given(
    suffix=st.sampled_from([DATA, INDEX]),
    place=st.floats(0, 1, exclude_max=True),
    cut=st.booleans(),
    bit=st.integers(0, 7),
)
def test_a_damaged_file_is_refused_or_gives_the_same_weights(whole, model, suffix, place, cut, bit):
    damaged = whole.parent / "damaged"
    shutil.copytree(whole, damaged, dirs_exist_ok=True)
    path = damaged / f"bert_model.ckpt{suffix}"
    content = bytearray(path.read_bytes())
    position = int(place * len(content))
    if cut:
        del content[position:]
    else:
        content[position] ^= 1 << bit
    path.write_bytes(content)
    try:
        loaded = checkpoints.load(str(damaged / "bert_model.ckpt"), config=model.config)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        for variable, expected in zip(loaded.weights, model.weights, strict=True):
            np.testing.assert_array_equal(variable, expected)


def test_a_place_that_can_t_be_written_is_named(tmp_path, model):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="file: a part of this path is a file|is a file"):
        checkpoints.save_tf1(model, str(tmp_path / "file" / "bert_model.ckpt"))


def test_a_write_that_fails_leaves_the_old_checkpoint(prefix, make_model, monkeypatch):
    directory = pathlib.Path(prefix).parent
    before = {path.name: path.read_bytes() for path in directory.iterdir()}

    def full_disk(**_):
        raise tf.errors.ResourceExhaustedError(None, None, "no space left on device")

    monkeypatch.setattr(tf.raw_ops, "SaveV2", full_disk)
    with pytest.raises(InputError, match="can't be written: no space left"):
        checkpoints.save_tf1(make_model(1), prefix)
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_features_equal_those_of_the_original_s_extract_features(golden_bert):
    """Four decimals of two layers of every token; tokens as the original cut them, ids from its vocabulary."""
    model = checkpoints.load(str(golden_bert / "ckpt" / "bert_model.ckpt"))
    words = (golden_bert / "ckpt" / "vocab.txt").read_text("utf-8").split("\n")
    vocabulary = {token: n for n, token in enumerate(words)}
    lines = [json.loads(line) for line in (golden_bert / "features.jsonl").read_text("utf-8").splitlines()]
    assert lines
    for line in lines:
        tokens = [feature["token"] for feature in line["features"]]
        second = tokens.index("[SEP]") + 1
        padded = {name: np.zeros([1, 32], np.int32) for name in ("input_ids", "input_mask", "segment_ids")}
        padded["input_ids"][0, : len(tokens)] = [vocabulary[token] for token in tokens]
        padded["input_mask"][0, : len(tokens)] = 1
        padded["segment_ids"][0, second : len(tokens)] = 1
        hidden_states = model(padded)["hidden_states"]
        for layer in (-1, -2):
            expected = [
                next(entry["values"] for entry in feature["layers"] if entry["index"] == layer)
                for feature in line["features"]
            ]
            np.testing.assert_allclose(hidden_states[layer][0, : len(tokens)], expected, rtol=0, atol=1e-4)
