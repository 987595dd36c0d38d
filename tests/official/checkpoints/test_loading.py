"""What fits, what does not, and what is said about it, whatever the format."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

from official import checkpoints
from official.checkpoints.formats import tf1
from official.errors import InputError
from official.models.bert import Bert


@pytest.fixture(params=["tf1", "hugging_face"])
def saved(request, tmp_path):
    """Saves a model in one of the formats and gives the path to load it from."""

    def save(model):
        if request.param == "tf1":
            checkpoints.save_tf1(model, str(tmp_path / "bert_model.ckpt"))
        else:
            checkpoints.save(model, str(tmp_path))
        return str(tmp_path)

    return save


def test_every_variable_is_reported_as_loaded(saved, model):
    report = checkpoints.load_weights(model, saved(model))
    assert len(report.loaded) == len(model.weights)
    assert not [*report.missing, *report.mismatched, *report.reinitialized, *report.unused, *report.notes]
    assert str(report).endswith(f"{len(model.weights)} variables loaded")


def test_a_model_of_fewer_heads_leaves_some_unused(saved, model, capsys):
    path = saved(model)
    report = checkpoints.load_weights(Bert(model.config), path)
    assert len(report.unused) == 7
    assert "in the checkpoint but not in the model (7)" in str(report)
    checkpoints.load(path, heads=("mlm",))
    assert "in the checkpoint but not in the model (2)" in capsys.readouterr().err


def test_missing_variables_are_an_error(saved, model, make_model):
    with pytest.raises(InputError, match="the checkpoint lacks 7 variables: cls/predictions/output_bias"):
        checkpoints.load_weights(model, saved(make_model(0, ())))


def test_missing_heads_may_be_reinitialised_when_named(saved, make_model):
    model = make_model(0)
    path = saved(make_model(0, ("mlm",)))
    before = np.asarray(model.nsp.output_weights)
    with pytest.raises(InputError, match="lacks 2 variables"):
        checkpoints.load_weights(model, path, reinitialize=["mlm"])
    report = checkpoints.load_weights(model, path, reinitialize=["nsp"])
    assert [entry.ours for entry in report.reinitialized] == [
        "cls/seq_relationship/output_weights",
        "cls/seq_relationship/output_bias",
    ]
    assert "left as initialised (2)" in str(report)
    np.testing.assert_array_equal(model.nsp.output_weights, before)


def test_a_named_head_that_is_there_is_loaded(saved, model):
    assert not checkpoints.load_weights(model, saved(model), reinitialize=["mlm", "nsp", "pooler"]).reinitialized


def test_a_missing_encoder_is_an_error_whatever_is_named(tmp_path, model):
    tf1.save_variables({"output_bias": model.nsp.output_bias}, str(tmp_path / "model.ckpt"))
    with pytest.raises(InputError, match="holds none of the model's variables, such as bert/embeddings/"):
        checkpoints.load_weights(model, str(tmp_path), reinitialize=["mlm", "nsp", "pooler"])


def test_half_a_head_is_not_loaded(tmp_path, make_model):
    model = make_model(0)
    names = {variable.path.split("/", 1)[1]: variable for variable in model.weights}
    del names["cls/seq_relationship/output_weights"]
    tf1.save_variables(names, str(tmp_path / "model.ckpt"))
    report = checkpoints.load_weights(model, str(tmp_path), reinitialize=["nsp"])
    assert len(report.reinitialized) == 2
    assert [entry.theirs for entry in report.unused] == ["cls/seq_relationship/output_bias"]


def test_another_size_is_one_clear_line_with_both_shapes(saved, model, make_model):
    with pytest.raises(InputError) as error:
        checkpoints.load_weights(model, saved(make_model(1)))
    assert "bert/embeddings/word_embeddings" in str(error.value)
    assert "[150, 32] in the checkpoint, [101, 24] in the model" in str(error.value)
    assert "more differ" in str(error.value)
    assert "config" in str(error.value)
    assert "\n" not in str(error.value)


def test_names_of_both_sides_are_told_where_they_differ(tmp_path, model, make_model):
    checkpoints.save(make_model(1), str(tmp_path))
    with pytest.raises(InputError, match=r"/word_embeddings \(bert\.embeddings\.word_embeddings\.weight\): "):
        checkpoints.load_weights(model, str(tmp_path))


def test_nothing_is_assigned_when_shapes_differ(saved, make_model):
    model, other = make_model(0), make_model(0)
    other.weights[0].assign(np.zeros(other.weights[0].shape))
    path = saved(other)
    longer = Bert(dataclasses.replace(model.config, max_position_embeddings=17), model.heads)
    before = longer.get_weights()
    with pytest.raises(InputError, match=r"position_embeddings.*\[16, 24\] in the checkpoint, \[17, 24\] in the model"):
        checkpoints.load_weights(longer, path)
    for variable, values in zip(longer.weights, before, strict=True):
        np.testing.assert_array_equal(variable, values)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_weights_that_are_not_finite_are_refused(saved, make_model, value):
    model = make_model(0)
    kernel = np.array(model.encoder.pooler.dense.kernel)
    kernel[3, 5] = value
    model.encoder.pooler.dense.kernel.assign(kernel)
    with pytest.raises(InputError, match="pooler.dense.* holds NaN or infinite values"):
        checkpoints.load(saved(model))


def test_a_part_that_does_not_exist_can_t_be_reinitialised(saved, model):
    with pytest.raises(InputError, match="'decoder' can't be reinitialised: one of pooler, mlm, nsp"):
        checkpoints.load_weights(model, saved(model), reinitialize=["decoder"])


def test_heads_that_are_not_there_can_be_asked_for_with_load(saved, make_model):
    path = saved(make_model(0, (), pooler=False))
    loaded = checkpoints.load(path, heads=("mlm", "nsp"), reinitialize=("mlm", "nsp", "pooler"))
    assert loaded.heads == ("mlm", "nsp")
    with pytest.raises(InputError, match="lacks"):
        checkpoints.load(path, heads=("mlm",))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nothing", "no such checkpoint"),
        ("empty", r"holds neither config\.json nor a TF1 checkpoint"),
        ("file.bin", "no such checkpoint"),
    ],
)
def test_what_is_no_checkpoint_is_refused_and_named(tmp_path, model, name, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file.bin").write_bytes(b"\x80\x04K\x01.")
    for attempt in (checkpoints.load, lambda path: checkpoints.load_weights(model, path)):
        with pytest.raises(InputError, match=message) as error:
            attempt(str(tmp_path / name))
        assert str(tmp_path / name) in str(error.value)


TWO_REPLICAS = """
import sys
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from official import checkpoints
path, copy = sys.argv[1:]
expected = checkpoints.load(path)
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = type(expected)(expected.config, expected.heads)
checkpoints.load_weights(model, path)
for variable, other in zip(model.weights, expected.weights, strict=True):
    for replica in variable.value.values:
        np.testing.assert_array_equal(replica, other)
checkpoints.save(model, copy)
checkpoints.save_tf1(model, copy + "/bert_model.ckpt")
"""


def test_variables_of_a_strategy_are_loaded_on_every_replica_and_saved(tmp_path, model, repository):
    checkpoints.save(model, str(tmp_path / "model"))
    subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS, str(tmp_path / "model"), str(tmp_path / "copy")],
        check=True,
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(repository)},
    )
    one, other = tmp_path / "model" / "model.safetensors", tmp_path / "copy" / "model.safetensors"
    assert one.read_bytes() == other.read_bytes()
    report = checkpoints.load_weights(model, str(tmp_path / "copy" / "bert_model.ckpt"))
    assert len(report.loaded) == len(model.weights)
