"""Which model is kept, and when training ends early."""

import pytest

from official.tasks.fine_tuning.best_model import BestModel, EnoughTried
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.fine_tuning.trials import run_trials, summary


def add_all(best, scores, patience=None):
    for step, score in enumerate(scores, start=1):
        best.add(10 * step, score, patience)


def test_the_best_is_the_first_of_the_highest(tmp_path):
    best = BestModel(str(tmp_path))
    assert best.step is None
    assert best.is_better(-1.0)
    add_all(best, [0.2, 0.5, 0.5, 0.4])
    assert best.step == 20
    assert not best.is_better(0.5)
    assert best.is_better(0.51)
    assert BestModel(str(tmp_path)).step == 20


def test_training_ends_after_so_many_scores_without_a_better_one(tmp_path):
    best = BestModel(str(tmp_path))
    with pytest.raises(EnoughTried, match="stopped at step 40: no better score since step 20"):
        add_all(best, [0.2, 0.5, 0.3, 0.4, 0.9], patience=2)


def test_a_run_that_goes_on_from_before_forgets_later_scores(tmp_path):
    best = BestModel(str(tmp_path))
    add_all(best, [0.2, 0.5, 0.9])
    best.add(20, 0.4, None)
    assert best.step == 20
    assert best.is_better(0.6)


def test_a_run_that_keeps_its_last_model_forgets_all(tmp_path):
    best = BestModel(str(tmp_path))
    add_all(best, [0.2])
    best.forget()
    assert BestModel(str(tmp_path)).step is None


def test_trials_have_seeds_and_directories_of_their_own_and_a_table(tmp_path, capsys):
    seen = []

    def train_and_score(run):
        seen.append((run.seed, run.output_dir))
        return {"eval_accuracy": [0.5, 0.9, 0.6][len(seen) - 1]}

    run = FineTuningRun(output_dir=str(tmp_path), num_trials=3, seed=7)
    scores, best = run_trials(run, train_and_score, "eval_accuracy")
    assert scores == {"eval_accuracy": 0.6}
    assert best == str(tmp_path / "trial_2")
    assert seen == [(7 + number, str(tmp_path / f"trial_{number + 1}")) for number in range(3)]
    out = capsys.readouterr().out
    assert "eval_accuracy     0.6000    0.5000    0.9000" in out
    assert "best eval_accuracy: trial 2" in out


def test_a_single_trial_is_the_run_itself(tmp_path):
    run = FineTuningRun(output_dir=str(tmp_path))
    assert run_trials(run, lambda trial: {"same": trial is run}, "same") == ({"same": True}, str(tmp_path))


def test_the_table_names_every_score():
    assert len(summary([{"a": 1.0, "bbbb": 2.0}]).splitlines()) == 3
