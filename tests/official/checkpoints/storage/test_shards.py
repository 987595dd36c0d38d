"""Weights in several files: as Hugging Face's libraries write them, and with an index that lies."""

import json
import os
import shutil

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from official.checkpoints.storage.safetensors import SafetensorsFile
from official.checkpoints.storage.shards import ShardedFiles
from official.checkpoints.storage.torch_file import TorchFile
from official.errors import InputError
from tests.official.checkpoints.storage import pickle_programs as p

FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
SHARDS = {
    FIRST: {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.arange(3)},
    SECOND: {"c": np.linspace(0, 1, 5, dtype=np.float16), "d": np.zeros((0, 2), np.float32)},
}
WEIGHT_MAP = {name: file for file, tensors in SHARDS.items() for name in tensors}


@pytest.fixture
def directory(tmp_path):
    for name, tensors in SHARDS.items():
        safetensors.numpy.save_file(tensors, tmp_path / name, metadata={"format": "pt"})
    return tmp_path


def write_index(directory, index, name="model.safetensors.index.json") -> str:
    path = directory / name
    path.write_text(index if isinstance(index, str) else json.dumps(index))
    return str(path)


def refusal(path: str, open_file=SafetensorsFile) -> str:
    with pytest.raises(InputError) as error:
        ShardedFiles(path, open_file)
    assert str(error.value).isprintable() and len(str(error.value)) < 700
    return str(error.value)


@pytest.mark.parametrize(
    "more",
    [
        {"metadata": {"total_size": 58}},
        {"metadata": {"total_size": 57.125, "total_parameters": 14}},
        {"metadata": {}},
        {},
    ],
)
def test_shards_are_read_as_one_file(directory, more):
    file = ShardedFiles(write_index(directory, more | {"weight_map": WEIGHT_MAP}), SafetensorsFile)
    assert file.path == str(directory / "model.safetensors.index.json")
    assert file.shapes == {"a": (2, 3), "b": (3,), "c": (5,), "d": (0, 2)}
    assert file.dtypes == {"a": "float32", "b": "int64", "c": "float16", "d": "float32"}
    assert file.integrity == "none"
    for name in "acd":
        np.testing.assert_array_equal(file.read(name), SHARDS[WEIGHT_MAP[name]][name].astype(np.float32))


def test_what_is_wrong_with_a_tensor_names_its_shard(directory):
    file = ShardedFiles(write_index(directory, {"weight_map": WEIGHT_MAP}), SafetensorsFile)
    with pytest.raises(InputError, match=f"{FIRST}: b is of type I64"):
        file.read("b")


@pytest.fixture
def torch_shards(tmp_path, repository):
    """Two shards by PyTorch, and the map of their tensors."""
    weight_map = {}
    for name, source in (("one.bin", "torch_zip.bin"), ("two.bin", "torch_protocol_4.bin")):
        shutil.copy(repository / "tests" / "golden" / source, tmp_path / name)
        weight_map |= dict.fromkeys(TorchFile(str(tmp_path / name)).shapes, name)
    return tmp_path, weight_map


def test_shards_of_pytorch_are_read_too(torch_shards, repository):
    directory, weight_map = torch_shards
    path = write_index(directory, {"weight_map": weight_map}, "pytorch_model.bin.index.json")
    expected = np.load(repository / "tests" / "golden" / "torch_files.npz")
    file = ShardedFiles(path, TorchFile)
    assert file.integrity == "crc32 of each tensor"
    for name in ("other.bias", "transposed"):
        np.testing.assert_array_equal(file.read(name), expected[name])


def test_the_least_protected_shard_says_how_well_all_are_protected(torch_shards):
    directory, weight_map = torch_shards
    (directory / "three.bin").write_bytes(p.legacy(p.state_dict(("x", p.tensor()))))
    path = write_index(directory, {"weight_map": weight_map | {"x": "three.bin"}})
    assert ShardedFiles(path, TorchFile).integrity == "none"


def test_shards_may_be_links_as_in_the_cache_of_hugging_face(directory):
    blobs = directory / "blobs"
    blobs.mkdir()
    (directory / FIRST).rename(blobs / "first")
    (directory / FIRST).symlink_to(os.path.join("blobs", "first"))
    file = ShardedFiles(write_index(directory, {"weight_map": WEIGHT_MAP}), SafetensorsFile)
    np.testing.assert_array_equal(file.read("a"), SHARDS[FIRST]["a"])


