"""export_savedmodel.py as a user runs it: versions, what is written, and messages where it can't be."""

import json
import shutil

import pytest

from tests import scripts
from tests.official.serving import programs


@pytest.fixture(scope="module")
def checkpoint(golden_bert, tmp_path_factory):
    """The original's classifier of pairs, with config and vocabulary beside it."""
    folder = tmp_path_factory.mktemp("checkpoint")
    for source in (golden_bert / "ckpt", golden_bert / "ckpt_mrpc"):
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("bert_model.ckpt.*"))
    return folder / "model.ckpt"


def export(**flags):
    return scripts.run("export_savedmodel.py", *scripts.flags_of(flags))


def test_each_export_is_a_new_version_with_all_that_a_server_needs(checkpoint, tmp_path):
    flags = {"init_checkpoint": checkpoint, "export_dir": tmp_path, "model_name": "mrpc", "text_pairs": True}
    first, second = (export(**flags, max_seq_length=48, batch_sizes="1,2") for _ in range(2))
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert [done.stdout.splitlines()[-1] for done in (first, second)] == [
        f"exported: {tmp_path / 'mrpc' / version}" for version in "12"
    ]
    version = tmp_path / "mrpc" / "2"
    assert {path.name for path in version.iterdir()} == {
        *("saved_model.pb", "fingerprint.pb", "variables", "assets", "assets.extra", "export.json")
    }
    assert {path.name for path in (version / "assets.extra").iterdir()} == {
        *("labels.json", "vocab.txt", "tf_serving_warmup_requests")
    }
    assert (version / "assets.extra" / "vocab.txt").read_text() == (checkpoint.parent / "vocab.txt").read_text()
    about = json.loads((version / "export.json").read_text())
    assert about["kind"] == "classifier" and about["max_seq_length"] == 48 and about["text_pairs"] is True
    texts = {"text_a": programs.strings("Puro zai."), "text_b": programs.strings("Fafai saivokaen!")}
    (answer,) = programs.session()(str(version), [("serving_default", texts)])
    assert answer["label"][0].decode() in json.loads((version / "assets.extra" / "labels.json").read_text())


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({}, "--init_checkpoint"),
        ({"init_checkpoint": "nowhere"}, "nowhere"),
        ({"kind": "tagger"}, "has no head for token_classification"),
        ({"max_seq_length": 97}, "--max_seq_length is 97"),
        ({"batch_sizes": "1,many"}, "batch_sizes"),
        ({"version": 1}, "1: is there already"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_what_is_wrong_is_said_in_a_line(checkpoint, tmp_path, flags, told):
    (tmp_path / "mrpc" / "1").mkdir(parents=True)
    known = {"init_checkpoint": checkpoint, "model_name": "mrpc"} if flags else {}
    done = export(**{"export_dir": tmp_path} | known | flags)
    assert done.returncode in (1, 2) and "Traceback" not in done.stderr
    message = done.stderr.strip().splitlines()[-1] if done.returncode == 1 else done.stderr
    assert told in message
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["1", "mrpc"]
