"""A run that is killed and started again ends on the same bits as one that was left alone."""

import json
import random
import signal
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from tests import scripts
from tests.pretraining_runs import SCRIPT, small_run


def weights(directory):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(directory / "run" / "checkpoints")))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map() if "VARIABLE" in name}


def kill_and_resume(golden_bert, tmp_path, kills, steps, seed):
    length = {"num_train_steps": steps, "num_warmup_steps": steps // 10, "save_checkpoints_steps": 23}
    whole = scripts.run(SCRIPT, *small_run(golden_bert, tmp_path / "whole", **length))
    assert whole.returncode == 0, whole.stderr
    flags = small_run(golden_bert, tmp_path / "killed", **length)
    moments = random.Random(seed)
    for _ in range(kills):
        process = scripts.start(SCRIPT, *flags)
        with pytest.raises(subprocess.TimeoutExpired):  # Otherwise the run was over before it could be killed.
            process.communicate(timeout=moments.uniform(3.0, 7.0))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    last = scripts.run(SCRIPT, *flags)
    assert last.returncode == 0, last.stderr
    expected, found = weights(tmp_path / "whole"), weights(tmp_path / "killed")
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
    lines = [json.loads(line) for line in (tmp_path / "killed" / "run" / "metrics.jsonl").read_text().splitlines()]
    steps = [line["step"] for line in lines if line["kind"] == "train"]
    assert steps == sorted(set(steps)) and steps[-1] == length["num_train_steps"]


@pytest.mark.slow
def test_killed_twice_a_run_still_ends_on_the_same_bits(golden_bert, tmp_path):
    kill_and_resume(golden_bert, tmp_path, kills=2, steps=600, seed=1)


@pytest.mark.slow
def test_killed_at_ten_random_moments_a_run_still_ends_on_the_same_bits(golden_bert, tmp_path):
    kill_and_resume(golden_bert, tmp_path, kills=10, steps=3000, seed=2)
