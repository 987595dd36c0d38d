"""Our reader of PyTorch's files against files that torch.save wrote, and against files that are broken or attack."""

import io
import os
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from official.checkpoints.storage.torch_file import TorchFile
from official.errors import InputError
from tests.official.checkpoints.storage import pickle_programs as p

WRITTEN = ["torch_zip.bin", "torch_legacy.bin", "torch_without_crc.bin", "torch_protocol_4.bin"]
INTEGRITY = dict(zip(WRITTEN, ["crc32 of each tensor", "none", "none", "crc32 of each tensor"]))


@pytest.fixture(scope="session")
def golden(repository):
    return repository / "tests" / "golden"


@pytest.fixture
def make_file(tmp_path):
    def make(content: bytes) -> str:
        path = tmp_path / "pytorch_model.bin"
        path.write_bytes(content)
        return str(path)

    return make


def refusal(path: str) -> str:
    """The one line that opening and reading a file ends with."""
    with pytest.raises(InputError) as error:
        file = TorchFile(path)
        for name in file.shapes:
            try:
                file.read(name)
            except InputError as broken:
                raise InputError(f"{path}: {broken}") from broken
    message = str(error.value)
    assert message.startswith(path) and message.isprintable() and len(message) < 500
    return message


@pytest.mark.parametrize("name", WRITTEN)
def test_what_torch_wrote_is_read_bit_for_bit(golden, name):
    expected = np.load(golden / "torch_files.npz")
    file = TorchFile(str(golden / name))
    assert file.integrity == INTEGRITY[name]
    for tensor, shape in file.shapes.items():
        values = expected[tensor]
        assert shape == values.shape
        if values.dtype == np.float32:
            read = file.read(tensor)
            assert (read.dtype, read.shape, read.tobytes()) == (np.float32, shape, values.tobytes())
        else:
            assert file.dtypes[tensor] == str(values.dtype)
            with pytest.raises(InputError, match=f"{tensor} is of type {values.dtype}: floating point was expected"):
                file.read(tensor)


def test_the_files_hold_every_tensor_that_was_saved_and_no_other(golden):
    expected = set(np.load(golden / "torch_files.npz"))
    found = {name: set(TorchFile(str(golden / name)).shapes) for name in WRITTEN}
    assert found["torch_zip.bin"] == found["torch_legacy.bin"] == found["torch_without_crc.bin"]
    assert found["torch_zip.bin"] | found["torch_protocol_4.bin"] == expected


def test_narrow_and_wide_floats_are_known_by_numpys_names(golden):
    dtypes = TorchFile(str(golden / "torch_zip.bin")).dtypes
    assert all(dtypes[f"torch.{kind}"] == kind for kind in ("float16", "bfloat16", "float64"))


def test_hand_made_files_that_are_whole_are_read(make_file):
    program = p.state_dict(("x", p.tensor()), ("y", p.tensor(p.storage(), 1, (2,), (4,))))
    for content in (p.zipped(program), p.legacy(program)):
        file = TorchFile(make_file(content))
        np.testing.assert_array_equal(file.read("x"), [[0, 1, 2], [3, 4, 5]])
        np.testing.assert_array_equal(file.read("y"), [1, 5])


COMMANDS = {
    "GLOBAL": lambda run: p.named("os", "system") + run + p.TUPLE1 + p.REDUCE,
    "STACK_GLOBAL": lambda run: p.text("os") + p.text("system") + b"\x93" + run + p.TUPLE1 + p.REDUCE,
    "INST": lambda run: p.MARK + run + b"ios\nsystem\n",
    "OBJ": lambda run: p.MARK + p.named("os", "system") + run + b"o",
    "NEWOBJ": lambda run: p.named("subprocess", "getoutput") + run + p.TUPLE1 + b"\x81",
    "NEWOBJ_EX": lambda run: p.named("os", "system") + run + p.TUPLE1 + p.EMPTY_DICT + b"\x92",
    "nested in a tensor": lambda run: p.tensor(p.named("os", "system") + run + p.TUPLE1 + p.REDUCE),
    "in an argument": lambda run: (
        p.named("collections", "OrderedDict") + p.named("posix", "system") + run + p.TUPLE1 + p.REDUCE + p.REDUCE
    ),
}


