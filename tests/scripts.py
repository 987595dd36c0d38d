"""Runs the scripts as a user does: a process of its own, with nothing but flags."""

import atexit
import json
import multiprocessing
import os
import pathlib
import runpy
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


def command_of(script: str, flags: Sequence[str]) -> list[str]:
    """`script` and its flags. Numbers are float32's on any machine, but where a test asks for another precision."""
    precision = ["--mixed_precision=float32"] if script.startswith("run_") else []
    return [str(REPOSITORY / script), *precision, *flags]


def start(script: str, *flags: str, environment: Mapping[str, str] | None = None, **options) -> subprocess.Popen:
    """Starts `script` with these flags and more environment variables; its output is text, kept apart."""
    return subprocess.Popen(
        [sys.executable, *command_of(script, flags)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)} | dict(environment or {}),
        **options,
    )


def start_workers(script: str, *flags: str, count: int) -> list[subprocess.Popen]:
    """Starts `script` as so many workers of one cluster, each at a port of this machine."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("localhost", 0))
    addresses = [f"localhost:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    tasks = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}} for index in range(count)]
    return [start(script, *flags, environment={"TF_CONFIG": json.dumps(task)}) for task in tasks]


class Running:
    """A script in a process that was forked where TensorFlow is imported already: importing it takes four seconds.

    Args:
        script, *flags: as for `start`.
        cpus: as how many devices TensorFlow is to see the processor.
    """

    def __init__(self, script: str, *flags: str, cpus: int = 1):
        forks = multiprocessing.get_context("forkserver")
        forks.set_forkserver_preload(["tests.preloaded"])
        self.arguments = command_of(script, flags)
        self._folder = tempfile.TemporaryDirectory()
        self._written = [pathlib.Path(self._folder.name, name) for name in ("stdout", "stderr")]
        values = (self.arguments, dict(os.environ), os.getcwd(), *self._written, cpus)
        self._process = forks.Process(target=_become, args=values)
        self._process.start()

    def runs_after(self, seconds: float) -> bool:
        """Waits so long, or until it ends."""
        self._process.join(seconds)
        return self._process.is_alive()

    def send_signal(self, number: int) -> None:
        """Sends it a signal."""
        os.kill(self._process.pid, number)

    def wait(self) -> subprocess.CompletedProcess:
        """Waits for its end; answers with its status and output."""
        self._process.join()
        with self._folder:
            out, err = (path.read_text() if path.exists() else "" for path in self._written)
        return subprocess.CompletedProcess(self.arguments, self._process.exitcode, out, err)


def run(script: str, *flags: str, cpus: int = 1) -> subprocess.CompletedProcess:
    """Runs it to its end, as `Running` does."""
    return Running(script, *flags, cpus=cpus).wait()


def _become(
    arguments: list[str],
    environment: Mapping[str, str],
    cwd: str,
    stdout: pathlib.Path,
    stderr: pathlib.Path,
    cpus: int,
):
    """Goes on as `python arguments`, its output written to files."""
    for descriptor, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = list(arguments)
    sys.path[0] = str(REPOSITORY)
    if cpus > 1:
        import tensorflow as tf

        devices = [tf.config.LogicalDeviceConfiguration()] * cpus
        tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], devices)
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    finally:
        atexit._run_exitfuncs()  # Which a child of multiprocessing leaves out.


def flags_of(values: dict) -> list[str]:
    """{"do_train": True, "output_dir": path} → ["--do_train=True", "--output_dir=path"]."""
    return [f"--{name}={value}" for name, value in values.items()]
