"""The mean of checkpoints: its values, and what is no family of checkpoints."""

import dataclasses
import json
import re

import numpy as np
import pytest

from official import checkpoints
from official.checkpoints.tools.averaging import average
from official.errors import InputError
from official.models.bert import Bert
from tests.golden import seeded

SHAPE = seeded.SHAPES[0]


def drawn(seed: int) -> dict[str, np.ndarray]:
    return seeded.weights(SHAPE, seed)


def values(model) -> dict[str, np.ndarray]:
    return {variable.path.split("/", 1)[1]: np.asarray(variable) for variable in model.weights}


def assert_same(model, expected) -> None:
    assert values(model).keys() == expected.keys()
    for name, value in values(model).items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


@pytest.fixture
def run(make_model):
    """Makes a model of one shape with the weights of a seed, as if they were steps of one run."""

    def make(seed: int, heads=("mlm", "nsp"), **changes) -> Bert:
        model = Bert(dataclasses.replace(make_model(0).config, **changes), heads)
        for name, variable in zip(values(model), model.weights, strict=True):
            if drawn(seed)[name].shape == tuple(variable.shape):
                variable.assign(drawn(seed)[name])
        return model

    return make


def mean(*seeds: int) -> dict[str, np.ndarray]:
    weights = [drawn(seed) for seed in seeds]
    return {
        name: (np.sum([one[name].astype(np.float64) for one in weights], axis=0) / len(seeds)).astype(np.float32)
        for name in weights[0]
    }


def test_every_variable_is_the_mean(tmp_path, run):
    checkpoints.save(run(1), str(tmp_path / "one"))
    checkpoints.save_tf1(run(2), str(tmp_path / "two" / "bert_model.ckpt"))
    paths = [str(tmp_path / "one"), str(tmp_path / "two")]
    assert_same(average(paths), mean(1, 2))
    assert_same(average([*paths, run(3)]), mean(1, 2, 3))
    assert_same(average([run(3), *paths]), mean(3, 1, 2))


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_mean_of_equals_is_the_same_to_the_last_bit(tmp_path, run, count):
    checkpoints.save(run(1), str(tmp_path))
    assert_same(average([str(tmp_path)] * count), drawn(1))
    assert_same(average([run(1)] * count), drawn(1))


def test_sums_are_made_in_double_precision(run):
    models = [run(1), run(1), run(1)]
    for model, value in zip(models, (5e7, 1.0, -5e7)):
        model.encoder.pooler.dense.bias.assign(np.full(SHAPE["hidden_size"], value, np.float32))
    third = np.float32(1 / 3)
    np.testing.assert_array_equal(average(models).encoder.pooler.dense.bias, np.full(SHAPE["hidden_size"], third))


def test_the_models_given_are_left_alone(run):
    models = [run(1), run(2)]
    average(models)
    assert_same(models[0], drawn(1))
    assert_same(models[1], drawn(2))


def test_heads_and_labels_are_kept(tmp_path, run):
    config = run(1).config
    labels = ("bad", "good", "neither")
    model = Bert(config, ["sequence_classification"], labels=labels)
    checkpoints.save(model, str(tmp_path))
    averaged = average([str(tmp_path), model])
    assert (averaged.heads, averaged.labels) == (("sequence_classification",), labels)
    assert_same(averaged, values(model))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_act": "relu"}, "hidden_act is 'gelu' in {one}, 'relu' in {two}"),
        ({"hidden_dropout_prob": 0.2}, "hidden_dropout_prob is 0.1 in {one}, 0.2 in {two}"),
        ({"vocab_size": 104}, "vocab_size is 101 in {one}, 104 in {two}"),
        ({"heads": ("mlm",)}, "cls/seq_relationship/output_bias is in {one}, not in {two}"),
    ],
)
def test_different_models_are_refused_with_the_first_difference(tmp_path, run, changes, message):
    one, two = tmp_path / "one", tmp_path / "two"
    checkpoints.save(run(1), str(one))
    checkpoints.save(run(2, **changes), str(two))
    expected = message.format(one=one / "model.safetensors", two=two / "model.safetensors")
    with pytest.raises(InputError, match=re.escape(f"these can't be averaged: {expected}")):
        average([str(one), str(one), str(two)])
    with pytest.raises(InputError, match="these can't be averaged: .* model 2$"):
        average([str(one), run(2, **changes)])


def test_a_variable_of_another_shape_is_refused(tmp_path, run):
    labelled = [Bert(run(1).config, ["sequence_classification"], labels=[*"abc"][:count]) for count in (2, 3)]
    with pytest.raises(InputError, match=r"output_bias is \[2\] in model 1, \[3\] in model 2"):
        average(labelled)


def test_other_labels_are_refused(run):
    labelled = [Bert(run(1).config, ["sequence_classification"], labels=labels) for labels in ("ab", "ba")]
    with pytest.raises(InputError, match="the labels are a, b in model 1, b, a in model 2"):
        average(labelled)


def test_other_vocabularies_are_refused(tmp_path, run):
    paths = [tmp_path / name for name in ("none", "one", "same", "two")]
    for path, last in zip(paths, (None, "cat", "cat", "dog")):
        checkpoints.save(run(1), str(path))
        if last is not None:
            tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{number}" for number in range(95)), last]
            (path / "vocab.txt").write_text("\n".join(tokens) + "\n")
    none, one, same, two = map(str, paths)
    assert_same(average([none, one, same]), drawn(1))
    with pytest.raises(InputError) as caught:
        average([none, one, same, two])
    assert str(caught.value) == f"these can't be averaged: token 100 is 'cat' in {one}, 'dog' in {two}"


def test_a_checkpoint_with_an_untied_output_is_refused(tmp_path, run):
    checkpoints.save(run(1), str(tmp_path / "one"))
    _save_untied(run(2), tmp_path / "two")
    with pytest.raises(InputError, match="an untied head can't be loaded"):
        average([str(tmp_path / "one"), str(tmp_path / "two")])


def _save_untied(model, directory) -> None:
    import safetensors.numpy

    checkpoints.save(model, str(directory))
    path = str(directory / "model.safetensors")
    tensors = safetensors.numpy.load_file(path)
    tensors["cls.predictions.decoder.weight"] = tensors["bert.embeddings.word_embeddings.weight"] + 1
    safetensors.numpy.save_file(tensors, path, metadata={"format": "pt"})


def test_nothing_to_average_is_an_error(tmp_path):
    with pytest.raises(InputError, match="there is no checkpoint to average"):
        average([])
    with pytest.raises(InputError, match="absent: no such checkpoint"):
        average([str(tmp_path / "absent")])


def test_a_broken_checkpoint_is_refused(tmp_path, run):
    checkpoints.save(run(1), str(tmp_path / "one"))
    model = run(2)
    model.encoder.pooler.dense.bias.assign(np.full(SHAPE["hidden_size"], np.nan, np.float32))
    checkpoints.save(model, str(tmp_path / "two"))
    with pytest.raises(InputError, match="two/model.safetensors: bert.pooler.dense.bias holds NaN"):
        average([str(tmp_path / "one"), str(tmp_path / "two")])
    (tmp_path / "two" / "config.json").write_text(json.dumps([]))
    with pytest.raises(InputError, match="config.json"):
        average([str(tmp_path / "one"), str(tmp_path / "two")])
