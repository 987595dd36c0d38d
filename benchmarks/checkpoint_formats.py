"""What a checkpoint costs in every format: seconds to save and to load it, and memory, beside peers in the same run.

    python benchmarks/checkpoint_formats.py --bert_config_file=bert-large

A random encoder with its pooler is saved and loaded by processes of their own: each load in a fresh one, the saves of
a format in one, which builds the model first. The files have just been written or read, so that they are in the
system's cache. keras-hub, where it is installed, and transformers with its `pytorch_model.bin` take their turns.
Prints a table and, with --output, writes the same numbers as JSON. Needs Linux, which says what a process has held.
"""

import importlib.util
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
from typing import NamedTuple

from absl import flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from benchmarks import peers  # noqa: E402
from official import command_line, files  # noqa: E402
from official.errors import InputError  # noqa: E402

FLAGS = flags.FLAGS

flags.adopt_module_key_flags(peers)
flags.DEFINE_string("bert_config_file", "bert-large", "A preset, or a bert_config.json.")
flags.DEFINE_integer("repetitions", 3, "How often each is done; medians are shown.", 1)
flags.DEFINE_string("directory", None, "Where the files are for a while: six times the model. Default: the system's.")
flags.DEFINE_string("output", None, "Where to write the numbers.")

WORK = pathlib.Path(__file__).resolve().with_name("checkpoint_work.py")
MB = 1e6


class Work(NamedTuple):
    """Who saves or loads a format, and whose files."""

    program: str
    action: str
    format: str
    files_of: str


class Cost(NamedTuple):
    """Seconds of each repetition; bytes held before and at the peak."""

    seconds: list[float]
    before: int
    peak: int


def plan() -> list[Work]:
    """What has to be done, each load after the save that it needs."""
    own = [Work("this project", "save", format, "this project") for format in ("hugging_face", "tf1", "keras_hub")]
    if importlib.util.find_spec("keras_hub"):
        own.append(Work("keras-hub", "save", "keras_hub", "keras-hub"))
    own += [Work("transformers", "save", format, "transformers") for format in ("hugging_face", "torch")]
    loads = [work._replace(action="load") for work in own]
    return [*own, *loads, Work("this project", "load", "torch", "transformers")]


def run(work: Work, root: pathlib.Path, config_file: pathlib.Path) -> Cost:
    """Does it, in processes of their own."""
    directory = root / f"{work.files_of} {work.format}"
    directory.mkdir(exist_ok=True)
    # A process that loads is worth one number only: the next load would find memory that it has already.
    turns, each = (1, FLAGS.repetitions) if work.action == "save" else (FLAGS.repetitions, 1)
    costs = [_run_once([*work[:3], directory, config_file, each]) for _ in range(turns)]
    return Cost(
        seconds=[second for cost in costs for second in cost.seconds],
        before=int(statistics.median(cost.before for cost in costs)),
        peak=int(statistics.median(cost.peak for cost in costs)),
    )


def _run_once(arguments) -> Cost:
    python = peers.python() if arguments[0] == "transformers" else sys.executable
    result = subprocess.run([python, WORK, *map(str, arguments)], capture_output=True, text=True)
    if result.returncode:
        last = result.stderr.strip().splitlines()[-1:]
        raise InputError(f"{' '.join(map(str, arguments[:3]))} ended with status {result.returncode}: {last}")
    return Cost(**json.loads(result.stdout.splitlines()[-1]))


def measure(config) -> tuple[dict[Work, Cost], int]:
    """Everything, on files that are removed in the end, and the bytes of the model, as safetensors keeps it."""
    with tempfile.TemporaryDirectory(dir=FLAGS.directory) as root:
        config_file = pathlib.Path(root) / "bert_config.json"
        config_file.write_text(config.to_json(), "utf-8")
        costs = {}
        for work in plan():
            costs[work] = run(work, pathlib.Path(root), config_file)
            print(f"{work.program}: {work.action} {work.format}", file=sys.stderr)
        return costs, files.size(f"{root}/this project hugging_face/model.safetensors")


def report(costs: dict[Work, Cost], size: int) -> None:
    """The table; memory beside what was there before, in megabytes and in sizes of the model."""
    print(f"{FLAGS.bert_config_file}, {size / MB:,.0f} MB of float32; median of {FLAGS.repetitions}")
    print(f"{'':42}{'seconds':>8}{'spread':>12}{'MB before':>11}{'peak':>8}{'above':>8}{'models':>8}")
    for work, cost in costs.items():
        whose = "" if work.files_of == work.program else f" of {work.files_of}"
        name = f"{work.program}, {work.action} {work.format}{whose}"
        spread = f"{min(cost.seconds):.1f}–{max(cost.seconds):.1f}"
        above = cost.peak - cost.before
        memory = f"{cost.before / MB:>11,.0f}{cost.peak / MB:>8,.0f}{above / MB:>8,.0f}{above / size:>8.2f}"
        print(f"{name:42}{statistics.median(cost.seconds):>8.1f}{spread:>12}{memory}")


def main():
    command_line.import_tensorflow()
    from official.models.registry import read_config

    costs, size = measure(read_config(FLAGS.bert_config_file))
    report(costs, size)
    if FLAGS.output:
        rows = [work._asdict() | cost._asdict() for work, cost in costs.items()]
        with files.write_whole(FLAGS.output) as file:
            file.write(
                json.dumps({"config": FLAGS.bert_config_file, "model_bytes": size, "costs": rows}, indent=1) + "\n"
            )


if __name__ == "__main__":
    command_line.run(main)
