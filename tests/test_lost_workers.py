"""Two processes that train together: when one is gone the other ends by itself, and any number of them go on."""

import json
import os
import random
import re
import signal
import time

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests import scripts
from tests.pretraining_runs import SCRIPT, small_run

KILLS = int(os.environ.get("BERT_KILLS", "1"))
TRY_AGAIN = 75
# Who is killed, by what, and how each then ends; the first is the chief.
ENDINGS = {
    "worker_killed": ([1], signal.SIGKILL, [TRY_AGAIN, -signal.SIGKILL]),
    "chief_killed": ([0], signal.SIGKILL, [-signal.SIGKILL, TRY_AGAIN]),
    "both_killed": ([0, 1], signal.SIGKILL, [-signal.SIGKILL, -signal.SIGKILL]),
    "worker_preempted": ([1], signal.SIGTERM, [128 + signal.SIGTERM] * 2),
}


def run(golden_bert, directory):
    """Without dropout, which is another one on another number of devices."""
    flags = small_run(golden_bert, directory, num_train_steps=300, save_checkpoints_steps=10, learning_rate=1e-5)
    config = json.loads((directory / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0}
    (directory / "config.json").write_text(json.dumps(config))
    return flags


def last_step(directory):
    found = (directory / "run" / "checkpoints").glob("ckpt-*.index")
    return max((int(re.search(r"ckpt-(\d+)", path.name)[1]) for path in found), default=0)


@pytest.mark.long
@pytest.mark.parametrize("ending", ENDINGS)
def test_when_one_is_gone_all_end_and_another_number_of_them_goes_on(ending, golden_bert, tmp_path):
    victims, number, statuses = ENDINGS[ending]
    moments = random.Random(ending)
    flags = run(golden_bert, tmp_path)
    for _ in range(KILLS):
        before = last_step(tmp_path)
        workers = scripts.start_workers(SCRIPT, *flags, count=2)
        while last_step(tmp_path) <= before + 10:
            assert [worker.poll() for worker in workers] == [None, None], workers[0].communicate()
            time.sleep(0.1)
        time.sleep(moments.uniform(0.0, 2.0))
        for victim in victims:
            workers[victim].send_signal(number)
        outputs = [worker.communicate(timeout=100) for worker in workers]
        assert [worker.returncode for worker in workers] == statuses, outputs
        for (_, stderr), status in zip(outputs, statuses, strict=True):
            if status > 0:
                said = stderr.strip().split("\n")[-1]
                assert said.startswith("error: ") and re.search(rf"{tmp_path}/run/checkpoints/ckpt-\d+", said), stderr
    assert last_step(tmp_path) < 300
    alone = scripts.run(SCRIPT, *flags)
    assert alone.returncode == 0 and "going on from" in alone.stderr, alone.stderr
    whole = scripts.run(SCRIPT, *run(golden_bert, tmp_path / "whole"))
    assert whole.returncode == 0, whole.stderr
    found, expected = (
        load_file(path / "run" / "model" / "model.safetensors") for path in (tmp_path, tmp_path / "whole")
    )
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=1e-5, err_msg=name)
