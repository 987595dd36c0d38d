"""Options that change how steps are computed, and not what they compute: the original's numbers after twelve steps."""

import pytest

from tests import scripts
from tests.pretraining_runs import SCRIPT, original_training, read_results


@pytest.mark.parametrize(
    "options, tolerance",
    [
        ({"gradient_accumulation_steps": 4}, 1e-5),
        ({"recompute": True}, 1e-5),
        ({"loss_average": "replica", "max_skipped_steps": 3}, 1e-5),
        ({"ema_decay": 0.0}, 1e-5),  # An average of the last weights only.
        ({"mixed_precision": "float16"}, 2e-2),
        ({"mixed_precision": "bfloat16"}, 5e-2),
        ({"mixed_precision": "auto"}, 5e-2),
    ],
    ids=str,
)
def test_twelve_steps_end_where_the_original_ends(golden_bert, tmp_path, options, tolerance):
    held_out = {"eval_input_file": golden_bert / "pretrain.tfrecord", "do_eval": True}
    flags = original_training(golden_bert) | held_out | options | {"output_dir": tmp_path / "run"}
    done = scripts.run(SCRIPT, *scripts.flags_of(flags))
    assert done.returncode == 0, done.stderr
    found, golden = (
        read_results(path)
        for path in (tmp_path / "run" / "eval_results.txt", golden_bert / "eval_results_after_12_steps.txt")
    )
    for name in ("loss", "masked_lm_loss", "next_sentence_loss"):
        assert found[name] == pytest.approx(golden[name], rel=tolerance), name
