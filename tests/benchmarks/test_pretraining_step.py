"""The comparison of training steps: whose turn it is, and what its table says."""

import io
import json
import re
import subprocess
import sys

import pytest

from benchmarks.pretraining_step import work


def test_a_side_answers_first_when_it_is_warm_and_then_once_a_turn(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n\n"))
    made = []

    def run(steps):
        made.append((steps, len(capsys.readouterr().out.splitlines())))

    work.take_turns(run, steps=3)
    # Nothing is said before it is warm: another side may be at work as soon as this one has answered.
    assert made == [(1, 0), (2, 0), (3, 1), (3, 1)]
    assert json.loads(capsys.readouterr().out).keys() == {"seconds", "cpu_seconds", "peak"}


@pytest.mark.slow
def test_every_side_has_a_line_and_numbers_of_every_turn(repository, tmp_path):
    command = "-m benchmarks.pretraining_step.compare --sizes=tiny --precisions=float32 --train_batch_size=2"
    command += f" --sides=ours,products,keras_hub --at_once=2 --repetitions=3 --steps=1 --json={tmp_path}/steps.json"
    done = subprocess.run([sys.executable, *command.split()], cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (.+?) \| [\d,]+ \|", done.stdout, re.MULTILINE)
    assert rows == ["this project, auto", "matrix products only", "keras-hub `fit`"]
    (measured,) = json.loads((tmp_path / "steps.json").read_text())
    assert [len(side["seconds"]) for side in measured["sides"].values()] == [3, 3, 3]
