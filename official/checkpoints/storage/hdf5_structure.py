"""The structure of HDF5 files: which arrays there are, and where their bytes lie.

Links by path, external storage, virtual data sets, compression and whatever else Keras does not write are refused.
Every structure lies in a tree whose levels only fall, and no more than `MAX_METADATA_BYTES` of them are read.
https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html (roman numerals below are its sections)
"""

import dataclasses
import math
import struct
from collections.abc import Iterator
from typing import IO, Any

from official.checkpoints.source import Shape
from official.errors import InputError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_METADATA_BYTES = 1 << 24  # A BERT of 24 layers has 1 MB of them.
MAX_DEPTH = 32  # Of groups in groups; Keras's go down to six.
MAX_NAME_BYTES = 256
MAX_RANK = 32  # HDF5's own.
NOWHERE = (1 << 64) - 1  # The address of what was never written.
DATA_SPACE, DATA_TYPE, LINK_INFO, LINK, EXTERNAL, LAYOUT, FILTERS, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE = (
    0x1, 0x3, 0x2, 0x6, 0x7, 0x8, 0xB, 0xC, 0x10, 0x11,
)  # fmt: skip
SHARED = 0x2  # A message's flag: it lies elsewhere.
FLETCHER32 = 3
# Messages of types (IV.A.2.d) as libhdf5 writes them; what is not exactly one of these is another type.
TYPES = {
    bytes.fromhex("11200f0002000000000010000a05000a0f000000"): "float16",
    bytes.fromhex("11201f000400000000002000170800177f000000"): "float32",
    bytes.fromhex("11203f000800000000004000340b0034ff030000"): "float64",
} | {
    struct.pack("<BBHIHH", 0x10, 8 * signed, 0, size, 0, 8 * size): f"{'' if signed else 'u'}int{8 * size}"
    for size in (1, 2, 4, 8)
    for signed in (False, True)
}
UINT32 = next(message for message, dtype in TYPES.items() if dtype == "uint32")
# The start of the attribute `crc32` (IV.A.2.m), one number, which we give to every array.
CHECKSUM = struct.pack("<BxHHH8s16sB7x", 1, len("crc32") + 1, len(UINT32), 8, b"crc32", UINT32, 1)
OPAQUE_OF_TWO_BYTES = bytes.fromhex("1500000002000000")  # Keras's bfloat16, with an attribute `dtype` to say so.


@dataclasses.dataclass(frozen=True)
class Piece:
    """Bytes of the file that start with a block of an array: all of it, or one chunk of a grid."""

    address: int
    length: int
    start: Shape  # The block's first element.


@dataclasses.dataclass(frozen=True)
class Array:
    """Numbers in a shape, in blocks of one shape that together cover it."""

    dtype: str
    shape: Shape
    block: Shape
    pieces: tuple[Piece, ...]
    crc: int | None  # A CRC-32 of the values.


class _Metadata:
    """The structures of a file, each taken from within it, up to a limit in all."""

    def __init__(self, file: IO):
        self._file = file
        self._left = MAX_METADATA_BYTES
        file.seek(0, 2)
        length = file.tell()
        self.end = length
        start = self.take(0, min(length, 96))
        if len(start) < 96 or not start.startswith(SIGNATURE):
            raise InputError("not an HDF5 file")
        base, _, self.end, driver, _, self.root = struct.unpack_from("<6Q", start, 24)
        if start[8:16] != bytes([0, 0, 0, 0, 0, 8, 8, 0]) or base != 0 or driver != NOWHERE:
            raise InputError("an HDF5 file of a kind that Keras does not write")
        if self.end > length:
            raise InputError(f"{length} bytes long, {self.end} were expected: is it cut short?")

    def check_inside(self, address: int, length: int) -> None:
        if address + length > self.end:
            raise InputError(f"a broken HDF5 file: byte {address + length} is wanted of {self.end}")

    def take(self, address: int, length: int) -> bytes:
        """So many bytes from there."""
        self.check_inside(address, length)
        self._left -= length
        if self._left < 0:
            raise InputError(f"more than {MAX_METADATA_BYTES} bytes of structure: no file of weights")
        self._file.seek(address)
        return self._file.read(length)

    def expect(self, address: int, form: str, signature: bytes) -> tuple[Any, ...]:
        """The fields of a structure that starts with these bytes."""
        data = self.take(address, len(signature) + struct.calcsize("<" + form))
        if not data.startswith(signature):
            raise InputError(
                f"at byte {address} is not what Keras writes: an HDF5 file of another kind, or a broken one"
            )
        return struct.unpack_from("<" + form, data, len(signature))


