"""Fine-tunes the same weights here and in PyTorch, on six tasks with several seeds, and prints the scores side by side.

    python -m benchmarks.fine_tuning.prepare_data --data_dir=../shared/data --output_dir=data
    python -m benchmarks.fine_tuning.compare --data_dir=data --init_checkpoint=MINILM --results=results.jsonl

Each run is a process of its own, and the sides take turns. What is in the results is not run again, so that the same
command goes on where it stopped, or only prints the table. `taskset -c 0 python -m …` keeps both sides to one core.
`results.jsonl` beside this module holds what was measured; its lines of the Xeon are from notes, as rounded there.
"""

import itertools
import json
import os
import pathlib
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from typing import NamedTuple

from absl import flags

from benchmarks import peers
from benchmarks.commands import REPOSITORY, cpu_seconds, finish
from benchmarks.fine_tuning.experiments import EXPERIMENTS, Experiment, Flags
from official import command_line, files
from official.errors import InputError

FLAGS = flags.FLAGS
# How the batches of PyTorch are made (pytorch_side has more of it): as ours are, as transformers' `Trainer` makes them
# by default, and as its published scripts do.
BATCHES = {"pytorch": "by_length", "pytorch_random": "random", "pytorch_padded": "padded"}
SIDES = ("ours", *BATCHES)

flags.adopt_module_key_flags(peers)
flags.DEFINE_string("data_dir", None, "What prepare_data wrote.")
flags.DEFINE_string("init_checkpoint", None, "The weights that both start from, a Hugging Face directory.")
flags.DEFINE_string("results", None, "JSON lines, one a run; what is there is kept and not run again.")
flags.DEFINE_list("experiments", list(EXPERIMENTS), "Which of them.")
flags.DEFINE_list("sides", ["ours", "pytorch"], "Which of the four are run where results are missing.")
for name, known in (("experiments", EXPERIMENTS), ("sides", SIDES)):
    flags.register_validator(name, set(known).issuperset, f"some of {', '.join(known)} were expected")
flags.DEFINE_integer("seeds", 3, "With how many seeds, from 0.", 1)
flags.DEFINE_enum("mixed_precision", "float32", ["float32", "bfloat16"], "What both compute in.")
flags.DEFINE_integer("time_limit", 3_600, "Seconds after which a run is given up.", 1)

BATCH_SIZE_OF_PREDICTION = 32


class Run(NamedTuple):
    """One training and evaluation, of one side."""

    title: str
    side: str
    seed: int

    @property
    def experiment(self) -> Experiment:
        return EXPERIMENTS[self.title]

    @property
    def key(self) -> dict[str, object]:
        """What a result has to agree in to be this run's."""
        return self._asdict() | {"settings": dict(self.experiment.settings)} | conditions()


def conditions() -> dict[str, object]:
    """Under which a side runs here: only results of the same ones stand in a line of the table."""
    return {
        "mixed_precision": FLAGS.mixed_precision,
        "cores": len(os.sched_getaffinity(0)),
        "processor": processor(),
    }


def processor() -> str:
    """The model, as Linux has it."""
    described = pathlib.Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor())


def as_flags(values: Flags) -> list[str]:
    """{"do_train": True, "seed": 1} → ["--do_train", "--seed=1"]; what is False is left out."""
    present = ((name, value) for name, value in values.items() if value is not False)
    return [f"--{name}" if value is True else f"--{name}={value}" for name, value in present]


def shared_flags(run: Run) -> Flags:
    """What both sides are told, in the same words."""
    return run.experiment.settings | {
        "train_file": os.path.join(FLAGS.data_dir, run.experiment.train_file),
        "init_checkpoint": FLAGS.init_checkpoint,
        "seed": run.seed,
    }


def run_ours(run: Run, directory: str) -> float:
    """Runs the script; answers with the score in percent."""
    experiment = run.experiment
    output_dir = os.path.join(directory, "output")
    given = shared_flags(run) | experiment.own
    given |= {
        experiment.evaluate_with: os.path.join(FLAGS.data_dir, experiment.eval_file),
        "output_dir": output_dir,
        "mixed_precision": FLAGS.mixed_precision,
        "eval_batch_size": BATCH_SIZE_OF_PREDICTION,
        "predict_batch_size": BATCH_SIZE_OF_PREDICTION,
        "do_train": True,
        "do_eval": True,
    }
    finish([sys.executable, str(REPOSITORY / experiment.script), *as_flags(given)], time_limit=FLAGS.time_limit)
    with files.open_file(os.path.join(output_dir, "eval_results.txt")) as file:
        results = dict(line.strip().split(" = ") for line in file)
    return float(results[experiment.own_score]) * experiment.percent


