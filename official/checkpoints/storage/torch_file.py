"""Files that `torch.save` has written, such as `pytorch_model.bin`: tensors are read from them, and nothing is run.

Since PyTorch 1.6 such a file is a zip archive: a pickle that says where each tensor lies in which storage, and an entry
for each storage (torch/serialization.py, `_save`). Before, it was five pickles, then the storages one after the other
(`_legacy_save`). Neither needs PyTorch here.
"""

import io
import struct
import zlib
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from official import files
from official.checkpoints.source import UNPROTECTED, Shape
from official.checkpoints.storage import restricted_pickle, torch_pickle
from official.checkpoints.storage.restricted_pickle import shown
from official.checkpoints.storage.stored_zip import Extent, entries, length_of, names, read_at
from official.checkpoints.storage.torch_pickle import Storage, View
from official.errors import InputError

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
CHUNK_BYTES = 1 << 20
# What reading gives before it is float32; bfloat16 is the upper half of one.
FLOATS = {"float16": "<f2", "bfloat16": "<u2", "float32": "<f4", "float64": "<f8"}


class TorchFile:
    """The tensors of one file, whose places have been checked against its length.

    Attributes:
        path: of the file.
        shapes: of every tensor, by name.
        dtypes: numpy's names of their types.
        integrity: what would notice a flipped bit in the data.

    Raises:
        InputError: no such file, not one of PyTorch's, damaged, or it holds or asks for anything but tensors.
    """

    def __init__(self, path: str):
        self.path = path
        with files.open_file(path, "rb") as file:
            try:
                self._views, self._extents = _open(file)
            except InputError as error:
                raise InputError(f"{path}: {error}") from error
        self.shapes: dict[str, Shape] = {name: view.shape for name, view in self._views.items()}
        self.dtypes = {name: view.storage.type.name for name, view in self._views.items()}
        checked = any(extent.crc is not None for extent in self._extents.values())
        self.integrity = "crc32 of each tensor" if checked else UNPROTECTED
        self._verified: set[str] = set()

    def read(self, name: str) -> np.ndarray:
        """The values of a tensor in float32.

        Raises:
            InputError: it is no tensor of floating-point numbers, its checksum is wrong, or the file has changed.
        """
        view, dtype = self._views[name], self.dtypes[name]
        if dtype not in FLOATS:
            raise InputError(f"{name} is of type {dtype}: floating point was expected")
        try:
            data = self._read_storage(view)
        except InputError as error:
            raise InputError(f"{name} {error}") from error
        values = _strided(view, np.dtype(FLOATS[dtype]), data)
        if dtype == "bfloat16":
            return (values.astype(np.uint32, order="C") << 16).view(np.float32)
        with np.errstate(over="ignore"):  # A float64 beyond float32 becomes infinite, which no caller accepts.
            return values.astype(np.float32, order="C", copy=False)

    def _read_storage(self, view: View) -> np.ndarray:
        """The bytes from a tensor's first element to its last; each storage is verified once, however many share it."""
        extent, item_bytes, key = self._extents[view.storage.key], view.storage.type.item_bytes, view.storage.key
        begin = view.offset * item_bytes
        end = begin + view.span() * item_bytes
        with files.open_file(self.path, "rb") as file:
            data = _read_part(file, extent, begin, end, verify=key not in self._verified)
        self._verified.add(key)
        return data


def _strided(view: View, dtype: np.dtype, data: np.ndarray) -> np.ndarray:
    """The tensor in its shape; numpy checks the strides against the length of `data` once more."""
    used = [stride * dtype.itemsize if size > 1 and all(view.shape) else 0 for size, stride in view.axes()]
    values = np.ndarray(view.shape, dtype, buffer=data, strides=used)
    return np.ascontiguousarray(values).reshape(view.shape)


def _read_part(file: IO[bytes], extent: Extent, begin: int, end: int, verify: bool) -> np.ndarray:
    """Bytes `begin` to `end` of an extent; to verify them, all of it passes by, a chunk at a time."""
    verify = verify and extent.crc is not None
    first, last = (0, extent.length) if verify else (begin, end)
    part, crc = np.empty(end - begin, np.uint8), 0
    for start in range(first, last, CHUNK_BYTES):
        chunk = read_at(file, extent.start + start, min(CHUNK_BYTES, last - start))
        crc = zlib.crc32(chunk, crc) if verify else crc
        low, high = max(begin, start), min(end, start + len(chunk))
        if low < high:
            part[low - begin : high - begin] = np.frombuffer(chunk, np.uint8)[low - start : high - start]
    if verify and crc != extent.crc:
        raise InputError(f"is damaged: its CRC-32 is {crc:08x}, {extent.crc:08x} was expected")
    return part


