"""What a run tells while it goes: a live line, `metrics.jsonl`, TensorBoard."""

import json
import os
import sys
import time
from collections.abc import Mapping

import tensorflow as tf

from official import files
from official.progress import format_seconds

PLAIN_LINE_SECONDS = 10.0  # Between two lines where the output is a file.


def format_measures(measures: Mapping[str, float]) -> str:
    """`loss 7.41  masked_lm_loss 6.72  …`, small enough for one line."""
    short = {name.replace("masked_lm", "mlm").replace("next_sentence", "nsp"): v for name, v in measures.items()}
    return "  ".join(f"{name} {value:.3f}" for name, value in short.items())


class Progress:
    """The line of a long run: step, losses, accuracy, learning rate, tokens a second, time left."""

    def __init__(self, total_steps: int, tokens_per_step: int):
        self.total_steps, self.tokens_per_step = total_steps, tokens_per_step
        self.live = sys.stderr.isatty()
        self.last_shown = 0.0
        self.width = 0

    def show(self, step: int, measures: Mapping[str, float], learning_rate: float, steps_per_second: float) -> None:
        """Shows one line; where the output is a file, at most one every ten seconds, and the last one."""
        now = time.monotonic()
        if not self.live and now - self.last_shown < PLAIN_LINE_SECONDS and step < self.total_steps:
            return
        self.last_shown = now
        line = f"step {step}/{self.total_steps}  {format_measures(measures)}  lr {learning_rate:.2e}"
        if steps_per_second:
            left = format_seconds((self.total_steps - step) / steps_per_second)
            line += f"  {steps_per_second * self.tokens_per_step:,.0f} tokens/s  {left} left"
        self._write(line)

    def _write(self, line):
        if self.live:
            sys.stderr.write("\r" + line.ljust(self.width))
            self.width = len(line)
        else:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()

    def interrupt(self, message: str = "") -> None:
        """Ends the live line, so that something else can be printed; `message` is, if there is one."""
        if self.live and self.width:
            sys.stderr.write("\n")
            self.width = 0
        if message:
            print(message, file=sys.stderr, flush=True)


class MetricsLog:
    """`metrics.jsonl` and TensorBoard's event files in one output directory.

    Args:
        output_dir: of the run.
        step: at which the run starts; lines of later steps, written before an interruption, are dropped.
    """

    def __init__(self, output_dir: str, step: int):
        files.make_directory(output_dir)
        self.path = os.path.join(output_dir, "metrics.jsonl")
        self._drop_after(step)
        self._writers = {}
        self._log_dir = os.path.join(output_dir, "logs")

    def _drop_after(self, step):
        if not files.exists(self.path):
            return
        kept = []
        with files.open_file(self.path) as file:
            for line in file:
                try:
                    if json.loads(line)["step"] <= step:
                        kept.append(line)
                except (ValueError, KeyError, TypeError):
                    continue  # A line cut short when the run was killed.
        with files.write_whole(self.path) as file:
            file.writelines(kept)

    def write(self, kind: str, step: int, values: Mapping[str, float]) -> None:
        """Adds one line; `kind` is `train` or `eval`."""
        line = json.dumps({"step": step, "kind": kind} | {name: float(value) for name, value in values.items()})
        files.append(self.path, line + "\n")
        if kind not in self._writers:
            self._writers[kind] = tf.summary.create_file_writer(os.path.join(self._log_dir, kind))
        with self._writers[kind].as_default(step=step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self._writers[kind].flush()
