"""extract_features.py gives what the original gives."""

import json

import numpy as np
import pytest

from tests import scripts


def flags(golden_bert, tmp_path, **changes):
    return scripts.flags_of(
        {
            "input_file": golden_bert / "features_input.txt",
            "output_file": tmp_path / "features.jsonl",
            "vocab_file": golden_bert / "ckpt" / "vocab.txt",
            "bert_config_file": golden_bert / "ckpt" / "bert_config.json",
            "init_checkpoint": golden_bert / "ckpt" / "bert_model.ckpt",
            "layers": "-1,-2",
            "max_seq_length": 32,
        }
        | changes
    )


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("batch_size", [32, 2])
def test_tokens_and_values_are_those_of_the_original(golden_bert, tmp_path, batch_size):
    done = scripts.run("extract_features.py", *flags(golden_bert, tmp_path, batch_size=batch_size))
    assert done.returncode == 0, done.stderr
    ours, golden = read(tmp_path / "features.jsonl"), read(golden_bert / "features.jsonl")
    assert len(ours) == len(golden)
    for line, expected in zip(ours, golden, strict=True):
        assert line["linex_index"] == expected["linex_index"]
        assert [token["token"] for token in line["features"]] == [token["token"] for token in expected["features"]]
        for token, expected_token in zip(line["features"], expected["features"], strict=True):
            for layer, expected_layer in zip(token["layers"], expected_token["layers"], strict=True):
                assert layer["index"] == expected_layer["index"]
                np.testing.assert_allclose(layer["values"], expected_layer["values"], atol=1e-4)


@pytest.mark.parametrize(
    ("changes", "status", "message"),
    [
        ({"layers": "-3"}, 1, "there is no layer -3, the model has 2"),
        ({"layers": "last"}, 2, "--layers=last"),
        ({"max_seq_length": 100}, 1, "sequences of 100 tokens: this model has positions for 96"),
        ({"input_file": "none.txt"}, 1, "none.txt: no such file"),
        ({"output_file": "none/out.jsonl"}, 1, "none/out.jsonl: can't be written: the directory"),
    ],
)
def test_bad_input_ends_with_one_clear_line_and_no_output(golden_bert, tmp_path, changes, status, message):
    done = scripts.run("extract_features.py", *flags(golden_bert, tmp_path, **changes))
    assert done.returncode == status and "Traceback" not in done.stderr
    assert message in done.stderr.strip().splitlines()[-1]
    assert not (tmp_path / "features.jsonl").exists()
