"""A BiLSTM on a frozen encoder as a task: kept, found again, gone on with, not mixed up with a fine-tuned tagger."""

import os

import numpy as np
import pytest
import tensorflow as tf

from official import checkpoints
from official.errors import InputError
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.tagging import tagging
from official.tasks.tagging.tagging_data import TaggingRun
from official.training.strategy import make_strategy

FEATURE_BASED = {"feature_based": True, "lstm_size": 8}


@pytest.fixture(scope="module")
def frozen(files, encoder, tmp_path_factory):
    """The directory of a feature-based tagger, the best of its epochs, and its scores."""
    output_dir = str(tmp_path_factory.mktemp("frozen"))
    settings = {"init_checkpoint": encoder, "output_dir": output_dir, "max_seq_length": 32, "fusion": "none"}
    settings |= {"learning_rate": 2e-2, "num_train_epochs": 4, "train_batch_size": 8, "early_stopping_patience": 3}
    run = TaggingRun(train_file=files["train"], eval_file=files["dev"], feature_layers="all_sum", **FEATURE_BASED)
    return output_dir, tagging.run_tagging(FineTuningRun(**settings), run, make_strategy("one_device")).scores


def test_a_bilstm_on_a_frozen_encoder_is_known_by_its_directory_alone(files, run, frozen, tmp_path):
    output_dir, scores = frozen
    assert scores["f1"] > 0.5
    for settings in (
        {"output_dir": output_dir, "init_checkpoint": None},
        {"output_dir": str(tmp_path), "init_checkpoint": output_dir},
    ):
        assert run(eval_file=files["dev"], **settings) == pytest.approx(scores, abs=1e-6)


def test_the_encoder_beside_a_bilstm_is_the_one_that_it_began_with(encoder, frozen):
    theirs, ours = checkpoints.load(encoder, heads=()), checkpoints.load(frozen[0])
    values = {variable.path: variable.numpy() for variable in theirs.weights}
    for variable in ours.weights:
        np.testing.assert_array_equal(variable, values[variable.path])
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(os.path.join(frozen[0], "checkpoints")))
    assert not any("encoder" in name for name in reader.get_variable_to_shape_map())


def test_a_feature_based_run_that_was_killed_is_used_and_gone_on_with(files, run, tmp_path):
    first = run(train_file=files["train"], eval_file=files["dev"], num_train_epochs=2, **FEATURE_BASED)
    (tmp_path / "out" / "model" / "tagger.safetensors").unlink()  # It would be written at the end.
    assert run(eval_file=files["dev"], init_checkpoint=None) == pytest.approx(first, abs=1e-6)
    run(train_file=files["train"], init_checkpoint=None, num_train_epochs=3, **FEATURE_BASED)
    assert (tmp_path / "out" / "model" / "tagger.safetensors").exists()


def test_a_bilstm_is_trained_further_as_it_is_or_anew(files, run, frozen, tmp_path):
    settings = {"train_file": files["train"], "eval_file": files["dev"], "init_checkpoint": frozen[0]}
    scores = run(num_train_epochs=0.2, learning_rate=1e-6, feature_based=True, **settings)
    assert scores["f1"] == pytest.approx(frozen[1]["f1"], abs=0.05)
    another = {"feature_layers": "last", "output_dir": str(tmp_path / "another"), "num_train_epochs": 0.2}
    with pytest.raises(InputError, match="tagger.json: feature_layers: 'all_sum', now it would be 'last'"):
        run(**FEATURE_BASED, **settings, **another)
    assert run(**FEATURE_BASED, **settings, **another, reinitialize_head=True)["f1"] < 0.5


def test_a_directory_holds_one_kind_of_tagger(files, run, frozen, tmp_path):
    run(train_file=files["train"], num_train_epochs=0.2)
    plain, before = {"output_dir": str(tmp_path / "out")}, (tmp_path / "out" / "model" / "config.json").read_bytes()
    for settings, message in (
        ({"train_file": files["train"], "output_dir": frozen[0]}, "holds a feature-based tagger"),
        ({"train_file": files["train"], **FEATURE_BASED, **plain}, "holds a model that is not feature-based"),
        ({"eval_file": files["dev"], "feature_based": True, **plain}, "holds no feature-based tagger"),
        ({"eval_file": files["dev"], "lstm_size": 9, "output_dir": frozen[0]}, "lstm_size: 8, now it would be 9"),
        (
            {
                "train_file": files["train"],
                "init_checkpoint": None,
                "feature_based": True,
                "bert_config_file": "bert-tiny",
                "vocab_file": os.path.join(frozen[0], "model", "vocab.txt"),
                "output_dir": str(tmp_path / "new"),
            },
            "--init_checkpoint must say which one is used",
        ),
    ):
        with pytest.raises(InputError, match=message):
            run(**settings)
    assert (tmp_path / "out" / "model" / "config.json").read_bytes() == before
