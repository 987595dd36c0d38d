"""Measures what an exported model takes for a request of raw text, beside PyTorch and ONNX Runtime in the same run.

    python -m benchmarks.serving.compare --init_checkpoint=MINILM --work_dir=serving_speed

MINILM is a Hugging Face directory; the other model is a BERT-base with random weights. All sides read the same texts,
tokenize them and answer with the mean of the last states, each in a process of its own and with the same number of
threads; they take turns. WORK_DIR/results.jsonl keeps every measurement, and the table is made of all that it holds.
"""

import itertools
import json
import os
import statistics
import sys
from collections.abc import Callable
from typing import NamedTuple

from absl import flags

from benchmarks import peers
from benchmarks.commands import REPOSITORY, finish
from official import command_line, files

FLAGS = flags.FLAGS
MODELS = ("minilm", "bert_base")
OURS, PYTORCH, ONNX_RUNTIME = SIDES = ("ours", "pytorch", "onnxruntime")
FLOAT32, BFLOAT16 = PRECISIONS = ("float32", "bfloat16")
ENVIRONMENT = {"HF_HUB_OFFLINE": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}

flags.adopt_module_key_flags(peers)
flags.DEFINE_string("init_checkpoint", None, "The small model, a Hugging Face directory.")
flags.DEFINE_string("work_dir", None, "For models and results; models that are there are not made again.")
flags.DEFINE_list("cases", ["1x10", "1x128", "1x384", "32x10", "32x128"], "ROWSxTOKENS.")
for name, known in (("models", MODELS), ("sides", SIDES), ("precisions", PRECISIONS)):
    flags.DEFINE_list(name, list(known), "Which of them.")
    flags.register_validator(name, set(known).issuperset, f"some of {', '.join(known)} were expected")
flags.DEFINE_integer("threads", len(os.sched_getaffinity(0)), "Of every side.", 1)
flags.DEFINE_integer("repetitions", 3, "Processes for each side, 0 to print the table only.", 0)
flags.DEFINE_float("seconds", 5.0, "For each case and process.", 0.0)


class Run(NamedTuple):
    """A process: one side with one model."""

    model: str
    precision: str
    side: str


def path_of(*names: str) -> str:
    return os.path.join(FLAGS.work_dir, *names)


def source_of(model: str) -> str:
    """The Hugging Face directory, which PyTorch reads and the others are made of."""
    return FLAGS.init_checkpoint if model == "minilm" else path_of("bert_base")


def exported(run: Run) -> str:
    return path_of("export", f"{run.model}_{run.precision}", "1")


def onnx_file(model: str) -> str:
    return path_of(f"{model}.onnx")


def prepare(run: Run) -> None:
    """Makes what a side reads, where it is not there."""
    source = source_of(run.model)
    if not files.exists(source):
        finish([sys.executable, "-m", "benchmarks.serving.random_bert", FLAGS.init_checkpoint, source], ENVIRONMENT)
    if run.side == OURS and not files.exists(exported(run)):
        given = {"init_checkpoint": source, "export_dir": path_of("export"), "mixed_precision": run.precision}
        given |= {"model_name": f"{run.model}_{run.precision}", "kind": "encoder"}
        script = str(REPOSITORY / "export_savedmodel.py")
        finish([sys.executable, script, *(f"--{name}={value}" for name, value in given.items())], ENVIRONMENT)
    if run.side == ONNX_RUNTIME and not files.exists(onnx_file(run.model)):
        finish([peers.python(), "-m", "benchmarks.serving.pytorch_to_onnx", source, onnx_file(run.model)], ENVIRONMENT)


def measure(run: Run) -> list[dict]:
    """Starts the process; answers with a result for each case."""
    source = source_of(run.model)
    command = {
        OURS: [sys.executable, "-m", "benchmarks.serving.session_side", "--model", exported(run)],
        PYTORCH: [peers.python(), "-m", "benchmarks.serving.pytorch_side", "--model", source],
        ONNX_RUNTIME: [
            *(peers.python(), "-m", "benchmarks.serving.onnx_side"),
            *("--model", onnx_file(run.model), "--tokenizer", source),
        ],
    }[run.side]
    command += ["--cases", ",".join(FLAGS.cases), "--threads", str(FLAGS.threads), "--seconds", str(FLAGS.seconds)]
    command += ["--bfloat16"] * (run.precision == BFLOAT16)
    # Weights do not change while a model is served: oneDNN may keep them as it likes best. In float32 that helps texts
    # of up to 32 tokens and harms those of more; in bfloat16 it always helps.
    frozen = ENVIRONMENT | {"TF_ONEDNN_ASSUME_FROZEN_WEIGHTS": str(int(run.precision == BFLOAT16))}
    measured = json.loads(finish(command, frozen).strip().split("\n")[-1])
    return [run._asdict() | {"case": case, "threads": FLAGS.threads} | found for case, found in measured.items()]


def runs() -> list[Run]:
    """Sides taking turns. ONNX Runtime has no products in bfloat16 on a CPU."""
    possible = itertools.product(FLAGS.models, FLAGS.precisions, FLAGS.sides)
    return [Run(*each) for each in possible if each[1:] != (BFLOAT16, ONNX_RUNTIME)]


def read_results() -> list[dict]:
    if not files.exists(path_of("results.jsonl")):
        return []
    with files.open_file(path_of("results.jsonl")) as file:
        return [result for line in file if (result := json.loads(line))["threads"] == FLAGS.threads]


def median_of(results: list[dict], statistic: Callable[[dict], float]) -> float:
    """The median over processes."""
    return statistics.median(map(statistic, results))


def percentile_95(result: dict) -> float:
    return statistics.quantiles(result["seconds"], n=20, method="inclusive")[-1]


def table(results: list[dict]) -> str:
    """Markdown: a line for each model, precision, case and side."""
    lines = [
        "| model | precision | rows x tokens | side | median, ms | p95, ms | rows/s | CPU, ms | time / ours |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for model, precision, case in itertools.product(FLAGS.models, FLAGS.precisions, FLAGS.cases):
        ours = None
        for side in FLAGS.sides:
            key = {"model": model, "precision": precision, "case": case, "side": side}
            if not (found := [result for result in results if key.items() <= result.items()]):
                continue
            seconds = median_of(found, lambda result: statistics.median(result["seconds"]))
            ours = seconds if side == OURS else ours
            lines.append(
                f"| {model} | {precision} | {case} | {side} | {seconds * 1e3:.1f} "
                f"| {median_of(found, percentile_95) * 1e3:.1f} | {int(case.split('x')[0]) / seconds:,.0f} "
                f"| {median_of(found, lambda result: result['cpu_seconds']) * 1e3:.1f} "
                f"| {f'{seconds / ours:.2f}' if ours else '–'} |"
            )
    return "\n".join(lines)


def main():
    command_line.require(FLAGS, "init_checkpoint", "work_dir")
    files.make_directory(FLAGS.work_dir)
    for run in runs() if FLAGS.repetitions else []:
        prepare(run)
    for _ in range(FLAGS.repetitions):
        for run in runs():
            with files.open_file(path_of("results.jsonl"), "a") as file:
                file.writelines(json.dumps(result) + "\n" for result in measure(run))
    print(table(read_results()))


if __name__ == "__main__":
    command_line.run(main)