ELSEWHERE = [
    "../model.safetensors", "/etc/passwd", "a/b.safetensors", "a\\b.safetensors", "..", ".", "", "x\0.safetensors",
    "gs://bucket/x", "C:\\x", "x\ny", "\ud800", None, 3, ["x"], {},
]  # fmt: skip


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_shard_that_is_not_a_plain_name_is_refused(directory, name):
    message = refusal(write_index(directory, {"weight_map": WEIGHT_MAP | {"a": name}}))
    assert "index.json: the file of 'a' is " in message
    assert "the name of a file beside the index was expected" in message


def without(key: str) -> dict[str, str]:
    return {name: file for name, file in WEIGHT_MAP.items() if name != key}


WRONG_INDICES = [
    ("", "not JSON"),
    ("[" * 100_000, "not JSON"),
    ("[]", "a JSON object was expected"),
    ({}, "an object from tensors to files was expected"),
    ({"weight_map": {}}, "weight_map is {}"),
    ({"weight_map": ["a"]}, "weight_map is ['a']"),
    ({"weight_map": WEIGHT_MAP | {"e": "other"}}, "names other, but there is no such file beside it"),
    ({"weight_map": WEIGHT_MAP | {"e": FIRST}}, f"'e' should be in {FIRST}, but is not"),
    ({"weight_map": WEIGHT_MAP | {"a": SECOND}}, f"'a' should be in {SECOND}, but is not"),
    ({"weight_map": without("a")}, f"'a' is in {FIRST}, but not in the index"),
    ({"weight_map": WEIGHT_MAP, "metadata": 3}, "metadata is 3"),
    ({"weight_map": WEIGHT_MAP, "metadata": {"total_size": "58"}}, "total_size is '58'"),
    ({"weight_map": WEIGHT_MAP, "metadata": {"total_size": -1}}, "total_size is -1"),
    ({"weight_map": WEIGHT_MAP, "metadata": {"total_size": True}}, "which the shards have"),
    ({"weight_map": WEIGHT_MAP, "metadata": {"total_size": float("nan")}}, "total_size is nan"),
    ({"weight_map": WEIGHT_MAP, "metadata": {"total_size": 10_000}}, "total_size is 10000: at most "),
]


@pytest.mark.parametrize(("index", "message"), WRONG_INDICES, ids=[message for _, message in WRONG_INDICES])
def test_an_index_that_is_wrong_is_refused(directory, index, message):
    path = write_index(directory, index)
    assert refusal(path).startswith(path + ": ")
    assert message in refusal(path)


def test_a_tensor_in_two_shards_is_refused(directory):
    safetensors.numpy.save_file(SHARDS[SECOND] | {"a": SHARDS[FIRST]["a"]}, directory / SECOND)
    message = refusal(write_index(directory, {"weight_map": WEIGHT_MAP}))
    assert f"'a' is in {SECOND} and in {FIRST}" in message


def test_a_broken_or_foreign_shard_is_refused_at_opening(directory):
    path = write_index(directory, {"weight_map": WEIGHT_MAP})
    assert f"{directory / FIRST}: is not a file of PyTorch's" in refusal(path, TorchFile)
    (directory / SECOND).write_bytes((directory / SECOND).read_bytes()[:-1])
    assert f"{directory / SECOND}: holds 9 bytes of tensors, 10 were expected" in refusal(path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([FIRST, SECOND, "a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["weight_map", "metadata", "total_size", "a", "b"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    directory = tmp_path_factory.mktemp("fuzzed")
    safetensors.numpy.save_file({"a": SHARDS[FIRST]["a"]}, directory / FIRST)
    return directory


@given(index=JSON.map(json.dumps) | st.text() | JSON.map(lambda value: json.dumps({"weight_map": value})))
@settings(deadline=2000)
def test_any_index_is_right_or_refused(fuzzed, index):
    try:
        file = ShardedFiles(write_index(fuzzed, index), SafetensorsFile)
    except InputError as error:
        assert str(error).isprintable()
    else:
        assert file.shapes == {"a": (2, 3)}
