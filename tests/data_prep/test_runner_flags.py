"""Flags for a runner are checked before anything is read or written."""

import subprocess
import sys

import pytest

WITHOUT_BEAM = (
    "import importlib.util, runpy, sys; find = importlib.util.find_spec; "
    "importlib.util.find_spec = lambda name, *rest: None if name == 'apache_beam' else find(name, *rest); "
    "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
)


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--runner=DirectRunner"], "--runner: Apache Beam is not installed: pip install 'bert-family[beam]'"),
        (["--beam_options=--region=x"], "--beam_options: is for a --runner, and none is given"),
    ],
)
@pytest.mark.parametrize("script", ["create_pretraining_data.py", "build_vocab.py"])
def test_what_is_lacking_is_named_in_one_line(repository, tmp_path, script, flags, message):
    (tmp_path / "text.txt").write_text("a b\n")
    command = [sys.executable, "-c", WITHOUT_BEAM, str(repository / "data_prep" / script), "--input_file=text.txt"]
    command += ["--vocab_file=vocab.txt", *flags]
    if script == "create_pretraining_data.py":
        command.append("--output_file=out")
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, f"error: {message}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["text.txt"]
