"""Our reader and writer against the safetensors library, and against files that are broken."""

import json
import struct

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from official.checkpoints.storage.safetensors import SafetensorsFile, write
from official.errors import InputError

VALUES = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "b.weight": np.array(3.5, np.float32),
    "c": np.zeros((0, 4), np.float32),
    "d": np.linspace(-1, 1, 7, dtype=np.float32),
}


def raw(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def write_values(path):
    write(path, [(name, values.shape, lambda values=values: values) for name, values in VALUES.items()], {"a": "b"})


def test_the_library_reads_what_we_write(tmp_path):
    path = str(tmp_path / "model.safetensors")
    write_values(path)
    theirs = safetensors.numpy.load_file(path)
    assert theirs.keys() == VALUES.keys()
    for name, values in VALUES.items():
        np.testing.assert_array_equal(theirs[name], values)


def test_we_read_what_the_library_writes_and_every_width_becomes_float32(tmp_path):
    path = str(tmp_path / "model.safetensors")
    stored = {f"{name}.{kind}": values.astype(kind) for name, values in VALUES.items() for kind in ("f2", "f4", "f8")}
    safetensors.numpy.save_file(stored, path, metadata={"format": "pt"})
    file = SafetensorsFile(path)
    assert file.shapes == {name: values.shape for name, values in stored.items()}
    for name, values in stored.items():
        read = file.read(name)
        assert read.dtype == np.float32
        np.testing.assert_array_equal(read, values.astype(np.float32))


def test_bfloat16_is_the_upper_half_of_float32(tmp_path):
    path = tmp_path / "model.safetensors"
    entry = {"dtype": "BF16", "shape": [3], "data_offsets": [0, 6]}
    path.write_bytes(raw({"x": entry}, struct.pack("<3H", 0x3F80, 0xC020, 0x0000)))
    np.testing.assert_array_equal(SafetensorsFile(str(path)).read("x"), [1.0, -2.5, 0.0])


F32 = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
EIGHT = bytes(8)
BROKEN = [
    (b"", "0 bytes long"),
    (b"1234567", "7 bytes long"),
    (raw({"x": F32}, EIGHT, length=2**63), "would be 9223372036854775808 bytes long"),
    (raw({"x": F32}, EIGHT, length=500), "would be 500 bytes long"),
    (raw(b"{", EIGHT), "not JSON"),
    (raw(b"\xff\xfe", EIGHT), "not JSON"),
    (raw(b"[" * 100_000, EIGHT), "not JSON"),
    (raw([1], EIGHT), "not a JSON object"),
    (raw({"x": F32}, EIGHT[:5]), "is it cut short"),
    (raw({"x": F32}, EIGHT + b"1"), "holds 9 bytes of tensors, 8 were expected"),
    (raw({"x": 1}, EIGHT), "entry for x is wrong"),
    (raw({"x": F32 | {"dtype": "F4"}}, EIGHT), "entry for x is wrong"),
    (raw({"x": F32 | {"dtype": ["F32"]}}, EIGHT), "entry for x is wrong"),
    (raw({"x": F32 | {"shape": [3]}}, EIGHT), "entry for x is wrong"),
    (raw({"x": F32 | {"shape": [-1, -2]}}, EIGHT), "entry for x is wrong"),
    (raw({"x": F32 | {"shape": "ab"}}, EIGHT), "entry for x is wrong"),
    (raw({"x": F32 | {"shape": [True, 2]}}, EIGHT), "entry for x is wrong"),
    (raw({"x": F32 | {"shape": [2.0]}}, EIGHT), "entry for x is wrong"),
    (raw({"x": F32 | {"data_offsets": [-8, 0]}}, EIGHT), "entry for x is wrong"),
    (raw({"x": F32 | {"data_offsets": [8, 16]}}, EIGHT), "starts at byte 8 of the data, 0 was expected"),
    (raw({"x": F32, "y": F32}, EIGHT), "starts at byte 0 of the data, 8 was expected"),
]


@pytest.mark.parametrize(("content", "message"), BROKEN, ids=[message for _, message in BROKEN])
def test_broken_files_are_refused_and_named(tmp_path, content, message):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        SafetensorsFile(str(path))
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("metadata", [1, ["a"], {"a": 1}, {"crc32": "["}, {"crc32": "[]"}, {"crc32": "[" * 100_000}])
def test_broken_metadata_are_refused(tmp_path, metadata):
    path = tmp_path / "model.safetensors"
    path.write_bytes(raw({"__metadata__": metadata, "x": F32}, EIGHT))
    with pytest.raises(InputError, match="metadata"):
        SafetensorsFile(str(path))


def test_every_flipped_bit_of_a_value_that_we_wrote_is_noticed(tmp_path):
    path = tmp_path / "model.safetensors"
    write_values(str(path))
    whole = path.read_bytes()
    assert SafetensorsFile(str(path)).integrity == "crc32 of each tensor"
    start = 8 + struct.unpack("<Q", whole[:8])[0]
    for place in range(start, len(whole)):
        for bit in range(8):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
            file = SafetensorsFile(str(path))
            with pytest.raises(InputError, match="is damaged: its CRC-32 is"):
                [file.read(name) for name in VALUES]


def test_a_file_without_checksums_says_that_nothing_would_be_noticed(tmp_path):
    path = str(tmp_path / "model.safetensors")
    safetensors.numpy.save_file(VALUES, path)
    assert SafetensorsFile(path).integrity == "none"


def test_integers_are_no_weights(tmp_path):
    path = str(tmp_path / "model.safetensors")
    safetensors.numpy.save_file({"x": np.arange(3)}, path)
    with pytest.raises(InputError, match="x is of type I64"):
        SafetensorsFile(path).read("x")


@given(data=st.data())
def test_whatever_happens_to_the_bytes_it_is_refused_or_read(data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "fuzzed.safetensors"
    whole = raw({"x": F32, "y": {"dtype": "F16", "shape": [1, 2], "data_offsets": [8, 12]}}, bytes(range(12)))
    damaged = bytearray(whole[: data.draw(st.integers(0, len(whole)))])
    for place in data.draw(st.lists(st.integers(0, max(0, len(damaged) - 1)), max_size=4)):
        if damaged:
            damaged[place] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    try:
        file = SafetensorsFile(str(path))
        for name, shape in file.shapes.items():
            assert file.read(name).shape == shape
    except InputError:
        pass


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"old")

    def broken():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(str(path), [("a", (2, 3), lambda: VALUES["a"]), ("b", (1,), broken)], {})
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
