"""A small pretraining run, as a command line."""

import json

from tests import scripts

SCRIPT = "run_pretraining.py"


def small_run(golden_bert, directory, **flags):
    config = json.loads((golden_bert / "ckpt" / "bert_config.json").read_text())
    config |= {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
    directory.mkdir(exist_ok=True)
    (directory / "config.json").write_text(json.dumps(config))
    return scripts.flags_of(
        {
            "bert_config_file": directory / "config.json",
            "input_file": golden_bert / "pretrain.tfrecord",
            "output_dir": directory / "run",
            "do_train": True,
            "max_seq_length": 64,
            "max_predictions_per_seq": 10,
            "train_batch_size": 16,
            "learning_rate": 1e-3,
            "num_train_steps": 400,
            "num_warmup_steps": 40,
            "save_checkpoints_steps": 7,
        }
        | flags
    )


def original_run(golden_bert):
    """The flags of the runs whose results the original left in `golden_bert`."""
    return {
        "bert_config_file": golden_bert / "ckpt" / "bert_config.json",
        "init_checkpoint": golden_bert / "ckpt" / "bert_model.ckpt",
        "max_seq_length": 64,
        "max_predictions_per_seq": 10,
        "max_eval_steps": 32,
    }


def original_training(golden_bert):
    """The flags of its twelve steps."""
    return original_run(golden_bert) | {
        "input_file": golden_bert / "one_example.tfrecord",
        "do_train": True,
        "train_batch_size": 8,
        "num_train_steps": 12,
        "num_warmup_steps": 4,
        "learning_rate": 2e-3,
    }


def read_results(path):
    """An eval_results.txt by name."""
    return {key: float(value) for key, value in (line.split(" = ") for line in path.read_text().splitlines())}