@pytest.mark.parametrize("how", COMMANDS)
@pytest.mark.parametrize("wrap", [p.zipped, p.legacy])
def test_no_program_is_run(make_file, tmp_path, how, wrap):
    marker = tmp_path / "marker"
    program = COMMANDS[how](p.text(f"touch {marker}"))
    for state in (program, p.state_dict(("x", program)), program + b"0" + p.state_dict(("x", p.tensor()))):
        message = refusal(make_file(wrap(state)))
        assert "may be an attack" in message
        assert "system" in message or "getoutput" in message
    assert not marker.exists()


GLOBALS = [
    ("builtins", "eval"), ("builtins", "exec"), ("builtins", "getattr"), ("builtins", "__import__"), ("nt", "system"),
    ("torch.hub", "load"), ("torch.storage", "_load_from_bytes"), ("torch.serialization", "load"), ("torch", "load"),
    ("numpy", "load"), ("official.files", "open_file"), ("collections", "OrderedDict.popitem"), ("runpy", "run_path"),
    ("", ""), ("os\t", "system"),
]  # fmt: skip


@pytest.mark.parametrize(("module", "name"), GLOBALS)
def test_any_other_global_is_refused_by_name(make_file, module, name):
    program = p.named(module, name) + p.EMPTY_TUPLE + p.REDUCE
    message = refusal(make_file(p.zipped(p.state_dict(("x", program)))))
    assert "asks for " in message and "may be an attack" in message
    assert repr(f"{module}.{name}")[1:-1] in message


INSTRUCTIONS = {
    "EXT1": b"\x82\x01",
    "EXT4": b"\x84\x01\x00\x00\x00",
    "PERSID": b"Pstorage\n",
    "STRING": b"S'text'\n",
    "INT": b"I7\n",
    "LONG": b"L7L\n",
    "LONG4": b"\x8b\x01\x00\x00\x00\x07",
    "BINBYTES": b"B\x01\x00\x00\x00x",
    "BYTEARRAY8": b"\x96" + bytes(8),
    "NEXT_BUFFER": b"\x97",
    "EMPTY_SET": b"\x8f",
    "DUP": b"N2",
    "POP": b"N0",
}


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_instructions_that_no_state_dict_needs_are_refused_by_name(make_file, name):
    assert f"the pickle instruction {name}" in refusal(make_file(p.zipped(INSTRUCTIONS[name])))


KINDS = [
    (p.named("torch._utils", "_rebuild_sparse_tensor"), "a sparse tensor"),
    (p.named("torch._utils", "_rebuild_qtensor"), "a quantised tensor"),
    (p.named("torch._utils", "_rebuild_tensor_v3"), "a tensor of float8"),
    (p.storage(kind="ComplexFloatStorage"), "complex numbers"),
    (p.tensor(None, 0, (2, 3), (3, 1), p.state_dict(("neg", b"\x88"))), "negated or conjugated"),
]


@pytest.mark.parametrize(("program", "message"), KINDS, ids=[message for _, message in KINDS])
def test_tensors_of_other_kinds_are_refused_by_kind(make_file, program, message):
    assert message in refusal(make_file(p.zipped(p.state_dict(("x", program)))))


X = p.tensor()
NO_STATE_DICTS = [
    (X, "holds a value of type tensor: a dict of tensors was expected"),
    (p.integer(3), "holds a value of type int"),
    (p.EMPTY_LIST, "holds a value of type list"),
    (p.state_dict(("state_dict", p.state_dict(("x", X))), ("epoch", p.integer(3))), "state_dict is of type dict"),
    (p.state_dict(("x", X), ("epoch", p.integer(3))), "epoch is of type int: a tensor was expected"),
    (p.state_dict(("x", p.storage())), "x is of type storage"),
    (p.state_dict(("x", p.named("torch", "FloatStorage"))), "x is of type type"),
    (p.state_dict(("x", p.named("collections", "OrderedDict"))), "x is of type function"),
    (p.EMPTY_DICT + p.integer(1) + X + p.SETITEM, "a key of type int"),
    (p.EMPTY_DICT + p.EMPTY_LIST + X + p.SETITEM, "a key of type list"),
    (p.state_dict(("x", X), ("x", X)), "holds the key x twice"),
    (p.state_dict(("a\nb", X)), r"has the key a\\nb: the name of a tensor was expected"),
    (p.state_dict(("\ud800", X)), r"has the key \\ud800: the name"),
    (p.state_dict(("x", X)) + p.state_dict(("evil", X)) + p.BUILD, "attributes to be set"),
    (X + p.state_dict(("_metadata", X)) + p.BUILD, "attributes to be set"),
    (p.NONE + p.EMPTY_TUPLE + p.REDUCE, "a call of what is not a function"),
    (p.text("os.system") + p.text("true") + p.TUPLE1 + p.REDUCE, "a call of what is not a function"),
    (p.named("collections", "OrderedDict") + X + p.TUPLE1 + p.REDUCE, "an OrderedDict that is made from something"),
    (p.text("module") + p.BINPERSID, "refers to something outside its pickle that is no storage"),
    (p.several(p.text("module"), p.NONE, p.NONE) + p.BINPERSID, "that is no storage"),
    (p.named("torch._utils", "_rebuild_tensor_v2") + p.EMPTY_TUPLE + p.REDUCE, "whose description is damaged"),
    (p.named("torch._utils", "_rebuild_parameter") + p.EMPTY_TUPLE + p.REDUCE, "whose description is damaged"),
]


