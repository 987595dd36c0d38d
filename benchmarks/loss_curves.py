"""Trains one model under every fusion, precision and generator of dropout: the losses have to agree as seeds do.

    python data_prep/create_pretraining_data.py --input_file=corpus/train.txt --output_file=train.tfrecord \\
        --vocab_file=vocab.txt --max_seq_length=64 --max_predictions_per_seq=10
    python -m benchmarks.loss_curves --input_file=train.tfrecord --eval_input_file=held_out.tfrecord \\
        --vocab_file=vocab.txt --results=loss_curves.jsonl

Each run is `run_pretraining.py` in a process of its own. What is in the results is not run again, so that the same
command goes on where it stopped, or only prints the table: the losses up to some of the steps, averaged over a tenth of
the run, the loss on held-out records, and by how many standard deviations of the seeds it is off their mean. The seeds
are those of the first variant.
"""

import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from typing import NamedTuple

from absl import flags

from benchmarks.commands import REPOSITORY, finish
from official import command_line, files

FLAGS = flags.FLAGS

flags.DEFINE_string("input_file", None, "Records.")
flags.DEFINE_string("eval_input_file", None, "Held-out records.")
flags.DEFINE_string("vocab_file", None, "Their vocabulary.")
flags.DEFINE_string("results", None, "JSON lines, one a run; what is there is kept and not run again.")
flags.DEFINE_string("bert_config_file", "bert-mini", "A preset, or a bert_config.json.")
flags.DEFINE_integer("num_train_steps", 1_000, "Of each run.", 100)
flags.DEFINE_integer("train_batch_size", 8, "Examples in a step.", 1)
flags.DEFINE_integer("max_seq_length", 64, "Of the records.", 8)
flags.DEFINE_integer("max_predictions_per_seq", 10, "Of the records.", 1)
flags.DEFINE_float("learning_rate", 5e-4, "The peak, reached after a tenth of the steps.", 0.0)
flags.DEFINE_integer("seeds", 4, "Of the first variant; the others have the first of them.", 2)
for name, known in (
    ("fusions", ("none", "blocks", "step")),
    ("precisions", ("float32", "bfloat16")),
    ("generators", ("philox", "counter")),
):
    flags.DEFINE_list(name, list(known), "Which of them.")
    flags.register_validator(name, set(known).issuperset, f"some of {', '.join(known)} were expected")


class Run(NamedTuple):
    """A run of the script."""

    fusion: str
    precision: str
    generator: str
    seed: int

    def flags(self) -> dict[str, object]:
        return {
            "bert_config_file": FLAGS.bert_config_file,
            "input_file": FLAGS.input_file,
            "eval_input_file": FLAGS.eval_input_file,
            "vocab_file": FLAGS.vocab_file,
            "max_seq_length": FLAGS.max_seq_length,
            "max_predictions_per_seq": FLAGS.max_predictions_per_seq,
            "train_batch_size": FLAGS.train_batch_size,
            "learning_rate": FLAGS.learning_rate,
            "num_train_steps": FLAGS.num_train_steps,
            "num_warmup_steps": FLAGS.num_train_steps // 10,
            "save_checkpoints_steps": FLAGS.num_train_steps,
            "eval_batch_size": 32,
            "max_eval_steps": 0,
            "fusion": self.fusion,
            "mixed_precision": self.precision,
            "dropout_generator": self.generator,
            "seed": self.seed,
        }

    def name(self) -> str:
        return f"{self.fusion}, {self.precision}, {self.generator}"


def runs() -> list[Run]:
    """The first variant with every seed, then the others."""
    first, *others = itertools.product(FLAGS.fusions, FLAGS.precisions, FLAGS.generators)
    return [Run(*first, seed) for seed in range(FLAGS.seeds)] + [Run(*variant, 0) for variant in others]


def train(run: Run) -> dict[str, object]:
    """Runs the script; answers with its losses.

    Raises:
        InputError: it failed.
    """
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as output_dir:
        given = [f"--{name}={value}" for name, value in run.flags().items()]
        command = [sys.executable, str(REPOSITORY / "run_pretraining.py"), "--do_train", "--do_eval", *given]
        finish([*command, f"--output_dir={output_dir}"])
        with files.open_file(os.path.join(output_dir, "metrics.jsonl")) as file:
            lines = [json.loads(line) for line in file]
    curve = [[line["step"], line["loss"]] for line in lines if line["kind"] == "train"]
    (held_out,) = (line["loss"] for line in lines if line["kind"] == "eval")
    seconds = round(time.perf_counter() - started, 1)
    return run._asdict() | {"flags": run.flags(), "curve": curve, "held_out": held_out, "seconds": seconds}


def read_results() -> list[dict]:
    if not files.exists(FLAGS.results):
        return []
    with files.open_file(FLAGS.results) as file:
        return [json.loads(line) for line in file]


def find(results: list[dict], run: Run) -> dict | None:
    return next((result for result in results if result["flags"] == run.flags()), None)


def table(results: list[dict]) -> str:
    """Markdown: a line a run."""
    found = [(run, find(results, run)) for run in runs()]
    found = [(run, result) for run, result in found if result]
    seeds = [result["held_out"] for run, result in found[: FLAGS.seeds]]
    mean, deviation = statistics.mean(seeds), statistics.stdev(seeds)
    tenth = FLAGS.num_train_steps // 10
    steps = [tenth, 3 * tenth, 6 * tenth, 10 * tenth]
    lines = [
        f"| fusion, precision, dropout | seed | {' | '.join(f'to step {step}' for step in steps)} | held out | off |",
        f"|---|---|{'---|' * (len(steps) + 2)}",
    ]
    for run, result in found:
        means = [statistics.mean(loss for at, loss in result["curve"] if step - tenth < at <= step) for step in steps]
        cells = [run.name(), str(run.seed), *(f"{value:.3f}" for value in [*means, result["held_out"]])]
        lines.append(f"| {' | '.join(cells)} | {(result['held_out'] - mean) / deviation:+.1f} |")
    return "\n".join(lines)


def main():
    command_line.require(FLAGS, "input_file", "eval_input_file", "vocab_file", "results")
    for run in runs():
        if find(read_results(), run) is None:
            result = train(run)
            with files.open_file(FLAGS.results, "a") as file:
                file.write(json.dumps(result) + "\n")
            print(f"{run.name()}, seed {run.seed}: {result['held_out']:.4f}, {result['seconds']:.0f} s", flush=True)
    print(table(read_results()))


if __name__ == "__main__":
    command_line.run(main)
