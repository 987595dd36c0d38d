"""Commands that a benchmark runs to their end, in environments of their own, and what they cost the processor."""

import os
import pathlib
import resource
import subprocess
from collections.abc import Mapping, Sequence

from official.errors import InputError

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


def finish(
    command: Sequence[str], environment: Mapping[str, str] | None = None, time_limit: float | None = None
) -> str:
    """Runs a command that finds this repository's packages; answers with what it printed.

    Args:
        command: the program and its arguments.
        environment: more variables.
        time_limit: seconds after which it is given up.

    Raises:
        InputError: it failed, or did not end in time.
    """
    variables = os.environ | {"PYTHONPATH": str(REPOSITORY)} | dict(environment or {})
    try:
        done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=time_limit)
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{' '.join(command)}: did not end in {time_limit} seconds") from error
    if done.returncode:
        last = (done.stderr.strip() or "nothing was said").split("\n")[-1]
        raise InputError(f"{' '.join(command)}: ended with status {done.returncode}: {last}")
    return done.stdout


def cpu_seconds() -> float:
    """The processor's seconds of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
