"""Two processes never train in one directory."""

import os
import subprocess
import sys
import types

import pytest
import tensorflow as tf

from official.errors import InputError
from official.training import output_dir

HOLDER = """
import sys, types
import tensorflow as tf
from official.training import output_dir
values = types.SimpleNamespace(output_dir=sys.argv[1], do_train=True, dry_run=False, export_dir=None)
output_dir.claim(values, tf.distribute.get_strategy())
print("mine", flush=True)
sys.stdin.read()
"""


def flags(directory, do_train=True, dry_run=False):
    return types.SimpleNamespace(output_dir=str(directory), do_train=do_train, dry_run=dry_run, export_dir=None)


@pytest.fixture
def holder(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "out")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.getcwd()},
    )
    assert process.stdout.readline() == "mine\n"
    yield process
    process.kill()
    process.communicate()


def test_a_directory_where_another_process_trains_is_refused_until_that_is_killed(holder, tmp_path):
    strategy = tf.distribute.get_strategy()
    with pytest.raises(InputError, match=f"out: process {holder.pid} is training there"):
        output_dir.claim(flags(tmp_path / "out"), strategy)
    output_dir.claim(flags(tmp_path / "other"), strategy)
    output_dir.claim(flags(tmp_path / "out", do_train=False), strategy)  # Evaluating what is there is no harm.
    output_dir.claim(flags(tmp_path / "out", dry_run=True), strategy)
    holder.kill()
    holder.wait()
    output_dir.claim(flags(tmp_path / "out"), strategy)


def test_a_file_in_the_place_of_the_directory_is_named(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(InputError, match="out: is a file, a directory was expected"):
        output_dir.claim(flags(tmp_path / "out"), tf.distribute.get_strategy())


def test_a_worker_beside_the_chief_writes_in_a_copy_and_tells_of_the_directory(monkeypatch, tmp_path):
    monkeypatch.setattr(
        output_dir, "Workers", lambda strategy: types.SimpleNamespace(is_chief=False, wait=lambda: None)
    )
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "metrics.jsonl").write_text("{}\n")
    values = flags(tmp_path / "out")
    values.export_dir = str(tmp_path / "export")
    output_dir.claim(values, None)
    assert values.output_dir != str(tmp_path / "out") and values.export_dir != str(tmp_path / "export")
    with open(os.path.join(values.output_dir, "metrics.jsonl")) as file:
        assert file.read() == "{}\n"
    checkpoint = os.path.join(values.output_dir, "checkpoints", "ckpt-7")
    assert output_dir.shown(checkpoint) == str(tmp_path / "out" / "checkpoints" / "ckpt-7")
    assert output_dir.shown(None) is None and output_dir.shown("/else/where") == "/else/where"
