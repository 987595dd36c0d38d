"""A long run takes no more memory at its end than after its first steps."""

import contextlib
import json
import time

import psutil
import pytest

from tests import scripts
from tests.pretraining_runs import small_run

STEPS, SETTLED, ALLOWED_BYTES = 10_000, 2_500, 24e6


def last_step(path):
    """The last step in a metrics.jsonl that may be just being written."""
    lines = path.read_text().split("\n")[:-1] if path.exists() else []
    return json.loads(lines[-1])["step"] if lines else 0


@pytest.mark.long
@pytest.mark.parametrize("fusion", ["blocks", "none"])
def test_memory_does_not_grow_over_ten_thousand_steps(golden_bert, tmp_path, fusion):
    changed = {"num_train_steps": STEPS, "learning_rate": 1e-4, "save_checkpoints_steps": 1_000}
    evaluated = {"do_eval": True, "max_eval_steps": 4, "iterations_per_loop": 100, "fusion": fusion}
    process = scripts.start("run_pretraining.py", *small_run(golden_bert, tmp_path, **changed, **evaluated))
    used, metrics = [], tmp_path / "run" / "metrics.jsonl"
    while process.poll() is None:
        with contextlib.suppress(psutil.Error):  # It has just ended.
            used.append((last_step(metrics), psutil.Process(process.pid).memory_info().rss))
        time.sleep(1)
    _, err = process.communicate()
    assert process.returncode == 0, err
    settled, at_the_end = (
        max(size for step, size in used if first <= step <= last)
        for first, last in ((SETTLED, SETTLED + 1_000), (STEPS - 1_000, STEPS))
    )
    assert at_the_end < settled + ALLOWED_BYTES, used[:: len(used) // 10]
