"""Short sequences, then long ones, by one command."""

import json
import signal
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from official.optimization import OPTIMIZERS
from official.tasks.pretraining import two_phases
from tests import scripts
from tests.pretraining_runs import SCRIPT, small_run

LONG = {"max_seq_length": 96, "max_predictions_per_seq": 15, "train_batch_size": 8, "learning_rate": 5e-4}
STEPS = {"num_train_steps": 60, "num_warmup_steps": 6}


@pytest.fixture(scope="module")
def long_records(golden_bert, tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "long.tfrecord"
    flags = {
        "input_file": golden_bert / "text.txt",
        "vocab_file": golden_bert / "ckpt" / "vocab.txt",
        "output_file": path,
        "max_seq_length": LONG["max_seq_length"],
        "max_predictions_per_seq": LONG["max_predictions_per_seq"],
    }
    done = scripts.run("data_prep/create_pretraining_data.py", *scripts.flags_of(flags))
    assert done.returncode == 0, done.stderr
    return path


def two_phases_flags(golden_bert, directory, long_records, **changes):
    second = {f"phase_2_{name}": value for name, value in (LONG | STEPS | changes).items()}
    flags = {"num_train_steps": 40, "num_warmup_steps": 4, "phase_2_input_file": long_records, "optimizer": "lamb"}
    return small_run(golden_bert, directory, **flags, **second)


def test_two_phases_in_one_command_are_two_commands_and_a_stopped_one_goes_on(golden_bert, long_records, tmp_path):
    flags = two_phases_flags(golden_bert, tmp_path / "one", long_records, num_train_steps=120)
    running = scripts.Running(SCRIPT, *flags)
    second = tmp_path / "one" / "run" / "checkpoints"
    while running.runs_after(0.2) and len(list(second.glob("ckpt-*.index"))) < 3:
        time.sleep(0.1)
    running.send_signal(signal.SIGTERM)
    assert running.wait().returncode == 128 + signal.SIGTERM
    resumed = scripts.run(SCRIPT, *flags)
    assert resumed.returncode == 0, resumed.stderr
    assert "phase_1" not in resumed.stderr and "going on from" in resumed.stderr

    lamb = {"optimizer": "lamb"}
    first = small_run(golden_bert, tmp_path / "first", num_train_steps=40, num_warmup_steps=4, **lamb)
    assert scripts.run(SCRIPT, *first).returncode == 0
    more = {"input_file": long_records, "init_checkpoint": tmp_path / "first" / "run" / "model", "num_warmup_steps": 6}
    last = small_run(golden_bert, tmp_path / "last", **(LONG | lamb | more | {"num_train_steps": 120}))
    assert scripts.run(SCRIPT, *last).returncode == 0
    found, expected = (load_file(tmp_path / name / "run" / "model" / "model.safetensors") for name in ("one", "last"))
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.mark.parametrize(
    "flag, value, complaint",
    [
        ("phase_2_max_seq_length", 512, "--phase_2_max_seq_length is 512: the config has max_position_embeddings 96"),
        ("phase_2_input_file", "/absent/long.tfrecord", "--phase_2_input_file"),
        ("phase_2_eval_input_file", "/absent/long.tfrecord", "--phase_2_eval_input_file"),
    ],
)
def test_what_is_wrong_with_the_second_phase_is_said_before_the_first(
    golden_bert, long_records, tmp_path, flag, value, complaint
):
    flags = two_phases_flags(golden_bert, tmp_path / "one", long_records)
    done = scripts.run(SCRIPT, *flags, f"--{flag}={value}")
    assert done.returncode == 1 and complaint in done.stderr
    assert not (tmp_path / "one" / "run" / "phase_1").exists()


def test_the_recipe_of_lamb_is_the_published_one():
    """8,599 steps in all and batches of 64k and 32k: You et al. 2020, table 1; they trained 7,038 + 1,561."""
    recipe = two_phases.RECIPES["lamb"]
    assert recipe["optimizer"] in OPTIMIZERS
    assert abs(recipe["num_train_steps"] + recipe["phase_2_num_train_steps"] - 8_599) <= 2
    assert (recipe["train_batch_size"], recipe["phase_2_train_batch_size"]) == (2**16, 2**15)


def test_a_recipe_fills_what_was_not_given_and_says_so(golden_bert, long_records, tmp_path):
    flags = two_phases_flags(golden_bert, tmp_path / "one", long_records, num_train_steps=2, num_warmup_steps=1)
    done = scripts.run(SCRIPT, *[flag for flag in flags if "optimizer" not in flag], "--recipe=lamb")
    assert done.returncode == 0, done.stderr
    assert "--recipe=lamb: --optimizer=lamb\n" in done.stderr
    lines = (tmp_path / "one" / "run" / "phase_1" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["step"] == 40