def find_arrays(file: IO) -> dict[str, Array]:
    """Every array in a file, by its path.

    Raises:
        InputError: it is no whole HDF5 file, or not one that Keras would write.
        struct.error, UnicodeDecodeError: a structure in it is broken.
    """
    return dict(_walk(_Metadata(file)))


def _walk(metadata: _Metadata) -> Iterator[tuple[str, Array]]:
    waiting: list[tuple[tuple[str, ...], int]] = [((), metadata.root)]
    seen = set()
    while waiting:
        parts, address = waiting.pop()
        path = "/".join(parts)
        if path in seen:
            raise InputError(f"holds {path} twice")
        seen.add(path)
        messages = _messages(metadata, address)
        if refused := {LINK, LINK_INFO, EXTERNAL} & messages.keys():
            kind = "stored in another file" if EXTERNAL in refused else "a group of a kind that Keras does not write"
            raise InputError(f"{path or 'the root'} is {kind}")
        if DATA_SPACE in messages:
            yield path, _array(metadata, path, messages)
        elif len(parts) == MAX_DEPTH:
            raise InputError(f"{path} is {MAX_DEPTH} groups deep")
        else:
            tree, heap = struct.unpack("<2Q", _only(messages, SYMBOL_TABLE, path))
            waiting += [((*parts, name), child) for name, child in _members(metadata, path, tree, heap)]


def _messages(metadata: _Metadata, address: int) -> dict[int, list[bytes]]:
    """What an object's header (IV.A.1.a) says, by kind."""
    count, _, length, _ = metadata.expect(address, "HIII", b"\x01\x00")
    blocks, messages = [(address + 16, length)], {}
    for start, size in blocks:  # Grows while it is read.
        data, position = metadata.take(start, size), 0
        while position + 8 <= size and count:
            kind, length, flags = struct.unpack_from("<HHB", data, position)
            body = data[position + 8 : position + 8 + length]
            if kind == CONTINUATION:
                blocks.append(struct.unpack_from("<2Q", body))
            if flags & SHARED:
                raise InputError("a message shared between objects: Keras does not write that")
            messages.setdefault(kind, []).append(body)
            position += 8 + length
            count -= 1
    if count:
        raise InputError(f"a broken HDF5 file: {count} messages fewer than expected at byte {address}")
    return messages


def _only(messages: dict[int, list[bytes]], kind: int, path: str) -> bytes:
    found = messages.get(kind, [])
    if len(found) != 1:
        raise InputError(f"{path or 'the root'} has {len(found)} messages of kind {kind}, one was expected")
    return found[0]


def _members(metadata: _Metadata, path: str, tree: int, heap: int) -> Iterator[tuple[str, int]]:
    """Names in a group and the addresses of their objects (III.A.1, III.B, III.D)."""
    length, _, start = metadata.expect(heap, "3Q", b"HEAP\x00\x00\x00\x00")
    names = metadata.take(start, length)
    for _, leaf in _leaves(metadata, tree, 0, 8):
        (count,) = metadata.expect(leaf, "H", b"SNOD\x01\x00")
        for place, address, kind in struct.iter_unpack("<QQI20x", metadata.take(leaf + 8, 40 * count)):
            name = names[place : max(names.find(b"\x00", place, place + MAX_NAME_BYTES), 0)].decode()
            if not name or not name.isprintable() or "/" in name:
                raise InputError(f"{path or 'the root'} has a member of the name {name!r}")
            if kind not in (0, 1):
                raise InputError(f"{path}/{name} is a link by path: Keras does not write that")
            yield name, address


def _leaves(
    metadata: _Metadata, address: int, kind: int, key: int, level: int | None = None
) -> Iterator[tuple[bytes, int]]:
    """The keys, of so many bytes, at the lowest level of a B-tree of version 1 (III.A.1), and what they point to."""
    found, height, count = metadata.expect(address, "BBH16x", b"TREE")
    if found != kind or level not in (None, height):
        raise InputError(f"a broken HDF5 file: a wrong tree at byte {address}")
    entries = metadata.take(address + 24, (key + 8) * count)
    for start in range(0, len(entries), key + 8):
        (child,) = struct.unpack_from("<Q", entries, start + key)
        if height:
            yield from _leaves(metadata, child, kind, key, height - 1)
        else:
            yield entries[start : start + key], child