@pytest.mark.parametrize(("program", "message"), NO_STATE_DICTS, ids=[message for _, message in NO_STATE_DICTS])
@pytest.mark.parametrize("wrap", [p.zipped, p.legacy])
def test_what_is_no_state_dict_is_refused(make_file, program, message, wrap):
    assert message.replace("\\\\", "\\") in refusal(make_file(wrap(program)))


HUGE = 1 << 62
OUTSIDE = [
    (0, (7,), (1,)), (1, (6,), (1,)), (6, (1,), (1,)), (0, (2, 3), (4, 1)), (0, (2, 3), (3, 2)), (0, (6, 2), (1, 0)),
    (-1, (1,), (1,)), (0, (-1,), (1,)), (0, (2,), (-1,)), (5, (2,), (-5,)), (0, (2, 3), (3,)), (0, (HUGE,), (1,)),
    (0, (HUGE, 4), (0, 0)), (0, (2**64,), (1,)), (0, (2**2000,), (1,)), (HUGE, (1,), (1,)), (0, (2,), (HUGE,)),
    (7, (0,), (1,)), (0, (0, HUGE, HUGE), (1, 1, 1)), (0, (1,) * 33, (1,) * 33), (0, (-2, -3), (3, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("offset", "shape", "strides"), OUTSIDE)
def test_a_tensor_outside_its_storage_is_refused(make_file, offset, shape, strides):
    program = p.state_dict(("x", p.tensor(None, offset, shape, strides)))
    assert "x is a tensor that is larger than its storage" in refusal(make_file(p.zipped(program)))


def test_strides_of_axes_that_are_never_walked_may_be_anything(make_file):
    program = p.state_dict(("x", p.tensor(None, 0, (1, 6), (HUGE, 1))), ("y", p.tensor(None, 6, (0, 3), (HUGE, 5))))
    file = TorchFile(make_file(p.zipped(program)))
    np.testing.assert_array_equal(file.read("x"), [[0, 1, 2, 3, 4, 5]])
    assert file.read("y").shape == (0, 3)


WHOLE = p.state_dict(("x", X))
WRONG_STORAGES = [
    (p.zipped(WHOLE, ()), "its storage 0 is not there: 24 bytes were expected"),
    (p.zipped(WHOLE, (("data/0", p.SIX[:-1]),)), "its storage 0 has 23 bytes"),
    (p.zipped(WHOLE, (("data/0", p.SIX + b"1"),)), "its storage 0 has 25 bytes"),
    (p.zipped(p.state_dict(("x", p.tensor(p.storage("../version"))))), "its storage ../version is not there"),
    (p.zipped(p.state_dict(("x", p.tensor(p.storage(count=-6))))), "an impossible one"),
    (p.zipped(p.state_dict(("x", p.tensor(p.storage(count=HUGE))))), "has 24 bytes: 18446744073709551616 bytes"),
    (p.zipped(p.state_dict(("x", X), ("y", p.tensor(p.storage(kind="IntStorage"))))), "with different types"),
    (p.legacy(WHOLE)[:-1], "is it cut short?"),
    (p.legacy(WHOLE) + b"1", " were expected"),
    (p.legacy(WHOLE, (("0", 5, p.SIX),)), "a storage has 5 elements: 6 were expected"),
    (p.legacy(WHOLE, (("0", -6, p.SIX),)), "a storage has -6 elements"),
    (p.legacy(WHOLE, ()), "has 0 storages, of which its tensors use 1"),
    (p.legacy(WHOLE, keys=["0", "0"]), "has 2 storages"),
    (p.legacy(WHOLE, keys=["1"]), "has 1 storages"),
    (p.legacy(WHOLE, little=b"\x89"), "was not written on a little-endian machine"),
    (p.zipped(WHOLE, (("data/0", p.SIX), ("byteorder", b"big"))), "was written on a big-endian machine"),
]


@pytest.mark.parametrize(("content", "message"), WRONG_STORAGES, ids=[message for _, message in WRONG_STORAGES])
def test_storages_that_are_not_as_described_are_refused(make_file, content, message):
    assert message in refusal(make_file(content))


def tar() -> bytes:
    return b"sys_info".ljust(257, b"\0") + b"ustar  \0" + bytes(800)


def changed(content: bytes, old: bytes, new: bytes, times=1) -> bytes:
    assert content.count(old) >= times
    return content.replace(old, new, times)


def directory_of(content: bytes) -> tuple[bytes, bytes, int]:
    """Entries and directory, without the end record, and where the directory begins."""
    start = struct.unpack("<L", content[-6:-2])[0]
    return content[:start], content[start:-22], start


def ended(data: bytes, directory: bytes, count: int, size=None, start=None) -> bytes:
    size, start = len(directory) if size is None else size, len(data) if start is None else start
    return data + directory + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, size, start, 0)


GOOD = p.zipped(WHOLE)
DATA, DIRECTORY, _ = directory_of(GOOD)
WRONG_FILES = [
    (b"", "is not a file of PyTorch's"),
    (b"<!doctype html>", "is not a file of PyTorch's"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a pointer of git-lfs"),
    (tar(), "in the tar format of PyTorch before 0.1.10"),
    (p.PROTO + p.integer(7) + p.STOP, "is not a file of PyTorch's"),
    (p.PROTO + p.MAGIC + p.STOP + p.PROTO + p.integer(1000) + p.STOP, "is not of the protocol 1001"),
    (p.PROTO + p.named("os", "system"), "asks for os.system"),
    (p.zipped(WHOLE, (("constants.pkl", b""), ("code/x.py", b""))), "is a TorchScript archive"),
    (p.zipped(WHOLE, compression=zipfile.ZIP_DEFLATED), "data.pkl is compressed or encrypted"),
    (p.zipped(WHOLE, root=""), "without the one data.pkl"),
    (p.zipped(WHOLE, root="/"), "a plain relative name was expected"),
    (p.zipped(WHOLE, root="../"), "a plain relative name was expected"),
    (p.zipped(WHOLE, (("../../x", b""),)), "a plain relative name was expected"),
    (p.zipped(WHOLE, (("a\\b", b""),)), "a plain relative name was expected"),
    (p.zipped(WHOLE, (("a//b", b""),)), "a plain relative name was expected"),
    (changed(p.zipped(WHOLE, (("dat\xe9", b""),)), "dat\xe9".encode(), b"dat\xff\xff", 2), "whose name is not UTF-8"),
    (changed(p.zipped(WHOLE, (("data/0", p.SIX), ("data/1", b""))), b"data/1", b"data/0", 2), "is there twice"),
    (GOOD[:-1], "without an end: is it cut short?"),
    (GOOD + b"1", "without an end: is it cut short?"),
    (GOOD[:4], "is it cut short?"),
    (changed(GOOD, p.SIX, p.SIX[::-1]), "x is damaged: its CRC-32 is"),
    (changed(GOOD, b"FloatStorage", b"HalfStorage\n"), "its entry model/data.pkl is damaged: its CRC-32 is"),
    (ended(DATA, DIRECTORY, 2), "has more entries than 2"),
    (ended(DATA, DIRECTORY, 4), "has fewer entries than 4"),
    (ended(DATA, DIRECTORY, 3, size=0xFFFFFFF0), "it is damaged"),
    (ended(DATA, DIRECTORY, 3, start=len(DATA) + 1), "it is damaged"),
    (ended(DATA, DIRECTORY, 3, start=len(DATA) - 1), "directory is damaged"),
    (ended(DATA, b"PK\x01\x03" + DIRECTORY[4:], 3), "directory is damaged"),
    (ended(DATA[:-1], DIRECTORY, 3), "does not end before its directory"),
    (changed(GOOD, b"model/version", b"model/verslon"), "where there is something else"),
]


@pytest.mark.parametrize(("content", "message"), WRONG_FILES, ids=[message for _, message in WRONG_FILES])
def test_other_files_and_damaged_archives_are_refused(make_file, content, message):
    assert message in refusal(make_file(content))


def test_a_missing_file_and_a_directory_are_refused(tmp_path):
    assert "no such file" in refusal(str(tmp_path / "nothing.bin"))
    assert "is a directory" in refusal(str(tmp_path))


def test_numbers_of_64_bits_are_read_from_the_extra_field_and_the_end_record(make_file):
    """As in archives beyond 4 GiB; the standard library agrees that this is one."""
    at, extra = DIRECTORY.rindex(b"PK\x01\x02"), struct.pack("<2H3Q", 1, 24, 24, 24, DATA.rindex(b"PK\x03\x04"))
    entry = bytearray(DIRECTORY[at:])
    entry[20:28], entry[30:32], entry[42:46] = b"\xff" * 8, struct.pack("<H", len(extra)), b"\xff" * 4
    directory = DIRECTORY[:at] + entry + extra
    end = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 3, 3, len(directory), len(DATA))
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(DATA + directory), 1)
    content = ended(DATA, directory + end + locator, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
    assert zipfile.ZipFile(io.BytesIO(content)).read("model/data/0") == p.SIX
    np.testing.assert_array_equal(TorchFile(make_file(content)).read("x"), [[0, 1, 2], [3, 4, 5]])
    beyond = changed(content, struct.pack("<Q", len(DATA + directory)), struct.pack("<Q", HUGE))
    assert "points outside itself" in refusal(make_file(beyond))


def test_a_checksum_of_zero_counts_as_absent_only_if_all_are_zero(make_file, golden):
    content = bytearray((golden / "torch_zip.bin").read_bytes())
    place = content.rindex(b"PK\x01\x02", 0, content.rindex(b"torch_zip/data/0"))
    content[place + 16 : place + 20] = bytes(4)
    assert "is damaged: its CRC-32 is" in refusal(make_file(bytes(content)))


LYING = {
    "text of 2^62 bytes": b"\x8d" + struct.pack("<Q", HUGE),
    "text of 4 GB": b"X" + struct.pack("<I", 2**32 - 1),
    "integer of 2 GB": b"\x8b" + struct.pack("<I", 2**31 - 1),
    "bytes of 2^63 - 1": b"\x8e" + struct.pack("<Q", 2**63 - 1),
    "frame of 2^62 bytes": b"\x95" + struct.pack("<Q", HUGE),
    "note at 2^32 - 1": p.NONE + b"r" + b"\xff" * 4 + b"j" + b"\xff" * 4,
    "note that was not made": b"h\x05",
    "mark that is not there": p.TUPLE,
    "values that are not there": p.REDUCE,
    "decimal of a million digits": b"I" + b"9" * 1_000_000 + b"\n",
    "empty": b"",
    "text longer than the rest": b"\x8c\xff",
    "tuples that double": p.EMPTY_TUPLE + b"q\x00" + b"h\x00h\x00\x86q\x00" * 1000,
    "a dict in itself": p.EMPTY_DICT + b"q\x00" + p.text("x") + b"h\x00" + p.SETITEM,
    "a list in itself as a shape": p.state_dict(("x", p.EMPTY_LIST + b"q\x00h\x00a")),
    "tuples that double, as a shape": p.EMPTY_TUPLE
    + b"q\x00"
    + b"h\x00h\x00\x86q\x00" * 1000
    + p.state_dict(
        ("x", p.named("torch._utils", "_rebuild_tensor") + p.several(p.storage(), b"h\x00", b"h\x00", b"h\x00") + b"R")
    ),
}


@pytest.mark.parametrize("what", LYING)
@pytest.mark.parametrize("wrap", [p.zipped, p.legacy])
def test_lies_about_sizes_cost_neither_time_nor_memory(make_file, what, wrap):
    path = make_file(wrap(LYING[what]))
    tracemalloc.start()
    started = time.monotonic()
    refusal(path)
    assert time.monotonic() - started < 1
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


BOMBS = {
    "dicts": p.EMPTY_DICT * 5_000_000,
    "marks": p.MARK * 5_000_000,
    "tuples in tuples": p.EMPTY_TUPLE + p.TUPLE1 * 5_000_000,
    "lists in lists": p.MARK * 300_000 + p.EMPTY_LIST + b"]q\x00h\x00a" * 100_000 + p.TUPLE * 300_000,
    "text of 20 MB": p.text("x" * 20_000_000),
    "notes": p.NONE + b"\x94" * 5_000_000,
    "globals": p.named("torch", "FloatStorage") * 500_000,
    "keys": p.EMPTY_DICT + b"".join(p.text(str(number)) + b"Ns" for number in range(250_000)),
    "one key many times": p.EMPTY_DICT + p.MARK + (p.text("x") + p.NONE) * 300_000 + p.SETITEMS,
    "tensors": p.state_dict(*((str(number), X) for number in range(20_000))),
}


@pytest.mark.parametrize("what", BOMBS)
def test_a_pickle_can_be_neither_long_nor_deep_enough_to_hurt(make_file, what):
    path = make_file(p.zipped(BOMBS[what]))
    started = time.process_time()
    refusal(path)
    assert time.process_time() - started < 5


def read_all(content: bytes, path: str) -> dict[str, bytes] | None:
    """Name, type, shape and values of every tensor; None if the file is refused."""
    with open(path, "wb") as target:
        target.write(content)
    try:
        file = TorchFile(path)
        values = {name: file.read(name).tobytes() for name in file.shapes if "float" in file.dtypes[name]}
    except InputError as error:
        assert str(error).isprintable()
        return None
    return {name: (file.dtypes[name], file.shapes[name], values.get(name)) for name in file.shapes}


@pytest.fixture(scope="session")
def originals(golden):
    return {name: (golden / name).read_bytes() for name in WRITTEN}


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    return str(tmp_path_factory.getbasetemp() / f"fuzzed-{os.getpid()}.bin")


FUZZED = settings(deadline=2000, max_examples=300)


@given(name=st.sampled_from(WRITTEN), length=st.floats(0, 1, exclude_max=True))
@FUZZED
def test_a_file_that_is_cut_short_is_refused(originals, scratch, name, length):
    assert read_all(originals[name][: int(length * len(originals[name]))], scratch) is None


FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), min_size=1, max_size=3)


