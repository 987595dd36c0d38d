"""Our reader of HDF5 against files that libhdf5 writes, and against files that are broken or made to do harm."""

import functools
import struct
import time
import zlib

import h5py
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from official.checkpoints.storage import hdf5
from official.checkpoints.storage.hdf5 import Hdf5File
from official.errors import InputError

VALUES = {
    "layers/dense/vars/0": np.linspace(-1, 1, 35, dtype=np.float32).reshape(5, 7),
    "layers/dense/vars/1": np.arange(7, dtype=np.float32),
    "layers/dense_1/vars/0": np.full((2, 3, 4), 2.5, np.float32),
    "vars/0": np.array([np.pi], np.float32),
}


def write_values(path):
    hdf5.write(str(path), [(name, values.shape, lambda values=values: values) for name, values in VALUES.items()])


@functools.cache
def bytes_of(make):
    """What is in a file that `make(file)` fills."""
    with h5py.File("in memory", "w", driver="core", backing_store=False) as file:
        make(file)
        file.flush()
        return file.id.get_file_image()


def write_checked(file, name, values, chunks):
    dataset = file.create_dataset(name, data=values, chunks=chunks, fletcher32=True)
    dataset.attrs["crc32"] = np.uint32(zlib.crc32(values))


def check_the_same(path, values=VALUES):
    file = Hdf5File(str(path))
    assert file.shapes == {name: array.shape for name, array in values.items()}
    for name, array in values.items():
        np.testing.assert_array_equal(file.read(name), array)


def test_every_type_of_number_that_keras_writes_is_read(tmp_path):
    path = tmp_path / "weights.h5"
    numbers = np.array([[0.0, 1.5], [-2.25, 3e4]])
    with h5py.File(path, "w") as file:
        for dtype in ("float16", "float32", "float64"):
            file[dtype] = numbers.astype(dtype)
        file.create_dataset("bfloat16", data=numbers.astype(ml_dtypes.bfloat16)).attrs["dtype"] = "bfloat16"
        file["scalar"] = np.float32(7)
        for dtype in ("int8", "int32", "int64", "uint8", "uint32"):
            file[dtype] = np.arange(3, dtype=dtype)
    read = Hdf5File(str(path))
    assert read.integrity == "none"
    assert read.shapes["scalar"] == ()
    assert read.read("scalar") == 7
    for dtype in ("float16", "float32", "float64", "bfloat16"):
        assert read.dtypes[dtype] == dtype
        expected = numbers.astype(ml_dtypes.bfloat16 if dtype == "bfloat16" else dtype).astype(np.float32)
        np.testing.assert_array_equal(read.read(dtype), expected)
        assert read.read(dtype).dtype == np.float32
    for dtype in ("int8", "int32", "int64", "uint8", "uint32"):
        assert read.dtypes[dtype] == dtype
        with pytest.raises(InputError, match=f"{dtype} is of type {dtype}: floating point was expected"):
            read.read(dtype)


def test_groups_with_more_members_than_a_node_holds(tmp_path):
    path = tmp_path / "weights.h5"
    values = {f"layers/layer_{n}/vars/0": np.full((2,), n, np.float32) for n in range(700)}
    with h5py.File(path, "w") as file:
        for name, array in values.items():
            file[name] = array
            file[name].parent.attrs["name"] = name
    check_the_same(path, values)


