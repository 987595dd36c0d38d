"""A pipeline on a runner of Apache Beam: options in, and one line when it fails."""

import contextlib
import io
import os
import pathlib
import re
import shlex
import uuid
from collections.abc import Callable, Iterator

import apache_beam as beam
from absl import logging as absl_logging
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.runner import PipelineState

from data_prep import runner_flags
from data_prep.on_beam import local_workers
from official import files
from official.errors import InputError

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
# What Beam's DirectRunner falls back on. By itself it first asks GitHub for the binary of another runner, which knows
# no `--direct_num_workers`.
DIRECT_RUNNER, LOCAL_RUNNER = "DirectRunner", "FnApiRunner"
INPUT_ERROR = re.compile(r"InputError: (.+?)(?: \[while running [^\n]*)?$", re.MULTILINE)


def parse_options(runner: str, given: str) -> PipelineOptions:
    """The flags of Beam and of its runner, in one string as on a command line.

    Raises:
        InputError: they are no flags, or one of Beam's has a value that it can't have.
    """
    try:
        arguments = shlex.split(given)
    except ValueError as error:
        raise InputError(f"--beam_options={given}: {error}") from error
    strays = [argument for argument in arguments[:1] if not argument.startswith("--")]
    if strays:
        raise InputError(f"--beam_options: {strays[0]!r}: flags were expected, --name=value")
    runner = LOCAL_RUNNER if runner.lower() == DIRECT_RUNNER.lower() else runner
    options = PipelineOptions(arguments, runner=runner)
    complaint = io.StringIO()
    try:
        with contextlib.redirect_stderr(complaint), runner_flags.quiet():
            known = options.get_all_options()
            unknown = options.get_all_options(retain_unknown_options=True).keys() - known.keys()
    except SystemExit as error:  # Of argparse, which prints its usage and a line.
        message = complaint.getvalue().strip().splitlines()[-1].partition("error: ")[2]
        raise InputError(f"--beam_options: {message}") from error
    if unknown and runner == LOCAL_RUNNER:  # Others may take what Beam's Python does not know.
        raise InputError(f"--beam_options: {DIRECT_RUNNER} knows no --{min(unknown)}")
    return options


def run(options: PipelineOptions, build: Callable[[beam.Pipeline], None]) -> None:
    """Builds a pipeline and runs it to its end.

    Raises:
        InputError: it failed; the message is that of a worker's `InputError` if there is one. `--verbosity=1` shows
            what Beam says beside it.
    """
    try:
        if options.view_as(StandardOptions).runner == LOCAL_RUNNER:
            _find_modules_in_workers()
            with runner_flags.quiet(), local_workers.ending_with_block():
                state = _result(beam.Pipeline(local_workers.runner_of(options), options), build)
        else:
            state = _result(beam.Pipeline(options=options), build)
    except Exception as error:  # Runners raise what their parts raise, with no class in common.
        absl_logging.debug("the pipeline failed", exc_info=True)
        raise InputError(message_of(error)) from error
    if state != PipelineState.DONE:
        raise InputError(f"--runner: the pipeline ended as {state}")


def _result(pipeline: beam.Pipeline, build: Callable[[beam.Pipeline], None]) -> str:
    build(pipeline)
    return pipeline.run().wait_until_finish()


def message_of(error: Exception) -> str:
    """One line for a failed pipeline: what a worker found wrong, or the last thing that was said."""
    text = f"{type(error).__name__}: {error}"
    found = INPUT_ERROR.findall(text)
    if found:
        return found[-1]
    last = [line for line in text.splitlines() if line.strip()][-1]
    return f"--runner: the pipeline failed: {last.strip()}"


def _find_modules_in_workers() -> None:
    """Lets worker processes of this machine import this project from wherever it is started."""
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if str(REPOSITORY) not in paths:
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(REPOSITORY), *paths]))


@contextlib.contextmanager
def shared_directory(output: str) -> Iterator[str]:
    """A directory beside `output` for what workers hand on in files; it is gone at the end, whatever that is."""
    directory = f"{files.temporary_name(output)}-{uuid.uuid4().hex[:8]}"  # Other machines have this process id too.
    files.make_directory(directory)
    try:
        yield directory
    finally:
        files.remove_directory_if_there(directory)