def _array(metadata: _Metadata, path: str, messages: dict[int, list[bytes]]) -> Array:
    shape = _shape(path, _only(messages, DATA_SPACE, path))
    dtype = _dtype(path, _only(messages, DATA_TYPE, path), messages.get(ATTRIBUTE, []))
    crc = _crc(messages.get(ATTRIBUTE, []))
    if FILTERS in messages:
        _check_filter(path, _only(messages, FILTERS, path))
    layout = _only(messages, LAYOUT, path)
    length = math.prod(shape) * _item_bytes(dtype)
    if layout[:2] == b"\x03\x01" and FILTERS not in messages:
        address, stored = struct.unpack_from("<2Q", layout, 2)
        if stored != length:
            raise InputError(f"{path} holds {stored} bytes, {length} were expected for {list(shape)} of {dtype}")
        metadata.check_inside(address, length)
        return Array(dtype, shape, shape, (Piece(address, length, (0,) * len(shape)),), crc)
    if layout[:3] == struct.pack("<3B", 3, 2, len(shape) + 1) and FILTERS in messages and crc is not None:
        block, pieces = _chunks(metadata, path, dtype, shape, layout)
        return Array(dtype, shape, block, pieces, crc)
    raise InputError(f"{path} is stored in a way that Keras does not use")


def _item_bytes(dtype: str) -> int:
    return int(dtype.lstrip("abcdefghijklmnopqrstuvwxyz")) // 8


def _shape(path: str, data: bytes) -> Shape:
    version, rank = struct.unpack_from("<BB", data)
    if version != 1 or rank > MAX_RANK:
        raise InputError(f"{path} has no shape that Keras writes")
    shape = struct.unpack_from(f"<{rank}Q", data, 8)
    if 0 in shape:
        raise InputError(f"{path} is empty: its shape is {list(shape)}")
    return shape


def _dtype(path: str, data: bytes, attributes: list[bytes]) -> str:
    if data[:8] == OPAQUE_OF_TWO_BYTES and any(body[8:14] == b"dtype\x00" for body in attributes):
        return "bfloat16"
    for size in (12, 20):  # Of integers, and of numbers with a fraction; zeros fill up to eight.
        if data[:size] in TYPES:
            return TYPES[data[:size]]
    raise InputError(f"{path} is not an array of numbers of a type that Keras writes")


def _crc(attributes: list[bytes]) -> int | None:
    """What was stored of us: an array that has none is Keras's own."""
    found = [body for body in attributes if body.startswith(CHECKSUM)]
    return struct.unpack_from("<I", found[0], len(CHECKSUM))[0] if found else None


def _check_filter(path: str, data: bytes) -> None:
    """Checksums after the chunks are the one filter (IV.A.2.l) that is accepted: nothing can inflate."""
    version, count, number = struct.unpack_from("<BB6xH", data)
    if (version, count, number) != (1, 1, FLETCHER32):
        raise InputError(f"{path} is compressed or filtered: only Fletcher-32 checksums are accepted")


def _chunks(metadata: _Metadata, path: str, dtype: str, shape: Shape, layout: bytes) -> tuple[Shape, tuple[Piece, ...]]:
    """The shape of the chunks of an array and where they lie; every one must be there, once."""
    tree, *block, item = struct.unpack_from(f"<Q{len(shape) + 1}I", layout, 3)
    length = math.prod(block) * item
    if item != _item_bytes(dtype) or 0 in block:
        raise InputError(f"{path} has chunks of {block} that do not go with {list(shape)} of {dtype}")
    form = f"<II{len(shape) + 1}Q"
    pieces = []
    for key, address in _leaves(metadata, tree, 1, struct.calcsize(form)):
        stored, skipped, *start, _ = struct.unpack(form, key)
        if stored != length + 4 or skipped:
            raise InputError(f"{path} has a chunk of {stored} bytes, {length + 4} were expected")
        metadata.check_inside(address, stored)
        pieces.append(Piece(address, stored, tuple(start)))
    expected = math.prod(-(-size // step) for size, step in zip(shape, block, strict=True))
    starts = {piece.start for piece in pieces if _is_on_grid(piece.start, shape, block)}
    if not len(starts) == len(pieces) == expected:
        raise InputError(f"{path} has {len(starts)} of {expected} chunks, and {len(pieces) - len(starts)} out of place")
    return tuple(block), tuple(pieces)


def _is_on_grid(start: Shape, shape: Shape, block: list[int]) -> bool:
    return all(at < size and at % step == 0 for at, size, step in zip(start, shape, block, strict=True))
