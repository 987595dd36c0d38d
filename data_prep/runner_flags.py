"""The flags that hand the work to a runner of Apache Beam."""

import contextlib
import importlib.util
import logging
import os
import sys
from collections.abc import Iterator

from absl import flags
from absl import logging as absl_logging

from official.errors import InputError

flags.DEFINE_string(
    "runner",
    None,
    "A runner of Apache Beam, such as DirectRunner, DataflowRunner, FlinkRunner or SparkRunner. "
    "Default: the processes of this machine, without Beam.",
)
flags.DEFINE_string("beam_options", "", "The flags of Beam and its runner, in one string: '--project=p --region=r'.")


def check() -> None:
    """Finds out before long work whether the flags can be followed.

    Raises:
        InputError: Beam is asked for and not installed, or has flags and no runner.
    """
    runner, beam_options = flags.FLAGS.runner, flags.FLAGS.beam_options
    if beam_options and not runner:
        raise InputError("--beam_options: is for a --runner, and none is given")
    if runner and importlib.util.find_spec("apache_beam") is None:
        raise InputError("--runner: Apache Beam is not installed: pip install 'bert-family[beam]'")
    if runner:
        with quiet():
            import apache_beam  # noqa: F401  Which says what else is not installed.


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keeps Beam's log to itself, and what its worker processes write on stderr; `--verbosity=1` shows both.

    They say much when all is well, and of an error all its tracebacks, one for each level that it comes through.
    """
    if absl_logging.get_verbosity() >= absl_logging.DEBUG:
        yield
        return
    sys.stderr.flush()
    stderr = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        sys.stderr.flush()
        os.dup2(stderr, 2)
        os.close(stderr)