def flip(content: bytes, flips, start: int = 0) -> bytes:
    damaged = bytearray(content)
    for place, bits in flips:
        damaged[start + int(place * (len(content) - start))] ^= bits
    return bytes(damaged)


@given(name=st.sampled_from(["torch_zip.bin", "torch_protocol_4.bin"]), flips=FLIPS)
@FUZZED
def test_damage_to_a_file_with_checksums_is_noticed_or_changes_nothing(originals, scratch, name, flips):
    found = read_all(flip(originals[name], flips), scratch)
    assert found is None or found == read_all(originals[name], scratch)


@given(name=st.sampled_from(["torch_legacy.bin", "torch_without_crc.bin"]), flips=FLIPS)
@FUZZED
def test_damage_to_a_file_without_checksums_ends_well(originals, scratch, name, flips):
    read_all(flip(originals[name], flips), scratch)


@given(flips=FLIPS)
@FUZZED
def test_damage_behind_the_pickles_of_a_legacy_file_leaves_names_and_shapes(originals, scratch, flips):
    content = originals["torch_legacy.bin"]
    found = read_all(flip(content, flips, start=content.rindex(b"e.") + 2), scratch)
    kept = read_all(content, scratch)
    assert found is None or {name: value[:2] for name, value in found.items()} == {
        name: value[:2] for name, value in kept.items()
    }


