"""Whatever kills a command: no finished file is lost, and the same command ends where one that was left alone ends.

`BERT_KILLS=10 python -m pytest -m long tests/test_killed_runs.py` kills a hundred times.
"""

import functools
import json
import os
import pathlib
import random
import signal
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file

from tests import scripts
from tests.pretraining_runs import small_run

KILLS = int(os.environ.get("BERT_KILLS", "1"))


class Job(NamedTuple):
    """A command that is killed.

    script: its name.
    flags: `flags(shared, directory)`; what it writes is in that directory.
    older: the same for a run before it, whose files it replaces.
    results: what stands in a directory, by name; what begins with `step` changes on the way.
    kills: how often, for each of `KILLS`.
    seconds: after which it is killed, at most.
    """

    script: str
    flags: Callable
    older: Callable | None
    results: Callable[[pathlib.Path], dict]
    kills: int
    seconds: float


def pretraining(shared, directory):
    return small_run(
        shared / "golden_bert", directory, num_train_steps=2000, num_warmup_steps=100, save_checkpoints_steps=23
    )


def fine_tuning(shared, directory):
    golden = shared / "golden_bert"
    return scripts.flags_of(
        {
            "do_train": True,
            "do_predict": True,
            "train_file": golden / "squad_v1.json",
            "predict_file": golden / "squad_v1.json",
            "bert_config_file": golden / "ckpt" / "bert_config.json",
            "vocab_file": golden / "ckpt" / "vocab.txt",
            "init_checkpoint": golden / "ckpt_squad" / "model.ckpt",
            "output_dir": directory / "run",
            "max_seq_length": 64,
            "doc_stride": 16,
            "max_query_length": 16,
            "train_batch_size": 8,
            "num_train_epochs": 8,
            "save_checkpoints_steps": 17,
            "learning_rate": 1e-4,
        }
    )


def records(shared, directory, random_seed=1):
    return scripts.flags_of(
        {
            "input_file": shared / "data" / "corpus_small" / "*.txt",
            "vocab_file": shared / "golden_bert" / "ckpt" / "vocab.txt",
            "output_file": directory / "records.tfrecord",
            "num_shards": 3,
            "random_seed": random_seed,
        }
    )


def vocabulary(shared, directory, vocab_size=8_000):
    return scripts.flags_of(
        {
            "input_file": shared / "data" / "corpus_small" / "*.txt",
            "vocab_file": directory / "vocab.txt",
            "vocab_size": vocab_size,
        }
    )


def trained(directory):
    """The last checkpoint's weights, the model and the answers. All checkpoints are read: each byte has a checksum.

    TensorFlow deletes the oldest before it takes it from the list, so that one of these may be gone.
    """
    state = tf.train.get_checkpoint_state(str(directory / "run" / "checkpoints"))
    found = {}
    for path in state.all_model_checkpoint_paths if state else ():
        if path != state.model_checkpoint_path and not pathlib.Path(f"{path}.index").exists():
            continue
        reader = tf.train.load_checkpoint(path)
        # TensorFlow counts how often it has saved, and at a signal it does so too.
        names = [name for name in reader.get_variable_to_shape_map() if "VARIABLE" in name and "counter" not in name]
        found = {f"step {name}": reader.get_tensor(name) for name in names}
    model, answers = directory / "run" / "model" / "model.safetensors", directory / "run" / "predictions.json"
    if model.exists():
        found |= load_file(model)
    if answers.exists():
        found["answers"] = np.array(json.dumps(json.loads(answers.read_text())))
    return found


def written(directory):
    return {path.name: np.array(path.read_bytes()) for path in directory.iterdir() if path.is_file()}


JOBS = {
    "pretraining": Job("run_pretraining.py", pretraining, None, trained, kills=4, seconds=9.0),
    "fine_tuning": Job("run_squad.py", fine_tuning, None, trained, kills=3, seconds=9.0),
    "records": Job(
        "data_prep/create_pretraining_data.py",
        records,
        functools.partial(records, random_seed=2),
        written,
        kills=1,
        seconds=4.0,
    ),
    "vocabulary": Job(
        "data_prep/build_vocab.py",
        vocabulary,
        functools.partial(vocabulary, vocab_size=500),
        written,
        kills=1,
        seconds=2.0,
    ),
}


def run(job, flags, shared, directory):
    directory.mkdir(exist_ok=True)
    done = scripts.run(job.script, *flags(shared, directory))
    assert done.returncode == 0, done.stderr
    return job.results(directory)


@pytest.mark.long
@pytest.mark.parametrize("name", JOBS)
def test_killed_at_random_moments_a_command_still_ends_on_the_same_bits(name, shared, tmp_path):
    job, moments = JOBS[name], random.Random(name)
    expected = run(job, job.flags, shared, tmp_path / "whole")
    kills, tries = 0, 0
    while kills < job.kills * KILLS:
        tries += 1
        directory = tmp_path / str(tries)
        older = run(job, job.older, shared, directory) if job.older else {}
        directory.mkdir(exist_ok=True)
        while kills < job.kills * KILLS and killed(job, shared, directory, moments, older, expected):
            kills += 1
        assert_same(run(job, job.flags, shared, directory), expected)
    print(f"{name}: killed {kills} times, {tries} runs")


def killed(job, shared, directory, moments, older, expected):
    """Starts the command, and kills it if it does not end before; answers with whether it did."""
    running = scripts.Running(job.script, *job.flags(shared, directory))
    alive = running.runs_after(moments.uniform(0.2, job.seconds))
    if alive:
        running.send_signal(moments.choice([signal.SIGKILL, signal.SIGTERM]))
    done = running.wait()
    statuses = [-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGTERM, 0] if alive else [0]
    assert done.returncode in statuses, done.stderr
    for name, value in job.results(directory).items():
        new = expected[name]
        assert name.startswith("step") or np.array_equal(value, new) or np.array_equal(value, older.get(name)), name
    return alive and done.returncode != 0


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)