def _open(file: IO[bytes]) -> tuple[dict[str, View], dict[str, Extent]]:
    """The tensors by name, and where each storage lies, by key."""
    head = file.read(512)
    if head.startswith(b"PK"):
        return _open_zip(file)
    if head[257:262] == b"ustar":
        raise InputError("is in the tar format of PyTorch before 0.1.10: save it again with a later one")
    if head.startswith(b"version https://git-lfs"):
        raise InputError("is a pointer of git-lfs: fetch the file itself with `git lfs pull`")
    if head.startswith(b"\x80"):  # How every pickle begins.
        return _open_legacy(file)
    raise InputError("is not a file of PyTorch's")


def _open_zip(file: IO[bytes]) -> tuple[dict[str, View], dict[str, Extent]]:
    listed = names(file)
    roots = [name.removesuffix("data.pkl") for name in listed if name.endswith("/data.pkl") and name.count("/") == 1]
    if len(roots) != 1:
        raise InputError("is a zip archive without the one data.pkl that PyTorch's have")
    root = roots[0]
    if root + "constants.pkl" in listed:
        raise InputError("is a TorchScript archive, which is a program: a state_dict was expected")
    archive = entries(file)
    if root + "byteorder" in archive and _read_entry(file, archive, root + "byteorder") != b"little":
        raise InputError("was written on a big-endian machine: save it again on another")
    storages: dict[str, Storage] = {}
    pickled = io.BytesIO(_read_entry(file, archive, root + "data.pkl"))
    views = torch_pickle.tensors(torch_pickle.load(pickled, storages))
    return views, {key: _extent(storage, archive.get(f"{root}data/{key}")) for key, storage in storages.items()}


def _extent(storage: Storage, entry: Extent | None) -> Extent:
    """The entry of a storage, if it is what the pickle says."""
    if entry is None or entry.length != storage.length:
        found = "is not there" if entry is None else f"has {entry.length} bytes"
        raise InputError(f"its storage {shown(storage.key)} {found}: {storage.length} bytes were expected")
    return entry


def _read_entry(file: IO[bytes], archive: Mapping[str, Extent], name: str) -> bytes:
    """A small entry, verified."""
    extent = archive[name]
    if extent.length > restricted_pickle.MAX_BYTES:
        raise InputError(f"its entry {name} has {extent.length} bytes: that is no state_dict")
    try:
        return _read_part(file, extent, 0, extent.length, verify=True).tobytes()
    except InputError as error:
        raise InputError(f"its entry {name} {error}") from error


def _open_legacy(file: IO[bytes]) -> tuple[dict[str, View], dict[str, Extent]]:
    file.seek(0)
    data = io.BytesIO(file.read(restricted_pickle.MAX_BYTES))
    storages: dict[str, Storage] = {}

    def load() -> Any:
        return torch_pickle.load(data, storages)

    if load() != MAGIC:
        raise InputError("is not a file of PyTorch's")
    if load() != PROTOCOL:
        raise InputError(f"is not of the protocol {PROTOCOL}, the only one that PyTorch ever wrote")
    system = load()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise InputError("was not written on a little-endian machine: save it again on another")
    views, keys = torch_pickle.tensors(load()), load()
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise InputError("its list of storages is damaged")
    if len(keys) != len(storages) or set(keys) != storages.keys():
        raise InputError(f"has {len(keys)} storages, of which its tensors use {len(storages)}: it is damaged")
    return views, _legacy_extents(file, data.tell(), [storages[key] for key in keys])


def _legacy_extents(file: IO[bytes], position: int, storages: list[Storage]) -> dict[str, Extent]:
    """The storages follow each other, each after its number of elements."""
    total, extents = length_of(file), {}
    for storage in storages:
        (count,) = struct.unpack("<q", read_at(file, position, 8))
        if count != storage.count:
            raise InputError(f"a storage has {count} elements: {storage.count} were expected")
        extents[storage.key] = Extent(position + 8, storage.length)
        position += 8 + storage.length
        if position > total:
            raise InputError(f"has {total} bytes: at least {position} were expected; is it cut short?")
    if position != total:
        raise InputError(f"has {total} bytes: {position} were expected")
    return extents
