"""A few steps of a run, for what they take."""

import statistics
import time
from typing import NamedTuple

from official.errors import InputError
from official.training.step import TrainLoop
from official.training.workers import Workers

TIMINGS = 3
SECONDS_PER_TIMING = 1.0  # Fast steps are timed several at once: starting a call takes time too.
MOST_STEPS = 50


class Rehearsal(NamedTuple):
    """What the first steps of a run took.

    first: seconds of the very first step; most of it is tracing and compiling.
    timings: seconds a step, `TIMINGS` times, of those that followed.
    losses: parts of the first step's loss, by name: means over its batch; none where that step was skipped.
    """

    first: float
    timings: tuple[float, ...]
    losses: dict[str, float]

    @property
    def seconds_per_step(self) -> float:
        return statistics.median(self.timings)


def rehearse(loop: TrainLoop, iterator) -> Rehearsal:
    """Makes a few steps with batches of `iterator`: the weights in memory change, and nothing is saved.

    Raises:
        InputError: more steps in a row are not finite than may be skipped.
        WorkerLost: another of several workers is gone.
    """
    workers = Workers(loop.strategy)
    with workers.lost_is_said(lambda: "as it was"):
        first, result = _time_steps(loop, iterator, 1, 0)
        means = {name: total / weight for name, (total, weight) in zip(loop.measure_names, result.sums) if weight}
        losses = {name: float(means[name]) for name in loop.loss_names if name in means}
        guess, result = _time_steps(loop, iterator, 1, result.skipped)
        count = workers.of_chief(max(1, min(MOST_STEPS, int(SECONDS_PER_TIMING / guess))))
        timings = [guess] if count == 1 else []
        while len(timings) < TIMINGS:
            seconds, result = _time_steps(loop, iterator, count, result.skipped)
            timings.append(seconds)
    return Rehearsal(first, tuple(timings), losses)


def _time_steps(loop, iterator, count, skipped):
    """Seconds a step of `count`, and what the loop has said, as it is read on the host."""
    started = time.perf_counter()
    result = loop.run(iterator, count, skipped)
    result = result._replace(sums=result.sums.numpy(), skipped=int(result.skipped))  # Waits for the devices.
    seconds = (time.perf_counter() - started) / count
    if result.skipped > loop.max_skipped_steps:
        raise InputError(
            f"the loss or its gradient is not finite at step {int(loop.step.numpy()) + 1} (learning rate "
            f"{float(result.learning_rate):.3g})"
        )
    return seconds, result
