"""Compiles this project's training steps for TPUs without one, and shows what a device would need.

    python3.11 -m venv .venv_tpu_lowering
    .venv_tpu_lowering/bin/pip install --requirement benchmarks/tpu_check/lowering_requirements.txt
    python3.11 -m venv .venv_tpu_compiling
    .venv_tpu_compiling/bin/pip install --requirement benchmarks/tpu_check/compiling_requirements.txt
    python -m benchmarks.tpu_check.check --work_dir=tpu_check

Each step of `cases.py` is traced under `tf.distribute.TPUStrategy`, lowered by TensorFlow's bridge (`lower.py`) and
compiled by libtpu (`compile.py`), one after the other; a BERT-base takes minutes. WORK_DIR/results.jsonl keeps what was
found; cases that are in it are not tried again. Prints a table, and ends with status 1 where a case did not end as
`cases.py` expects.

What this shows is that a step compiles for a TPU, and about how much memory it would take: nothing is run.
"""

import fnmatch
import json
import os
import sys

from absl import flags

from benchmarks.commands import finish
from benchmarks.tpu_check.cases import CASES, Case
from benchmarks.tpu_check.results import outcome_of, read_results, table
from official import command_line, files
from official.errors import InputError

FLAGS = flags.FLAGS

flags.DEFINE_string("work_dir", None, "For lowered programs and results.")
flags.DEFINE_string("lowering_python", ".venv_tpu_lowering/bin/python", "Has what lowering_requirements.txt names.")
flags.DEFINE_string("compiling_python", ".venv_tpu_compiling/bin/python", "Has what compiling_requirements.txt names.")
flags.DEFINE_string("cases", "*", "A pattern of the names of cases, such as *bert-tiny*.")
flags.DEFINE_bool("table_only", False, "Try nothing, print the table of what is known.")


def check(case: Case, directory: str) -> dict:
    """What becomes of a case: its fields, what each stage found, and `outcome`."""
    module = os.path.join(directory, f"{case.name}.hlo")
    found = _run(FLAGS.lowering_python, "lower", *case.flags, f"--output={module}")
    if files.exists(module) and not found["dynamic_shapes"]:
        arguments = f"--module={module}", f"--aliased={found['aliased']}", f"--topology={case.topology}"
        found |= _run(FLAGS.compiling_python, "compile", *arguments)
    files.remove_if_there(module)
    return case._asdict() | found | {"outcome": outcome_of(found)}


def _run(python: str, stage: str, *arguments: str) -> dict:
    """Runs a stage in its environment; answers with what it found.

    Raises:
        InputError: there is no such environment, or the stage failed.
    """
    if not files.exists(python):
        raise InputError(f"{python}: no such file; benchmarks/tpu_check/check.py says how it is made")
    command = [os.path.abspath(python), "-m", f"benchmarks.tpu_check.{stage}", *arguments]
    return json.loads(finish(command, {"CUDA_VISIBLE_DEVICES": ""}).strip().split("\n")[-1])


def main():
    command_line.require(FLAGS, "work_dir")
    files.make_directory(FLAGS.work_dir)
    path = os.path.join(FLAGS.work_dir, "results.jsonl")
    wanted = [case for case in CASES if fnmatch.fnmatchcase(case.name, FLAGS.cases)]
    for case in wanted:
        if case not in read_results(path) and not FLAGS.table_only:
            print(case.name, file=sys.stderr)
            result = check(case, FLAGS.work_dir)
            with files.open_file(path, "a") as file:
                file.write(json.dumps(result) + "\n")
    results = read_results(path)
    known = {case: results[case] for case in wanted if case in results}
    print(table(known))
    if others := [case.name for case, result in known.items() if result["outcome"] != CASES[case]]:
        raise InputError(f"{path}: did not end as expected: {', '.join(others)}")


if __name__ == "__main__":
    command_line.run(main)