def run_pytorch(run: Run, directory: str) -> float:
    """Runs `pytorch_side`; answers with the score in percent."""
    del directory  # It leaves nothing behind.
    given = shared_flags(run) | run.experiment.pytorch
    given |= {
        "eval_file": os.path.join(FLAGS.data_dir, run.experiment.eval_file),
        "bfloat16": FLAGS.mixed_precision == "bfloat16",
        "batches": BATCHES[run.side],
    }
    command = [peers.python(), "-m", "benchmarks.fine_tuning.pytorch_side", *as_flags(given)]
    printed = finish(command, time_limit=FLAGS.time_limit)
    return json.loads(printed.strip().split("\n")[-1])["scores"][run.experiment.pytorch_score]


def measure(run: Run) -> dict[str, object]:
    """Runs it; answers with its score, the seconds of the whole process, and those of the processor."""
    before, started = cpu_seconds(), time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        score = (run_ours if run.side == "ours" else run_pytorch)(run, directory)
    seconds, cpu = time.perf_counter() - started, cpu_seconds() - before
    return run.key | {"score": score, "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1)}


def read_results() -> list[dict]:
    """The runs that are done.

    Raises:
        InputError: a line is not JSON.
    """
    if not files.exists(FLAGS.results):
        return []
    results = []
    with files.open_file(FLAGS.results) as file:
        for number, line in enumerate(file, 1):
            try:
                results.append(json.loads(line))
            except ValueError as error:
                raise InputError(
                    f"{FLAGS.results}:{number}: is not JSON; without this line, it is run again"
                ) from error
    return results


def find(results: Iterable[dict], run: Run) -> dict | None:
    """The result of a run."""
    matching = (result for result in results if run.key.items() <= result.items())
    return next(matching, None)


def runs_of(experiments: Iterable[str], sides: Iterable[str]) -> list[Run]:
    """The sides taking turns, seed by seed."""
    return [Run(title, side, seed) for title in experiments for seed in range(FLAGS.seeds) for side in sides]


def run_missing() -> int:
    """Runs what has no result; answers with how many failed, which the next call of the command tries again."""
    failed = 0
    for run in runs_of(FLAGS.experiments, FLAGS.sides):
        if find(read_results(), run) is not None:
            continue
        try:
            result = measure(run)
        except InputError as error:
            print(f"failed: {error}", file=sys.stderr)
            failed += 1
            continue
        with files.open_file(FLAGS.results, "a") as file:
            file.write(json.dumps(result) + "\n")
        print(f"{run.title}, {run.side}, seed {run.seed}: {result['score']:.2f}, {result['seconds']:.0f} s", flush=True)
    return failed


def median_and_range(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} [{min(values):.1f}–{max(values):.1f}]"


def table(results: list[dict]) -> str:
    """Markdown: a line for each experiment and place that the first two sides have results of.

    Its times are those of the processor, for the whole process: other work on the machine hardly changes them.
    """
    lines = [
        "| task | score | ours, median [range] | PyTorch, median [range] | difference | ours, CPU s | PyTorch, CPU s "
        "| random batches, CPU s | padded to the maximum, CPU s | cores, processor |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    places = list(dict.fromkeys(map(place_of, results)))
    for title, place in itertools.product(FLAGS.experiments, places):
        settings = dict(EXPERIMENTS[title].settings)
        of_title = [each for each in results if (each["title"], each["settings"]) == (title, settings)]
        found = {side: [each for each in of_title if (each["side"], place_of(each)) == (side, place)] for side in SIDES}
        if found["ours"] and found["pytorch"]:
            lines.append(line_of(title, place, found))
    return "\n".join(lines)


def place_of(result: dict) -> str:
    return f"{result['cores']} × {result['processor']}, {result['mixed_precision']}"


def line_of(title: str, place: str, found: dict[str, list[dict]]) -> str:
    scores = {side: [result["score"] for result in done] for side, done in found.items()}
    seconds = {
        side: f"{statistics.median(result['cpu_seconds'] for result in done):,.0f}" if done else "–"
        for side, done in found.items()
    }
    difference = statistics.median(scores["ours"]) - statistics.median(scores["pytorch"])
    cells = (
        *(title, EXPERIMENTS[title].pytorch_score, median_and_range(scores["ours"])),
        *(median_and_range(scores["pytorch"]), f"{difference:+.1f}"),
        *(seconds[side] for side in SIDES),
        place,
    )
    return f"| {' | '.join(cells)} |"


def main():
    command_line.require(FLAGS, "data_dir", "init_checkpoint", "results")
    failed = run_missing()
    print(table(read_results()))
    if failed:
        raise InputError(f"{failed} runs failed; the same command tries them again")


if __name__ == "__main__":
    command_line.run(main)
