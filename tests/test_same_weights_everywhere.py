"""The same global batches give the same weights, however they are shared out."""

import json
import pathlib
import subprocess

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests import scripts

STEPS = 20


def config_without_dropout(golden_bert, folder):
    config = json.loads((golden_bert / "ckpt" / "bert_config.json").read_text())
    path = folder / "config.json"
    path.write_text(json.dumps(config | {"hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0}))
    return path


def pretraining(golden_bert, folder):
    return "run_pretraining.py", {
        "bert_config_file": config_without_dropout(golden_bert, folder),
        "input_file": golden_bert / "pretrain.tfrecord",
        "max_seq_length": 64,
        "max_predictions_per_seq": 10,
        "train_batch_size": 8,
        "num_train_steps": STEPS,
        "num_warmup_steps": 2,
        "learning_rate": 1e-4,
    }


def fine_tuning(golden_bert, folder):
    """Questions: of the heads the only one whose dropout, as in the original, is that of the config."""
    return "run_squad.py", {
        "train_file": golden_bert / "squad_v1.json",
        "bert_config_file": config_without_dropout(golden_bert, folder),
        "vocab_file": golden_bert / "ckpt" / "vocab.txt",
        "init_checkpoint": golden_bert / "ckpt_squad" / "model.ckpt",
        "max_seq_length": 64,
        "doc_stride": 16,
        "max_query_length": 16,
        "train_batch_size": 8,
        "num_train_epochs": 0.42,
        "learning_rate": 1e-4,
    }


def one_device(script, flags):
    return [scripts.run(script, *flags)]


def two_cpus(script, flags):
    return [scripts.run(script, *flags, "--distribution=mirrored", cpus=2)]


def four_micro_batches(script, flags):
    return [scripts.run(script, *flags, "--gradient_accumulation_steps=4")]


def two_cpus_with_micro_batches_and_recomputation(script, flags):
    more = ["--distribution=mirrored", "--gradient_accumulation_steps=2", "--recompute"]
    return [scripts.run(script, *flags, *more, cpus=2)]


def two_processes(script, flags):
    started = scripts.start_workers(script, *flags, count=2)
    outputs = [process.communicate(timeout=400) for process in started]
    return [
        subprocess.CompletedProcess(process.args, process.returncode, *output)
        for process, output in zip(started, outputs, strict=True)
    ]


def trained(run, make, golden_bert, folder: pathlib.Path):
    folder.mkdir()
    script, values = make(golden_bert, folder)
    done = run(script, scripts.flags_of(values | {"do_train": True, "output_dir": folder / "out"}))
    for process in done:
        assert process.returncode == 0, process.stderr[-3000:]
    steps = [json.loads(line)["step"] for line in (folder / "out" / "metrics.jsonl").read_text().splitlines()]
    assert max(steps) >= STEPS
    return load_file(folder / "out" / "model" / "model.safetensors")


@pytest.fixture(scope="module", params=[pretraining, fine_tuning])
def on_one_device(request, golden_bert, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param.__name__)
    return request.param, trained(one_device, request.param, golden_bert, folder / "one")


@pytest.mark.slow
@pytest.mark.parametrize(
    "run", [two_cpus, four_micro_batches, two_cpus_with_micro_batches_and_recomputation, two_processes]
)
def test_twenty_steps_give_the_weights_of_one_device(run, on_one_device, golden_bert, tmp_path):
    make, expected = on_one_device
    weights = trained(run, make, golden_bert, tmp_path / "run")
    assert weights.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(weights[name], values, atol=1e-5, err_msg=name)


def method(name):
    """The pretraining of a family, or of a student."""

    def make(golden_bert, folder):
        script, flags = pretraining(golden_bert, folder)
        flags |= {"method": name, "masking": "static", "optimizer": "adamw_bert"}
        if name == "albert":
            config = json.loads(flags["bert_config_file"].read_text()) | {"embedding_size": 8, "num_hidden_groups": 1}
            flags["bert_config_file"].write_text(json.dumps(config))
        else:
            flags["teacher"] = golden_bert / "ckpt"
        return script, flags

    return make


@pytest.mark.slow
@pytest.mark.parametrize("name", ["albert", "distilbert", "tinybert", "minilm"])
def test_every_method_gives_the_same_weights_on_two_devices(name, golden_bert, tmp_path):
    make = method(name)
    expected = trained(one_device, make, golden_bert, tmp_path / "one")
    weights = trained(two_cpus, make, golden_bert, tmp_path / "two")
    assert weights.keys() == expected.keys()
    for variable, values in expected.items():
        np.testing.assert_allclose(weights[variable], values, atol=1e-5, err_msg=variable)


@pytest.mark.slow
def test_electra_runs_on_two_devices_and_draws_other_words_on_each(golden_bert, tmp_path):
    def make(golden_bert, folder):
        script, flags = pretraining(golden_bert, folder)
        return script, flags | {"method": "electra", "masking": "static", "vocab_file": golden_bert / "ckpt/vocab.txt"}

    weights = trained(two_cpus, make, golden_bert, tmp_path / "two")
    assert all(np.isfinite(values).all() for values in weights.values())
