"""How every script starts and ends: flags in, a status out, and no traceback for what the user can mend."""

import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence

from absl import app, flags, logging

from official import files
from official.errors import DryRunEnded, InputError, Stopped, WorkerLost

BAD_INPUT, BAD_FLAGS, INTERRUPTED = 1, 2, 128 + signal.SIGINT


def run(main: Callable[..., None], arguments: str = "") -> None:
    """Parses the flags, calls `main` and ends the process.

    Status 0 when it went well, 1 for bad input, 2 for bad flags, 75 where another worker is gone, 128 and its number
    for a signal (130 for Ctrl-C). `main` imports what it needs, so that
    `--help` and a mistyped flag are answered at once.

    Args:
        main: is given the arguments that are no flags, where there may be any.
        arguments: what those are, for error messages; empty for a command that takes flags only.
    """
    app.run(
        lambda remaining: _run_main(lambda: main(*remaining[1:])),
        flags_parser=lambda given: _parse_flags(given, arguments),
    )


def require(values: flags.FlagValues, *names: str) -> None:
    """Ends with status 2 unless each of these flags was given."""
    missing = [f"--{name}" for name in names if values[name].value is None]
    if missing:
        _end(f"{', '.join(missing)} must be given ({_script()} --help lists the flags)", BAD_FLAGS)


def require_one(values: flags.FlagValues, *names: str) -> None:
    """Ends with status 2 unless one of these flags is true."""
    if not any(values[name].value for name in names):
        _end(f"at least one of {', '.join(f'--{name}' for name in names)} must be given", BAD_FLAGS)


def require_arguments(given: Sequence[str], arguments: str, at_least: int) -> None:
    """Ends with status 2 where fewer arguments than that were given."""
    if len(given) < at_least:
        _end(f"{len(given)} arguments, expected was {arguments} ({_script()} --help says more)", BAD_FLAGS)


def whole_numbers(values: flags.FlagValues, name: str) -> list[int]:
    """A comma-separated flag as integers; ends with status 2 where one is none."""
    try:
        return [int(number) for number in values[name].value]
    except ValueError:
        _end(f"--{name}={','.join(values[name].value)}: whole numbers separated by commas were expected", BAD_FLAGS)


def import_tensorflow() -> None:
    """Imports TensorFlow without the lines that it prints before its log level is in force, and keeps it to errors."""
    with _held_back_stderr():
        import tensorflow  # noqa: F401
    logging.set_verbosity(logging.ERROR)


def import_tensorflow_for(*paths: str | None) -> None:
    """The same, for a script that computes nothing with it, if one of the paths that it was given is remote."""
    if any(path is not None and files.is_remote(path) for path in paths):
        import_tensorflow()


@contextlib.contextmanager
def _held_back_stderr() -> Iterator[None]:
    """Keeps what C++ code writes to stderr, and shows it only if the block fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held, _duplicate(2) as stderr:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(stderr, 2)
            held.seek(0)
            sys.stderr.write(held.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(stderr, 2)


@contextlib.contextmanager
def _duplicate(descriptor: int) -> Iterator[int]:
    copy = os.dup(descriptor)
    try:
        yield copy
    finally:
        os.close(copy)


def _parse_flags(given: Sequence[str], arguments: str) -> list[str]:
    if {"--help", "-help", "-h", "--h"} & set(given):
        app.usage(shorthelp=True, writeto_stdout=True)
        sys.exit(0)  # Where absl would end with 1.
    try:
        remaining = flags.FLAGS(given)
    except flags.Error as error:
        message = " ".join(str(error).replace("FATAL Flags parsing error:", "").split())
        _end(f"{message} ({_script()} --help lists the flags)", BAD_FLAGS)
    if len(remaining) > 1 and not arguments:
        _end(f"unexpected argument {remaining[1]!r}: values are given as --flag=value", BAD_FLAGS)
    return remaining


def _run_main(main: Callable[[], None]) -> None:
    sys.stdout.reconfigure(errors="backslashreplace")  # As stderr: no character that is lacking stops a run.
    try:
        main()
        sys.stdout.flush()
    except DryRunEnded as report:
        print(report, flush=True)
    except InputError as error:
        _end(str(error), BAD_INPUT)
    except (Stopped, WorkerLost) as stopped:
        _end(str(stopped), stopped.status)
    except KeyboardInterrupt:
        _end("interrupted", INTERRUPTED)
    except BrokenPipeError:  # The reader of our output left, as `head` does.
        os._exit(0)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _end(f"{place}{files.describe_os_error(error)}", BAD_INPUT)


def _script() -> str:
    module = getattr(sys.modules["__main__"], "__spec__", None)  # As `python -m` started it.
    return f"python -m {module.name.removesuffix('.__main__')}" if module else os.path.basename(sys.argv[0])


def _end(message: str, status: int) -> None:
    print(f"error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)
