"""What run_pretraining.py says of files and flags that it can't use."""

import json

import pytest

from official.models.registry import read_config
from tests import scripts
from tests.pretraining_runs import SCRIPT, small_run


def bad_config(golden_bert, tmp_path, **values):
    config = json.loads((golden_bert / "ckpt" / "bert_config.json").read_text()) | values
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    return {"bert_config_file": path}


def truncated(golden_bert, tmp_path, size):
    path = tmp_path / "short.tfrecord"
    path.write_bytes((golden_bert / "pretrain.tfrecord").read_bytes()[:size])
    return {"input_file": path, "num_train_steps": 40}


BAD_INPUTS = {
    "no such records": (lambda g, t: {"input_file": t / "none*"}, 1, "no file matches"),
    "no such config": (lambda g, t: {"bert_config_file": t / "none.json"}, 1, "none.json: no such file"),
    "no such preset": (lambda g, t: {"bert_config_file": "bert-huge"}, 1, "no preset of that name"),
    "config is no JSON": (lambda g, t: {"bert_config_file": g / "ckpt/vocab.txt"}, 1, "vocab.txt:1: not JSON"),
    "config without vocabulary": (lambda g, t: bad_config(g, t, vocab_size=None), 1, "bad.json: vocab_size is missing"),
    "heads that don't divide": (lambda g, t: bad_config(g, t, num_attention_heads=5), 1, "must divide hidden_size"),
    "unknown activation": (lambda g, t: bad_config(g, t, hidden_act="swoosh"), 1, "hidden_act is 'swoosh'"),
    "impossible dropout": (lambda g, t: bad_config(g, t, hidden_dropout_prob=1.5), 1, "probability in [0, 1)"),
    "negative layers": (lambda g, t: bad_config(g, t, num_hidden_layers=-1), 1, "num_hidden_layers is -1"),
    "vocabulary too small": (lambda g, t: bad_config(g, t, vocab_size=200), 1, "of different vocabularies"),
    "records of another length": (lambda g, t: {"max_seq_length": 32}, 1, "have 64 input_ids, 32 were expected"),
    "other predictions": (lambda g, t: {"max_predictions_per_seq": 20}, 1, "--max_predictions_per_seq is 20"),
    "positions too few": (lambda g, t: {"max_seq_length": 512}, 1, "max_position_embeddings 96"),
    "records cut short": (lambda g, t: truncated(g, t, 50_000), 1, "short.tfrecord: cut short or damaged behind"),
    "records cut in a head": (lambda g, t: truncated(g, t, 1_000), 1, "short.tfrecord: cut short or damaged behind"),
    "records that are none": (lambda g, t: {"input_file": g / "text.txt"}, 1, "text.txt: not a TFRecord file"),
    "no such checkpoint": (lambda g, t: {"init_checkpoint": t / "none.ckpt"}, 1, "none.ckpt"),
    "checkpoint of another size": (
        lambda g, t: bad_config(g, t, hidden_size=48) | {"init_checkpoint": g / "ckpt/bert_model.ckpt"},
        1,
        "word_embeddings",
    ),
    "output is a file": (lambda g, t: {"output_dir": g / "text.txt"}, 1, "text.txt: is a file"),
    "dynamic masks without vocabulary": (lambda g, t: {"masking": "dynamic"}, 1, "needs --vocab_file"),
    "dynamic masks of records with masks": (
        lambda g, t: {"masking": "dynamic", "vocab_file": g / "ckpt/vocab.txt"},
        1,
        "they were masked when they were written, as --masking=static reads them",
    ),
    "masks of ELECTRA and random words": (
        lambda g, t: {"masking": "dynamic", "masking_rule": "electra", "vocab_file": g / "ckpt/vocab.txt"},
        1,
        "--masking_rule=electra: knows no random tokens",
    ),
    "replacements of more than all": (lambda g, t: {"keep_original_prob": 0.3}, 2, "the three must add up to 1"),
    "unknown flag": (lambda g, t: {"learning_rte": 1}, 2, "learning_rte"),
    "flag of the wrong type": (lambda g, t: {"num_train_steps": "many"}, 2, "num_train_steps"),
    "nothing to do": (lambda g, t: {"do_train": False}, 2, "--do_train, --do_eval"),
}


@pytest.mark.parametrize("case", BAD_INPUTS)
def test_bad_input_ends_with_one_clear_line(golden_bert, tmp_path, case):
    make, status, message = BAD_INPUTS[case]
    directory = tmp_path / "work"
    flags = small_run(golden_bert, directory, num_train_steps=4)
    done = scripts.run(SCRIPT, *flags, *scripts.flags_of(make(golden_bert, tmp_path)))
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ") and message in last, done.stderr


def test_config_keys_that_bert_does_not_have_are_named(golden_bert, tmp_path, capsys):
    path = tmp_path / "config.json"
    config = json.loads((golden_bert / "ckpt" / "bert_config.json").read_text())
    path.write_text(json.dumps(config | {"hiden_size": 3, "pooler_type": "first_token_transform"}))
    read_config(str(path))
    assert "ignored: hiden_size\n" in capsys.readouterr().err
