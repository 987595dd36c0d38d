"""Runs the two programs that answer with an exported model and know nothing of this project."""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from tests.official.serving import tensor_file

HERE = pathlib.Path(__file__).resolve().parent
Request = tuple[str, dict[str, np.ndarray]]  # The signature, and its inputs.


def strings(*texts: str | bytes) -> np.ndarray:
    """UTF-8, as a request has it: object [B]."""
    return column([text if isinstance(text, bytes) else text.encode() for text in texts])


def column(values: Sequence[bytes]) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array


class Program:
    """Answers requests to models, in processes of its own.

    Args:
        command: to which model, requests and answers are added.
        last: what comes behind these.
        environment: of the process.
        takes_several: whether one process answers for several models.
    """

    def __init__(
        self, command: Sequence[str], last: Sequence[str], environment: dict[str, str], takes_several: bool = False
    ):
        self.command, self.last, self.environment = command, last, environment
        self.takes_several = takes_several

    def __call__(self, model: str, requests: Sequence[Request]) -> list[dict[str, np.ndarray]]:
        """The outputs of each request, none of which fails."""
        answers, _ = self.exchange({model: requests})
        assert not any(title for title, _ in answers[model]), [title for title, _ in answers[model]]
        return [outputs for _, outputs in answers[model]]

    def errors(self, model: str, requests: Sequence[Request]) -> list[str]:
        """What goes wrong with each, "" where nothing does."""
        return [title for title, _ in self.exchange({model: requests})[0][model]]

    def exchange(self, requests: Mapping[str, Sequence[Request]]) -> tuple[dict[str, list[tensor_file.Exchange]], int]:
        """What each model answers to its requests, an error and outputs for each; and the most memory used, in MB."""
        if self.takes_several:
            return self._run(requests)
        runs = [self._run({model: asked}) for model, asked in requests.items()]
        return {model: answer for answers, _ in runs for model, answer in answers.items()}, max(mb for _, mb in runs)

    def _run(self, requests: Mapping[str, Sequence[Request]]) -> tuple[dict[str, list[tensor_file.Exchange]], int]:
        with tempfile.TemporaryDirectory() as folder:
            answers, arguments = {}, []
            for number, (model, asked) in enumerate(requests.items()):
                question, answers[model] = (pathlib.Path(folder, f"{name}{number}") for name in ("asked", "answered"))
                tensor_file.write(question, asked)
                arguments += [model, str(question), str(answers[model])]
            arguments = [*self.command, *arguments, *self.last]
            done = subprocess.run(arguments, env=self.environment, cwd=folder, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr[-3000:]
            return {model: tensor_file.read(path) for model, path in answers.items()}, int(done.stdout.split()[-2])


def session() -> Program:
    """TensorFlow 1's Session, in a Python that can't find this project."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["TF_CPP_MIN_LOG_LEVEL"] = "2"
    return Program([sys.executable, str(HERE / "session.py")], [], environment, takes_several=True)


def in_c(folder: pathlib.Path) -> Program:
    """TensorFlow's C++ runtime; the program is compiled into `folder`."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not installed")
    runtime, text = _installed("tensorflow"), _installed("tensorflow_text")
    libraries = sorted(map(str, (text / "python" / "ops").glob("*.so")))
    assert libraries
    program = folder / "serving"
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", f"-isystem{runtime / 'include'}", f"-L{runtime}"]
    linked = ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", f"-Wl,-rpath,{runtime}"]
    subprocess.run([compiler, *flags, str(HERE / "serving.c"), "-o", str(program), *linked], check=True)
    return Program([str(program)], libraries, {"TF_CPP_MIN_LOG_LEVEL": "2", "LD_LIBRARY_PATH": str(runtime)})


def _installed(package: str) -> pathlib.Path:
    return pathlib.Path(importlib.util.find_spec(package).submodule_search_locations[0])