@settings(deadline=None)
@given(data=st.data())
def test_chunks_of_any_shape_are_put_together(data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "chunked.h5"
    shape = data.draw(array_shapes(max_dims=4, max_side=9))
    chunks = tuple(data.draw(st.integers(1, size)) for size in shape)
    dtype = data.draw(st.sampled_from(["<f2", "<f4", "<f8"]))
    values = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
    with h5py.File(path, "w") as file:
        write_checked(file, "x", values, chunks)
    assert Hdf5File(str(path)).integrity == "crc32 of each tensor"
    check_the_same(path, {"x": values.astype(np.float32)})


def test_what_we_write_is_read_by_h5py_and_by_us(tmp_path):
    large = np.random.default_rng(0).normal(size=(2_501, 317)).astype(np.float32)
    values = VALUES | {"large": large}
    path = tmp_path / "weights.h5"
    hdf5.write(str(path), [(name, array.shape, lambda array=array: array) for name, array in values.items()])
    with h5py.File(path) as file:
        assert all(file[name].fletcher32 for name in values)
        assert file["large"].chunks[0] < len(large)
        for name, array in values.items():
            np.testing.assert_array_equal(file[name][()], array)
    check_the_same(path, values)
    assert path.stat().st_size < 1.02 * sum(array.nbytes for array in values.values()) + 10_000


def test_remote_files_are_written_and_read():
    tf.io.gfile.makedirs("ram://presets")
    write_values("ram://presets/weights.h5")
    check_the_same("ram://presets/weights.h5")
    assert tf.io.gfile.listdir("ram://presets") == ["weights.h5"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(b"old")

    def broken():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hdf5.write(str(path), [("a", (2, 3), lambda: np.ones((2, 3))), ("b", (1,), broken)])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_that_is_not_there_is_an_error(tmp_path):
    path = tmp_path / "nowhere" / "weights.h5"
    with pytest.raises(InputError, match="can't be written: .*[Nn]o such file") as error:
        write_values(path)
    assert "\n" not in str(error.value)


# What Keras never writes, and what would make libhdf5 open other files, or grow.
X = np.arange(6, dtype=np.float32)
REFUSED = {
    "soft link": (lambda file: file.update({"x": X, "y": h5py.SoftLink("/x")}), "link by path"),
    "external link": (lambda file: file.update({"y": h5py.ExternalLink("other.h5", "/x")}), "group of a kind"),
    "external storage": (
        lambda file: file.create_dataset("x", (6,), "f4", external=[("other.bin", 0, 24)]),
        "x is stored in another file",
    ),
    "virtual data set": (
        lambda file: file.create_virtual_dataset("x", _virtual()),
        "HDF5 file of another kind|way that Keras does not use",
    ),
    "gzip": (lambda file: file.create_dataset("x", data=X, compression="gzip"), "x is compressed"),
    "gzip with checksums": (
        lambda file: file.create_dataset("x", data=X, compression="gzip", fletcher32=True),
        "x is compressed",
    ),
    "shuffled": (lambda file: file.create_dataset("x", data=X, shuffle=True, chunks=(6,)), "x is compressed"),
    "chunks without checksums": (lambda file: file.create_dataset("x", data=X, chunks=(2,)), "x is stored in a way"),
    "text": (lambda file: file.update({"x": "text"}), "x is not an array of numbers"),
    "texts": (lambda file: file.update({"x": np.array([b"a", b"b"])}), "x is not an array of numbers"),
    "objects": (
        lambda file: file.create_dataset("x", (2,), h5py.vlen_dtype(np.float32)),
        "x is not an array of numbers",
    ),
    "references": (lambda file: file.create_dataset("x", (2,), h5py.ref_dtype), "x is not an array of numbers"),
    "compounds": (lambda file: file.create_dataset("x", (2,), "f4,f4"), "x is not an array of numbers"),
    "big-endian": (lambda file: file.update({"x": X.astype(">f4")}), "x is not an array of numbers"),
    "opaque": (lambda file: file.update({"x": X.view("V2")}), "x is not an array of numbers"),
    "booleans": (lambda file: file.update({"x": X > 2}), "x is not an array of numbers"),
    "no elements": (lambda file: file.update({"x": X[:0]}), "x is empty"),
    "no space": (lambda file: file.create_dataset("x", data=h5py.Empty("f4")), "x has no shape that Keras writes"),
    "never written": (lambda file: file.create_dataset("x", (6,), "f4"), "byte .* is wanted|holds"),
    "chunks never written": (lambda file: _without_chunks(file), "byte .* is wanted|has 0 of 3 chunks"),
    "chunks not of ours": (
        lambda file: file.create_dataset("x", data=X, chunks=(2,), fletcher32=True),
        "x is stored in a way",
    ),
    "a named type": (lambda file: file.update({"t": np.dtype("f4")}), "t has 0 messages of kind 17"),
    "an array of two names": (lambda file: _name_twice(file), "x and y share bytes"),
    "many groups in groups": (lambda file: file.update({"g/" * 40 + "x": X}), "32 groups deep"),
}


def _virtual():
    layout = h5py.VirtualLayout((6,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (6,))
    return layout


def _without_chunks(file):
    dataset = file.create_dataset("x", (6,), "f4", chunks=(2,), fletcher32=True)
    dataset.attrs["crc32"] = np.uint32(0)


def _name_twice(file):
    file["x"] = X
    file["y"] = file["x"]


@pytest.mark.parametrize("case", REFUSED)
def test_what_keras_never_writes_is_refused(tmp_path, case):
    make, message = REFUSED[case]
    path = tmp_path / "weights.h5"
    path.write_bytes(bytes_of(make))
    with pytest.raises(InputError, match=message) as error:
        Hdf5File(str(path))
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_the_newer_format_is_refused(tmp_path):
    path = tmp_path / "weights.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file["x"] = X
    with pytest.raises(InputError, match="an HDF5 file of a kind that Keras does not write"):
        Hdf5File(str(path))


@pytest.mark.parametrize("content", [b"", b"PK", b"\x89HDF\r\n\x1a\n", bytes(200)])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "weights.h5"
    path.write_bytes(content)
    with pytest.raises(InputError, match="weights.h5: not an HDF5 file"):
        Hdf5File(str(path))


def small(file):
    write_checked(file, "layers/dense/vars/0", X.reshape(2, 3), (1, 3))
    file["layers/dense/vars"].attrs["name"] = "dense"
    write_checked(file, "vars/0", X, (6,))


SMALL = {"layers/dense/vars/0": X.reshape(2, 3), "vars/0": X}


def check_refused_or_the_same(path):
    """The same values, or fewer of them: whether all are there is for the model to say, which knows their names."""
    try:
        file = Hdf5File(str(path))
        read = {name: file.read(name) for name in file.shapes}
    except InputError as error:
        assert str(path) in str(error) or "layers" in str(error) or "vars" in str(error)
        assert "\n" not in str(error)
        return
    for name in read.keys() & SMALL.keys():
        if file.shapes[name] == SMALL[name].shape and file.dtypes[name] == "float32":
            np.testing.assert_array_equal(read[name], SMALL[name])


def test_a_flipped_bit_in_any_byte_is_noticed_or_does_not_matter(tmp_path):
    path = tmp_path / "weights.h5"
    whole = bytes_of(small)
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        check_refused_or_the_same(path)


@settings(deadline=None)
@given(data=st.data())
def test_whatever_happens_to_the_bytes_they_are_refused_or_read(data, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "fuzzed.h5"
    whole = bytes_of(small)
    length = data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))
    damaged = bytearray(whole[:length])
    for place in data.draw(st.lists(st.integers(0, max(0, length - 1)), max_size=4)):
        if damaged:
            damaged[place] = data.draw(st.integers(0, 255))
    path.write_bytes(damaged)
    check_refused_or_the_same(path)


def test_a_file_that_is_cut_short_is_refused(tmp_path):
    path = tmp_path / "weights.h5"
    path.write_bytes(bytes_of(small)[:-1])
    with pytest.raises(InputError, match="were expected: is it cut short?"):
        Hdf5File(str(path))


@pytest.mark.parametrize("name", VALUES)
def test_damage_to_the_values_is_noticed_by_us_and_by_libhdf5(tmp_path, name):
    path = tmp_path / "weights.h5"
    write_values(path)
    content = path.read_bytes()
    path.write_bytes(
        content.replace(VALUES[name].tobytes(), bytes([VALUES[name].tobytes()[0] ^ 1]) + VALUES[name].tobytes()[1:])
    )
    with pytest.raises(InputError, match=f"{name} is damaged: its checksum is wrong"):
        Hdf5File(str(path)).read(name)
    with h5py.File(path) as file, pytest.raises(OSError, match="[Rr]ead"):
        file[name][()]


NOWHERE = 2**64 - 1


def crafted(body):
    """A file whose root object is at byte 96, where the body starts."""
    start = hdf5_signature() + struct.pack("<8B2HI", 0, 0, 0, 0, 0, 8, 8, 0, 4, 16, 0)
    return start + struct.pack("<4QQQII16x", 0, NOWHERE, 96 + len(body), NOWHERE, 0, 96, 0, 0) + body


def hdf5_signature():
    return b"\x89HDF\r\n\x1a\n"


def header(kind, body, count=1):
    message = struct.pack("<HHB3x", kind, len(body), 0) + body
    return struct.pack("<BxHIII", 1, count, 1, len(message), 0) + message


def group_at_96(members, names=b"\x00a\x00b\x00"):
    """A group whose members are (place of a name, address of an object)."""
    tree, heap, leaf = 96 + 40, 96 + 40 + 40, 96 + 40 + 40 + 32
    nodes = struct.pack("<4sBBH2Q2Q", b"TREE", 0, 0, 1, NOWHERE, NOWHERE, 0, leaf)
    heaps = struct.pack("<4sB3x3Q", b"HEAP", 0, len(names), NOWHERE, leaf + 8 + 40 * len(members))
    leaves = struct.pack("<4sBxH", b"SNOD", 1, len(members))
    leaves += b"".join(struct.pack("<QQI20x", place, address, 0) for place, address in members)
    return header(0x11, struct.pack("<2Q", tree, heap)) + nodes + heaps + leaves + names


def tree_of_shared_nodes(entries=2_000, levels=5):
    """A tree that has entries ** levels leaves on paper."""
    size = 24 + 16 * entries
    tree, heap = 96 + 40 + 32, 96 + 40
    body = header(0x11, struct.pack("<2Q", tree, heap)) + struct.pack("<4sB3x3Q", b"HEAP", 0, 8, NOWHERE, 96)
    for level in reversed(range(levels)):
        child = tree + (levels - level) * size
        body += struct.pack("<4sBBH2Q", b"TREE", 0, level, entries, NOWHERE, NOWHERE)
        body += struct.pack("<2Q", 0, child) * entries
    return body + struct.pack("<4sBxH", b"SNOD", 1, 0)


def patched(make, old, new):
    content = bytes_of(make)
    assert old in content
    return content.replace(old, new)


BOMBS = {
    "a header that goes on in itself": (lambda: crafted(header(0x10, struct.pack("<2Q", 112, 24), 65_535)), "kind 17"),
    "a header as long as there is room for": (
        lambda: crafted(struct.pack("<BxHIII", 1, 65_535, 1, 2**32 - 1, 0)),
        "byte .* is wanted",
    ),
    "a tree of shared nodes": (lambda: crafted(tree_of_shared_nodes()), "bytes of structure: no file of weights"),
    "a group in itself": (lambda: crafted(group_at_96([(1, 96)])), "32 groups deep"),
    "a group in itself, twice": (lambda: crafted(group_at_96([(1, 96), (3, 96)])), "32 groups deep"),
    "two members of one name": (lambda: crafted(group_at_96([(1, 96), (1, 96)])), "32 groups deep|twice"),
    "names that never end": (
        lambda: crafted(group_at_96([(n, 96) for n in range(9_999)], b"a" * 5_000_000)),
        "a member of the name ''",
    ),
    "a name that leads elsewhere": (
        lambda: crafted(group_at_96([(1, 96)], b"\x00../x\x00")),
        "a member of the name '../x'",
    ),
    "a shape larger than the file": (
        lambda: patched(plain, struct.pack("<2Q", 2, 3), struct.pack("<2Q", 2**40, 3)),
        "holds 24 bytes, 13194139533312 were expected",
    ),
    "a shape and a length larger than the file": (
        lambda: patched(plain, struct.pack("<2Q", 2, 3), struct.pack("<2Q", 2**40, 3)).replace(
            struct.pack("<Q", 24) + bytes(8), struct.pack("<Q", 12 * 2**40) + bytes(8)
        ),
        "byte .* is wanted|holds 24 bytes",
    ),
    "a shape of more chunks than there are": (
        lambda: patched(small, struct.pack("<2Q", 2, 3), struct.pack("<2Q", 2**60, 2**60)),
        "has 2 of .* chunks",
    ),
    "more axes than arrays have": (lambda: patched(plain, b"\x01\x02\x01", b"\x01\xff\x01"), "has no shape|broken"),
}


def plain(file):
    file["x"] = X.reshape(2, 3)


@pytest.mark.parametrize("case", BOMBS)
def test_what_is_made_to_hang_or_to_grow_is_refused_in_time(tmp_path, case):
    make, message = BOMBS[case]
    path = tmp_path / "weights.h5"
    path.write_bytes(make())
    started = time.monotonic()
    with pytest.raises(InputError, match=message) as error:
        Hdf5File(str(path))
    assert time.monotonic() - started < 20
    assert "\n" not in str(error.value)
