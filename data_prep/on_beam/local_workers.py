"""Worker processes on this machine that surely end.

Beam's own wait for each other for ever when one of them is killed, and hold up Ctrl-C. These hold the end of a pipe in
place of their standard input: it breaks when the process that started them ends, however that is, or wants them to.
"""

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.transforms.environments import SubprocessSDKEnvironment

from official.errors import InputError

DIED = "Worker subprocess exited"  # What Beam raises then, in a thread that nobody waits for.


def runner_of(options: PipelineOptions) -> FnApiRunner:
    """The runner for these options, of which `--direct_running_mode=multi_processing` is followed by it."""
    direct = options.view_as(DirectOptions)
    if direct.direct_running_mode != "multi_processing":
        return FnApiRunner()
    direct.direct_running_mode = "in_memory"  # Otherwise Beam starts processes of its own.
    command = f"exec {sys.executable} -m {__name__}"
    return FnApiRunner(default_environment=SubprocessSDKEnvironment.from_command_string(command))


class _Lifeline:
    """The pipe. Workers are given its other end as their standard input."""

    def __init__(self):
        self._stdin = os.dup(0)
        read, self._write = os.pipe()
        os.dup2(read, 0)
        os.close(read)
        self.is_cut = self.worker_died = False

    def cut(self) -> None:
        if not self.is_cut:
            self.is_cut = True
            os.close(self._write)

    def interrupt(self, *_) -> None:
        """Takes Ctrl-C: workers have to be gone before the runner waits for them."""
        self.cut()
        raise KeyboardInterrupt

    def see_error(self, error: threading.ExceptHookArgs) -> None:
        """Takes what a thread did not catch."""
        if DIED in str(error.exc_value) and not self.is_cut:
            self.worker_died = True
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    def close(self) -> None:
        self.cut()
        os.dup2(self._stdin, 0)
        os.close(self._stdin)


@contextlib.contextmanager
def ending_with_block() -> Iterator[None]:
    """Sees to it that workers started in the block end with it, or when one of them dies. For the main thread.

    Raises:
        InputError: a worker died.
    """
    line = _Lifeline()
    on_error, threading.excepthook = threading.excepthook, line.see_error
    on_interrupt = signal.signal(signal.SIGINT, line.interrupt)
    try:
        yield
    except KeyboardInterrupt as error:
        if line.worker_died:
            raise InputError("--runner: a worker process was killed (is there memory for so many?)") from error
        raise
    finally:
        line.close()
        signal.signal(signal.SIGINT, on_interrupt)
        threading.excepthook = on_error


def _end_with_lifeline() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1024):
            pass
    os._exit(1)


def main() -> None:
    """Runs in a worker process."""
    from apache_beam.runners.worker import sdk_worker_main

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it.
    threading.Thread(target=_end_with_lifeline, daemon=True).start()
    sdk_worker_main.main(sys.argv)


if __name__ == "__main__":
    main()
