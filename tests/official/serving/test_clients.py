"""The clients that are exported with a model ask a server; a real one, with SERVING_ADDRESS and SERVING_REST_ADDRESS.

Then SERVING_EXPORT_DIR has to be the directory that it serves, with the models of `small_models.py`.
"""

import json
import os
import pathlib
import runpy
import shutil
import subprocess
import sys

import numpy as np
import pytest

from tests.official.serving import servers

TEXT, OTHER = "the quick brown fox", "a lazy dog . größer 中国"


@pytest.fixture(scope="module")
def export_dir(exported):
    """Where the models are; `exported(kind)` adds one."""
    given = os.environ.get("SERVING_EXPORT_DIR")
    return pathlib.Path(given) if given else pathlib.Path(exported("classifier")).parent.parent


@pytest.fixture(scope="module")
def models(export_dir):
    return servers.Models(str(export_dir))


@pytest.fixture(scope="module")
def grpc_address(models):
    if address := os.environ.get("SERVING_ADDRESS"):
        yield address
    else:
        with servers.grpc_server(models) as address:
            yield address


@pytest.fixture(scope="module")
def rest_address(models):
    if address := os.environ.get("SERVING_REST_ADDRESS"):
        yield address
    else:
        with servers.rest_server(models) as address:
            yield address


@pytest.fixture
def served(exported, export_dir):
    """Makes sure that a model is served."""

    def serve(name: str) -> str:
        if "SERVING_EXPORT_DIR" not in os.environ:
            exported(name)
        elif not (export_dir / name).is_dir():
            pytest.skip(f"the server has no model {name}")
        return name

    return serve


@pytest.fixture
def client(export_dir, grpc_address, monkeypatch, capsys):
    """Runs client.py in this process; answers with what it prints, by name."""
    monkeypatch.setenv("SERVING_ADDRESS", grpc_address)

    def run(*arguments: str) -> dict[str, str]:
        monkeypatch.setattr(sys, "argv", ["client.py", *arguments])
        runpy.run_path(str(export_dir / "client.py"), run_name="__main__")
        return dict(line.split(": ", 1) for line in capsys.readouterr().out.splitlines())

    return run


ASKED = {
    "classifier": {"text": [TEXT]},
    "regression": {"text_a": [TEXT], "text_b": [OTHER]},
    "multiple_choice": {"text_a": [TEXT], "choices": [[OTHER, "who", ""]]},
    "tagger": {"text": [OTHER]},
    "questions_v2": {"question": ["who ?"], "context": [OTHER]},
    "encoder": {"text": [OTHER]},
    "fill_mask": {"text": ["the [MASK] fox"]},
}


def answers(models, name, inputs):
    """The model's own, as lists of text and numbers."""
    arrays = {key: np.array(servers._encoded(value), object) for key, value in inputs.items()}
    outputs = models.predict(name, "", arrays)
    return {key: servers._listed(values, as_base64=False) for key, values in outputs.items()}


@pytest.mark.parametrize("name", ASKED)
def test_the_grpc_client_shows_what_a_model_of_each_kind_answers(name, served, client, models):
    served(name)
    texts = [text for (row,) in ASKED[name].values() for text in (row if isinstance(row, list) else [row])]
    expected = {key: values[0] for key, values in answers(models, name, ASKED[name]).items()}
    assert client(name, *texts) == {key: str(value) for key, value in expected.items()}


def test_the_grpc_client_asks_other_signatures(served, client):
    assert set(client(served("classifier"), "--signature=tokenize", TEXT)) == {"input_ids", "input_mask", "segment_ids"}
    assert "labels" in client(served("tagger"), "--signature=serving_words", "the", "fox")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing", TEXT], "NOT_FOUND: Servable not found"),
        (["classifier", "--signature=wrong", TEXT], "classifier: has no signature wrong; it has classify, serving_"),
        (
            ["classifier", "--signature=serving_tokens", TEXT],
            "classifier: serving_tokens takes input_ids, input_mask, ",
        ),
        (["classifier", TEXT, OTHER], "classifier: serving_default takes text, and 2 texts were given"),
    ],
)
def test_the_grpc_client_says_in_one_line_what_it_can_not_do(arguments, message, served, client):
    served("classifier")
    with pytest.raises(SystemExit) as end:
        client(*arguments)
    assert message in end.value.code and "\n" not in end.value.code


def test_the_grpc_client_needs_nothing_of_this_project(served, export_dir, grpc_address):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "client.py", served("classifier"), TEXT]
    done = subprocess.run(
        command, cwd=export_dir, env=environment | {"SERVING_ADDRESS": grpc_address}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["label", "logits", "probabilities"]
    source = (export_dir / "client.py").read_text()
    assert "official" not in source


def curl(export_dir, address, *arguments):
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    return subprocess.run(
        ["sh", str(export_dir / "client.sh"), *arguments],
        env=os.environ | {"SERVING_REST_ADDRESS": address},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("name", ASKED)
def test_the_rest_client_sends_the_request_that_goes_with_the_model(name, served, export_dir, rest_address, models):
    served(name)
    done = curl(export_dir, rest_address, name)
    assert done.returncode == 0, done.stderr
    asked = json.loads((export_dir / f"{name}.request.json").read_text())["inputs"]
    assert list(asked) == list(ASKED[name])
    found, expected = json.loads(done.stdout)["outputs"], answers(models, name, asked)
    if len(expected) == 1:  # Of one output alone the name is left out.
        found = dict(zip(expected, [found]))
    assert found.keys() == expected.keys()
    for key, values in expected.items():
        if np.array(values).dtype.kind == "f":
            np.testing.assert_allclose(found[key], values, atol=1e-6)
        else:
            assert found[key] == values


@pytest.mark.parametrize("body", [{"instances": [TEXT, OTHER]}, {"instances": [{"text": TEXT}, {"text": OTHER}]}])
def test_the_rest_client_sends_what_it_is_given(body, served, export_dir, rest_address, tmp_path):
    (tmp_path / "body.json").write_text(json.dumps(body))
    done = curl(export_dir, rest_address, served("classifier"), str(tmp_path / "body.json"))
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["predictions"]
    assert [set(row) for row in rows] == [{"label", "logits", "probabilities"}] * 2
    assert {row["label"] for row in rows} <= {"bad", "good", "größer"}


def test_the_rest_client_shows_the_servers_error_and_fails(served, export_dir, rest_address, tmp_path):
    (tmp_path / "body.json").write_text('{"inputs": {"text": ["a"]}}')
    done = curl(export_dir, rest_address, "nothing", str(tmp_path / "body.json"))
    assert done.returncode != 0
    assert "nothing" in json.loads(done.stdout)["error"]
