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
