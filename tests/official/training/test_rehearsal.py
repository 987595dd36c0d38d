"""A few steps, timed."""

import numpy as np
import pytest
import tensorflow as tf

from official.errors import InputError
from official.training import rehearsal
from official.training.step import LoopResult


class Step:
    def numpy(self):
        return 0


class Loop:
    """Stands in for a `TrainLoop` whose steps take so many seconds; time passes when they are made."""

    measure_names, loss_names = ["masked_lm_loss", "accuracy"], ["masked_lm_loss"]
    strategy = tf.distribute.get_strategy()

    def __init__(self, clock, seconds, bad_steps=0, max_skipped_steps=0):
        self.clock, self.seconds, self.counts = clock, seconds, []
        self.bad_steps, self.max_skipped_steps, self.step = bad_steps, max_skipped_steps, Step()

    def run(self, iterator, count, skipped):
        self.clock[0] += self.seconds * count + (20 if not self.counts else 0)
        self.counts.append(count)
        bad = len(self.counts) <= self.bad_steps
        sums = np.zeros([2, 2]) if bad else np.array([[8.0, 2.0], [1.0, 2.0]]) / (1 + len(self.counts) // 2)
        tensor = type("Tensor", (), {"numpy": lambda self: sums})()
        return LoopResult(tensor, 0.0, 1.0, [0, 0], skipped + 1 if bad else 0, int(bad))


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(rehearsal.time, "perf_counter", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("seconds", "counts"),
    [(9.0, [1, 1, 1, 1]), (0.125, [1, 1, 8, 8, 8]), (1e-4, [1, 1, 50, 50, 50])],
)
def test_slow_steps_are_made_four_times_and_fast_ones_timed_together(clock, seconds, counts):
    loop = Loop(clock, seconds)
    found = rehearsal.rehearse(loop, None)
    assert loop.counts == counts
    assert found.first == pytest.approx(20 + seconds)
    assert found.timings == pytest.approx([seconds] * 3) and found.seconds_per_step == pytest.approx(seconds)
    assert found.losses == {"masked_lm_loss": 4.0}  # Of the first step.


def test_a_loss_that_is_not_finite_is_bad_input(clock):
    with pytest.raises(InputError, match="not finite at step 1"):
        rehearsal.rehearse(Loop(clock, 1.0, bad_steps=2, max_skipped_steps=1), None)


def test_steps_that_may_be_skipped_are_and_then_there_is_no_first_loss(clock):
    found = rehearsal.rehearse(Loop(clock, 9.0, bad_steps=2, max_skipped_steps=2), None)
    assert found.losses == {} and len(found.timings) == 3
