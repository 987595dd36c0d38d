"""Runs the scripts as a user does: a process of its own, with nothing but flags."""

import multiprocessing
import os
import pathlib
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


def start(script: str, *flags: str, **options) -> subprocess.Popen:
    """Starts `script` with these flags; its output is text, kept apart."""
    return subprocess.Popen(
        [sys.executable, str(REPOSITORY / script), *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        **options,
    )


def run(script: str, *flags: str) -> subprocess.CompletedProcess:
    """Runs it to its end, in a process that is forked where TensorFlow is imported already: that takes four seconds."""
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["tests.preloaded"])
    arguments = [str(REPOSITORY / script), *flags]
    with tempfile.TemporaryDirectory() as folder:
        written = [pathlib.Path(folder, name) for name in ("stdout", "stderr")]
        process = forks.Process(target=_become, args=(arguments, dict(os.environ), os.getcwd(), *written))
        process.start()
        process.join()
        out, err = (path.read_text() if path.exists() else "" for path in written)
    return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _become(arguments: list[str], environment: Mapping[str, str], cwd: str, stdout: pathlib.Path, stderr: pathlib.Path):
    """Goes on as `python arguments`, its output written to files."""
    for descriptor, path in ((1, stdout), (2, stderr)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.argv = list(arguments)
    sys.path[0] = str(REPOSITORY)
    runpy.run_path(arguments[0], run_name="__main__")


def flags_of(values: dict) -> list[str]:
    """{"do_train": True, "output_dir": path} → ["--do_train=True", "--output_dir=path"]."""
    return [f"--{name}={value}" for name, value in values.items()]