PIECES = [
    p.MARK, p.TUPLE, p.TUPLE1, p.TUPLE2, p.REDUCE, p.BUILD, p.SETITEM, p.SETITEMS, p.APPENDS, p.NONE, p.STOP,
    p.EMPTY_DICT, p.EMPTY_LIST, p.EMPTY_TUPLE, p.BINPERSID, p.ORDERED_DICT, p.storage(), p.tensor(), p.text("x"),
    p.integer(HUGE), p.named("torch._utils", "_rebuild_tensor_v2"),
    b"q\x00", b"h\x00", b"G" + bytes(8), b"\x94", b"\x93",
]  # fmt: skip


@given(program=st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join) | st.binary(max_size=40))
@FUZZED
def test_any_program_gives_tensors_or_is_refused(scratch, program):
    for wrap in (p.zipped, p.legacy):
        for whole in (program, p.state_dict(("x", program)), p.state_dict(("x", X)) + program):
            found = read_all(wrap(whole), scratch)
            assert found is None or all(dtype == "float32" for dtype, _, _ in found.values())


@given(content=st.binary(max_size=200), start=st.sampled_from([b"", b"PK", b"\x80\x02", GOOD[:30], GOOD[-60:]]))
@FUZZED
def test_random_bytes_are_refused(scratch, content, start):
    assert read_all(start + content, scratch) is None
