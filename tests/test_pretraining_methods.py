"""`run_pretraining.py --method=…`: what a method's flags are where they are not given."""

import json

import pytest

from tests import scripts
from tests.pretraining_runs import SCRIPT, small_run

ELECTRA = (
    "--masking=dynamic --masking_rule=electra --replace_with_mask_prob=0.85 --keep_original_prob=0.15 "
    "--replace_with_random_prob=0.0 --learning_rate=0.0005 --learning_rate_schedule=electra"
)
CASES = {
    "electra": (["--method=electra"], [ELECTRA, "--method=electra: --max_predictions_per_seq=19"]),
    "electra, long": (["--method=electra", "--max_seq_length=512"], ["--max_predictions_per_seq=79"]),
    "electra, told": (["--method=electra", "--max_predictions_per_seq=5", "--learning_rate=1"], ["0.85"]),
    "minilm": (["--method=minilm", "--teacher=t"], ["--method=minilm: --learning_rate=0.0005"]),
}


@pytest.mark.parametrize("case", CASES)
def test_flags_that_are_not_given_are_the_published_ones_and_said(case, tmp_path):
    flags, said = CASES[case]
    need = ["--bert_config_file=bert-tiny", f"--input_file={tmp_path}/none", f"--output_dir={tmp_path}", "--do_train"]
    done = scripts.run(SCRIPT, *need, *flags)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert [text for text in said if text not in done.stderr] == []
    given = {flag.split("=")[0] for flag in flags} - {"--method"}
    assert not any(f"{name}=" in done.stderr.split("error:")[0] for name in given)


@pytest.mark.parametrize("shape", ["bert-tiny", "bert_config.json"])
def test_a_roberta_counts_positions_from_behind_the_padding_of_its_vocabulary(shape, golden_bert, tmp_path):
    """0 in a WordPiece vocabulary, 1 in the released ones, where the presets' positions have it from."""
    given = golden_bert / "ckpt" / shape if shape.endswith(".json") else shape
    changes = {"vocab_file": golden_bert / "ckpt" / "vocab.txt", "num_train_steps": 1, "train_batch_size": 2}
    flags = small_run(golden_bert, tmp_path, bert_config_file=given, **changes)
    done = scripts.run(SCRIPT, *flags, "--method=roberta", "--masking=static", "--fusion=none")
    assert done.returncode == 0, done.stderr
    config = json.loads((tmp_path / "run" / "model" / "config.json").read_text())
    assert (config["model_type"], config["pad_token_id"]) == ("roberta", 0)
