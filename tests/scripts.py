"""Runs the scripts as a user does: a process of its own, with nothing but flags."""

import os
import pathlib
import subprocess
import sys

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


def run(script: str, *flags: str, **options) -> subprocess.CompletedProcess:
    """Runs it to its end."""
    process = start(script, *flags, **options)
    out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def flags_of(values: dict) -> list[str]:
    """{"do_train": True, "output_dir": path} → ["--do_train=True", "--output_dir=path"]."""
    return [f"--{name}={value}" for name, value in values.items()]
