"""The training loop: from whatever step a run is at to its last, saving on the way."""

import dataclasses
import math
import signal
import time
from collections.abc import Callable, Mapping

import tensorflow as tf

from official.errors import InputError, Stopped
from official.training.checkpoint import TrainState
from official.training.host_memory import keep_freed_memory
from official.training.logs import MetricsLog, Progress
from official.training.output_dir import shown
from official.training.step import LoopResult, TrainLoop
from official.training.workers import Workers

SECONDS_PER_CALL = 2.0  # On slow devices a call makes fewer steps than it may: the line stays alive, Ctrl-C is quick.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Schedule:
    """When a run does what, in optimizer steps.

    num_train_steps: where it ends.
    save_checkpoints_steps: between two checkpoints.
    iterations_per_loop: at most so many steps are made on the devices in one call.
    """

    num_train_steps: int
    save_checkpoints_steps: int
    iterations_per_loop: int


class _StopOnSignal:
    """Remembers the first SIGINT or SIGTERM; a second one acts at once."""

    def __enter__(self):
        self.received = None
        self._previous = {number: signal.signal(number, self._remember) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def _remember(self, number, frame):
        del frame
        self.received = number
        signal.signal(number, self._previous[number])

    def __exit__(self, *_):
        for number, handler in self._previous.items():
            signal.signal(number, handler)


def train(
    loop: TrainLoop,
    iterator,
    state: TrainState,
    schedule: Schedule,
    log: MetricsLog,
    tokens_per_step: int,
    evaluate: Callable[[], Mapping[str, float]] | None = None,
) -> None:
    """Trains up to `schedule.num_train_steps`, saves every `save_checkpoints_steps` and at the end.

    Args:
        loop: the steps.
        iterator: of the batches, from `state.position` on.
        state: restored already if there was something to go on from.
        log: where measures go: at every checkpoint, and about a hundred times in a run or once a loop.
        tokens_per_step: for the progress line.
        evaluate: called after each checkpoint; what it answers is logged.

    Raises:
        InputError: a loss that is not finite, or a checkpoint that can't be written.
        Stopped: SIGINT or SIGTERM came; the run was saved.
        WorkerLost: another of several workers is gone.
    """
    progress = Progress(schedule.num_train_steps, tokens_per_step)
    pace = _Pace(schedule)
    if state.latest is None:
        state.save()  # A run killed before its first checkpoint starts from the same weights again.
    sums, skipped = 0.0, 0  # [M, 2], since the last line of the log
    workers = Workers(loop.strategy)
    with _StopOnSignal() as stop, workers.lost_is_said(lambda: shown(state.latest)):
        while int(state.step.numpy()) < schedule.num_train_steps:
            count = workers.of_chief(pace.steps_of_next_call(int(state.step.numpy())))
            started = time.monotonic()
            result = loop.run(iterator, count, skipped)
            sums, skipped = sums + result.sums.numpy(), int(result.skipped)
            if skipped > loop.max_skipped_steps:
                progress.interrupt()
                raise _not_finite(result, state)
            state.position.assign(result.position)
            pace.saw(count, time.monotonic() - started)
            step = int(state.step.numpy())
            measures = _means(sums, loop)
            progress.show(step, measures, float(result.learning_rate), pace.steps_per_second)
            if int(result.all_skipped):
                progress.interrupt(
                    f"step {step}: {int(result.all_skipped)} skipped, whose loss or gradient was not finite"
                )
            if pace.is_logged(step):
                _write(log, step, measures, result, pace.steps_per_second * tokens_per_step)
                sums = 0.0
            stopped = workers.sum(stop.received or 0) > 0  # A signal to one of them is for all.
            if stopped or pace.is_saved(step):
                saved = state.save()
                if stopped:
                    progress.interrupt()
                    raise Stopped(stop.received or signal.SIGTERM, step, shown(saved))
                if evaluate is not None:
                    _evaluate(evaluate, step, log, progress)
    progress.interrupt()


class _Pace:
    """How many steps the next call makes: so that it ends at every step where something is due, and soon enough."""

    def __init__(self, schedule: Schedule):
        self.schedule = schedule
        self.log_every = max(1, min(schedule.num_train_steps // 100, schedule.iterations_per_loop))
        self.steps_per_second = 0.0
        self._limit = 1
        self._traced = False

    def steps_of_next_call(self, step: int) -> int:
        due = min(
            self.schedule.num_train_steps - step,
            self.schedule.save_checkpoints_steps - step % self.schedule.save_checkpoints_steps,
            self.log_every - step % self.log_every,
        )
        return min(due, self._limit)

    def saw(self, count: int, seconds: float) -> None:
        """Learns from a call how long a step takes; the first call is left out, most of it is tracing."""
        if not self._traced:
            self._traced = True
            return
        rate = count / seconds
        self.steps_per_second = rate if not self.steps_per_second else 0.8 * self.steps_per_second + 0.2 * rate
        self._limit = min(self.schedule.iterations_per_loop, max(1, math.floor(rate * SECONDS_PER_CALL)))

    def is_logged(self, step: int) -> bool:
        return step % self.log_every == 0 or self.is_saved(step)

    def is_saved(self, step: int) -> bool:
        return step % self.schedule.save_checkpoints_steps == 0 or step == self.schedule.num_train_steps


def _means(sums, loop: TrainLoop) -> dict[str, float]:
    pairs = zip(loop.measure_names, sums, strict=True)
    means = {name: float(total / weight) if weight else 0.0 for name, (total, weight) in pairs}
    return {"loss": sum(means[name] for name in loop.loss_names)} | means


def _not_finite(result: LoopResult, state: TrainState) -> InputError:
    return InputError(
        f"the loss or its gradient is not finite at step {int(state.step.numpy()) + 1} (learning rate "
        f"{float(result.learning_rate):.3g}); the last good checkpoint is {shown(state.latest)}"
    )


def _write(log, step, measures, result, tokens_per_second):
    rates = {"learning_rate": float(result.learning_rate), "gradient_norm": float(result.gradient_norm)}
    log.write("train", step, measures | rates | {"tokens_per_second": tokens_per_second})


def _evaluate(evaluate, step, log, progress):
    results = evaluate()
    log.write("eval", step, results)
    shown = "  ".join(f"{name} {value:.4f}" for name, value in sorted(results.items()))
    progress.interrupt(f"scores at step {step}: {shown}")


def device_iterator(strategy: tf.distribute.Strategy, make_dataset: Callable) -> object:
    """An iterator of batches for `strategy`; `make_dataset(input_context)` gives the dataset of one host."""
    if isinstance(strategy, tf.distribute.OneDeviceStrategy):
        # What hands batches to several devices has threads of its own that tune it, whatever the dataset's options say,
        # and ending it may take until they wake: up to a minute.
        iterator = iter(make_dataset(tf.distribute.InputContext()))
    else:
        iterator = iter(strategy.distribute_datasets_from_function(make_dataset))
    keep_freed_memory()  # TensorFlow may just have asked for the opposite.
    return iterator
