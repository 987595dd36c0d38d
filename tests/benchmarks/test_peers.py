"""Benchmarks find or make the environment of their peers."""

import pytest
from absl.testing import flagsaver

from benchmarks import peers
from official.errors import InputError


@pytest.fixture
def make(tmp_path, monkeypatch):
    """A function that puts a program in the place of `make`, which writes down its arguments and ends with a status."""
    peers.python.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(status):
        program = tmp_path / "make"
        program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nexit {status}\n')
        program.chmod(0o755)
        return tmp_path / "calls"

    yield put
    peers.python.cache_clear()


def test_without_a_flag_the_environment_is_made_once(make, repository):
    calls = make(0)
    with flagsaver.as_parsed(oracle=""):
        assert peers.python() == peers.python() == str(repository / ".oracle" / "bin" / "python")
    assert calls.read_text() == f"--silent --directory {repository} peers\n"


def test_the_flag_names_another(make):
    calls = make(0)
    with flagsaver.as_parsed(oracle="/usr/bin/python3"):
        assert peers.python() == "/usr/bin/python3"
    assert not calls.exists()


def test_what_cannot_be_made_is_said(make):
    make(2)
    with flagsaver.as_parsed(oracle=""), pytest.raises(InputError, match="make peers: ended with status 2"):
        peers.python()
