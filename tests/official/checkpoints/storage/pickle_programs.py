"""Pickles and PyTorch's files put together by hand, so that they can be wrong in any way."""

import io
import struct
import zipfile

PROTO, STOP, MARK = b"\x80\x02", b".", b"("
EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, NONE, FALSE = b"}", b"]", b")", b"N", b"\x89"
TUPLE, TUPLE1, TUPLE2, REDUCE, BUILD, BINPERSID, SETITEM, SETITEMS, APPENDS = (
    b"t", b"\x85", b"\x86", b"R", b"b", b"Q", b"s", b"u", b"e",
)  # fmt: skip
MAGIC = b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"


def text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def integer(value: int) -> bytes:
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def named(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode()


def several(*programs: bytes) -> bytes:
    """A tuple of what the programs leave."""
    return MARK + b"".join(programs) + TUPLE


ORDERED_DICT = named("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE


def storage(key="0", count=6, kind="FloatStorage") -> bytes:
    return several(text("storage"), named("torch", kind), text(key), text("cpu"), integer(count)) + BINPERSID


def tensor(stored=None, offset=0, shape=(2, 3), strides=(3, 1), *more: bytes) -> bytes:
    return (
        named("torch._utils", "_rebuild_tensor_v2")
        + several(
            storage() if stored is None else stored,
            integer(offset),
            several(*map(integer, shape)),
            several(*map(integer, strides)),
            FALSE,
            ORDERED_DICT,
            *more,
        )
        + REDUCE
    )


def state_dict(*items: tuple[str, bytes]) -> bytes:
    return EMPTY_DICT + MARK + b"".join(text(name) + value for name, value in items) + SETITEMS


SIX = struct.pack("<6f", *range(6))


def zipped(program: bytes, entries=(("data/0", SIX),), root="model/", compression=zipfile.ZIP_STORED) -> bytes:
    """A file of the zip format, by the standard library's writer."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in (("data.pkl", PROTO + program + STOP), ("version", b"3\n"), *entries):
            archive.writestr(zipfile.ZipInfo(root + name), data, compression)
    return file.getvalue()


def legacy(program: bytes, storages=(("0", 6, SIX),), little=b"\x88", keys=None) -> bytes:
    """A file of the format before PyTorch 1.6."""
    keys = [key for key, _, _ in storages] if keys is None else keys
    system = EMPTY_DICT + MARK + text("protocol_version") + integer(1001) + text("little_endian") + little + SETITEMS
    listed = EMPTY_LIST + MARK + b"".join(map(text, keys)) + APPENDS
    pickles = b"".join(PROTO + part + STOP for part in (MAGIC, integer(1001), system, program, listed))
    return pickles + b"".join(struct.pack("<q", count) + data for _, count, data in storages)
