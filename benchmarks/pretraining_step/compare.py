"""Measures a step of pretraining here, beside keras-hub and transformers, and beside nothing but its matrix products.

    python -m benchmarks.pretraining_step.compare --sizes=mini,small --json=steps.json

All train masked language model and next sentence on the same batch of MAX_SEQ_LENGTH tokens an example, with dropout,
Adam with weight decay, and clipping; this project and keras-hub project masked positions only. Each side is a process
of its own, and as many as memory has room for (`--at_once`) take turns: medians of the turns. Sides that are far apart
in time compare badly where others use the processor too. The products are those of a step's dense layers, measured
alone; their share, in seconds of the processor, says what a step would take if it were free of all else.
"""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

from absl import flags

from benchmarks import peers
from official import command_line, files
from official.errors import InputError

FLAGS = flags.FLAGS
REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
BATCH_SIZES = {"tiny": 64, "mini": 32, "small": 32, "medium": 32, "base": 16}
OURS, PRODUCTS = "our_side", "products_side"


class Side(NamedTuple):
    """A process that makes steps."""

    module: str
    variant: str

    def name(self) -> str:
        names = {OURS: "this project", PRODUCTS: "matrix products only", "keras_hub_side": "keras-hub `fit`"}
        name = names.get(self.module, "transformers")
        return f"{name}, {self.variant}" if self.variant else name


SIDES = {
    "ours": Side(OURS, "auto"),
    "products": Side(PRODUCTS, ""),
    "keras_hub": Side("keras_hub_side", ""),
    "transformers": Side("transformers_side", ""),
    "transformers_compile": Side("transformers_side", "compile"),
    "ours_none": Side(OURS, "none"),
    "ours_step": Side(OURS, "step"),
    "ours_recompute": Side(OURS, "recompute"),
    "keras_hub_jit": Side("keras_hub_side", "jit"),
}

flags.adopt_module_key_flags(peers)
flags.DEFINE_string("json", None, "Where to write the numbers.")
for name, known, default in (
    ("sizes", BATCH_SIZES, ["tiny", "mini", "small", "base"]),
    ("precisions", ("float32", "bfloat16"), ["float32", "bfloat16"]),
    ("sides", SIDES, list(SIDES)),
):
    flags.DEFINE_list(name, default, "Which of them.")
    flags.register_validator(name, set(known).issuperset, f"some of {', '.join(known)} were expected")
flags.DEFINE_integer("train_batch_size", None, "Examples in a step (default: 64 for tiny … 16 for base).", 1)
flags.DEFINE_integer("max_seq_length", 128, "Tokens of an example.", 8)
flags.DEFINE_integer("max_predictions_per_seq", 20, "Masked tokens of an example.", 1)
flags.DEFINE_integer("repetitions", 5, "How often each side takes its turn.", 3)
flags.DEFINE_integer("at_once", 5, "Sides in memory together, which alternate: five of BERT-base take 23 GB.", 1)
flags.DEFINE_integer("steps", 3, "Steps in a turn.", 1)
flags.DEFINE_integer("threads", len(os.sched_getaffinity(0)), "Of every side.", 1)


@contextlib.contextmanager
def started(side: Side, config: str, precision: str, batch_size: int) -> Iterator[subprocess.Popen]:
    """A process that waits for its turns."""
    python = peers.python() if side.module == "transformers_side" else sys.executable
    command = [python, "-m", f"benchmarks.pretraining_step.{side.module}", f"--config={config}"]
    command += [f"--precision={precision}", f"--batch_size={batch_size}", f"--variant={side.variant}"]
    names = ("max_seq_length", "max_predictions_per_seq", "steps", "threads")
    command += [f"--{name}={FLAGS[name].value}" for name in names]
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"}
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as process,
    ):
        process.errors = errors
        yield process
        process.stdin.close()


def answer(process: subprocess.Popen) -> dict[str, float]:
    """What it says after a turn.

    Raises:
        InputError: it has ended.
    """
    for line in process.stdout:
        if line.startswith("{"):
            return json.loads(line)
    process.errors.seek(0)
    raise InputError(f"{' '.join(process.args)}: {process.errors.read().strip()[-300:]}")


def measure(config: str, precision: str, batch_size: int) -> dict[str, dict]:
    """For each side the seconds of its turns, of the processor too, and those of its first step."""
    found = {}
    for start in range(0, len(FLAGS.sides), FLAGS.at_once):
        found |= measure_together(FLAGS.sides[start : start + FLAGS.at_once], config, precision, batch_size)
    return found


def measure_together(sides: list[str], config: str, precision: str, batch_size: int) -> dict[str, dict]:
    """The same of a few, which alternate."""
    with contextlib.ExitStack() as stack:
        processes, found = {}, {}
        for name in sides:
            processes[name] = stack.enter_context(started(SIDES[name], config, precision, batch_size))
            found[name] = answer(processes[name]) | {"seconds": [], "cpu_seconds": [], "peak": []}
        for _ in range(FLAGS.repetitions):
            for name, process in processes.items():
                process.stdin.write("\n")
                process.stdin.flush()
                for key, value in answer(process).items():
                    found[name][key].append(value)
    return found


def table(size: str, precision: str, batch_size: int, found: dict[str, dict]) -> str:
    """Markdown: a line a side."""
    tokens = batch_size * FLAGS.max_seq_length
    other = "keras_hub" if "keras_hub" in found else next(iter(found))
    reference = statistics.median(found[other]["seconds"])
    products = statistics.median(found["products"]["cpu_seconds"]) if "products" in found else None
    lines = [
        f"bert-{size}, batch {batch_size} × {FLAGS.max_seq_length}, {precision}, {FLAGS.threads} threads",
        "",
        f"| | ms a step | spread | tokens/s | to {SIDES[other].name()} | CPU ms | products' share | first step, s "
        "| peak, MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, measured in found.items():
        seconds, cpu_seconds = statistics.median(measured["seconds"]), statistics.median(measured["cpu_seconds"])
        cells = [
            *(SIDES[name].name(), f"{1e3 * seconds:,.0f}"),
            f"{1e3 * min(measured['seconds']):,.0f}–{1e3 * max(measured['seconds']):,.0f}",
            *(f"{tokens / seconds:,.0f}", f"{reference / seconds:.2f}", f"{1e3 * cpu_seconds:,.0f}"),
            *("" if products is None else f"{100 * products / cpu_seconds:.0f} %", f"{measured['first']:.1f}"),
            f"{max(measured['peak']) / 1e6:,.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main():
    command_line.import_tensorflow()
    from official.models.registry import read_config

    everything = []
    for size in FLAGS.sizes:
        batch_size = FLAGS.train_batch_size or BATCH_SIZES[size]
        with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
            config.write(read_config(f"bert-{size}").to_json())
            config.flush()
            for precision in FLAGS.precisions:
                found = measure(config.name, precision, batch_size)
                print(table(size, precision, batch_size, found) + "\n", flush=True)
                everything.append({"size": size, "precision": precision, "batch_size": batch_size, "sides": found})
    if FLAGS.json:
        with files.open_file(FLAGS.json, "w") as file:
            file.write(json.dumps(everything, indent=1) + "\n")


if __name__ == "__main__":
    command_line.run(main)
