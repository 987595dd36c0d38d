"""Arrays of numbers in HDF5 files: the part of the format in which Keras keeps weights.

Read here, from any file system, without libhdf5, which crafted files crash and lead to other files. Written by it, with
its own checksums, which Keras's loader then verifies, and with a CRC-32 of each array, which we do: a chunk and its
checksum can be taken from a wrong place.
"""

import contextlib
import itertools
import math
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import IO

import h5py
import numpy as np

from official import files
from official.checkpoints.source import UNPROTECTED, Shape
from official.checkpoints.storage.hdf5_structure import Array, Piece, find_arrays
from official.errors import InputError

CHUNK_BYTES = 1 << 20  # As many as libhdf5 keeps in memory while it reads an array.
READABLE = {"float16": "<f2", "float32": "<f4", "float64": "<f8", "bfloat16": "<u2"}


class Hdf5File:
    """The arrays of one file, all of whose structure has been checked. Names are paths: `layers/dense/vars/0`.

    Attributes:
        path: of the file.
        shapes: of every array.
        dtypes: of every array, by numpy's names.
        integrity: what would notice damage to the arrays of numbers with a fraction.

    Raises:
        InputError: no such file, not a whole HDF5 file, or not one that Keras would write.
    """

    def __init__(self, path: str):
        self.path = path
        with files.open_file(path, "rb") as file:
            try:
                self._arrays = find_arrays(file)
            except (struct.error, UnicodeDecodeError) as error:
                raise InputError(f"{path}: a broken HDF5 file: {error}") from error
            except InputError as error:
                raise InputError(f"{path}: {error}") from error
        _check_overlap(path, self._arrays)
        self.shapes = {name: array.shape for name, array in self._arrays.items()}
        self.dtypes = {name: array.dtype for name, array in self._arrays.items()}
        protected = all(array.crc is not None for array in self._arrays.values() if array.dtype in READABLE)
        self.integrity = "crc32 of each tensor" if protected else UNPROTECTED

    def read(self, name: str) -> np.ndarray:
        """The values of an array in float32.

        Raises:
            InputError: it is no array of floating-point numbers, a checksum is wrong, or the file has changed.
        """
        array = self._arrays[name]
        if array.dtype not in READABLE:
            raise InputError(f"{name} is of type {array.dtype}: floating point was expected")
        with files.open_file(self.path, "rb") as file:
            values = _read_blocks(file, name, array)
        if array.crc is not None and zlib.crc32(np.ascontiguousarray(values)) != array.crc:
            raise InputError(f"{name} is damaged: its checksum is wrong")
        return _widen(values)


def _read_blocks(file: IO, name: str, array: Array) -> np.ndarray:
    if array.block == array.shape:
        return _read_block(file, name, array, array.pieces[0])
    values = np.empty(array.shape, READABLE[array.dtype])
    for piece in array.pieces:
        place = tuple(slice(at, at + size) for at, size in zip(piece.start, array.block, strict=True))
        inside = tuple(slice(size) for size in values[place].shape)  # A chunk at the edge reaches beyond the array.
        values[place] = _read_block(file, name, array, piece)[inside]
    return values


def _read_block(file: IO, name: str, array: Array, piece: Piece) -> np.ndarray:
    file.seek(piece.address)
    data = file.read(piece.length)
    if len(data) != piece.length:
        raise InputError(f"{name} ends after {len(data)} of {piece.length} bytes")
    dtype = READABLE[array.dtype]
    return np.frombuffer(data, dtype, count=math.prod(array.block)).reshape(array.block)


def _widen(values: np.ndarray) -> np.ndarray:
    if values.dtype == np.uint16:  # bfloat16: the upper half of a float32.
        return (values.astype(np.uint32) << 16).view(np.float32)
    return values.astype(np.float32, copy=False)


def _check_overlap(path: str, arrays: Mapping[str, Array]) -> None:
    pieces = sorted((piece.address, piece.length, name) for name, array in arrays.items() for piece in array.pieces)
    for (address, length, name), (following, _, other) in itertools.pairwise(pieces):
        if address + length > following:
            raise InputError(f"{path}: {name} and {other} share bytes: a broken HDF5 file")


def write(path: str, tensors: Iterable[tuple[str, Shape, Callable[[], np.ndarray]]]) -> None:
    """Writes arrays in float32, with checksums: whole, or not at all.

    Args:
        path: of the file.
        tensors: name, shape and a function that gives the values, called when it is their turn.

    Raises:
        InputError: it can't be written.
    """
    with contextlib.ExitStack() as stack:
        local = files.temporary_name(path)
        if files.is_remote(path):  # libhdf5 goes back in what it writes, which no remote file allows.
            local = os.path.join(stack.enter_context(tempfile.TemporaryDirectory()), "weights.h5")
        stack.callback(files.remove_if_there, local)
        try:
            _write_local(local, tensors)
        except (OSError, RuntimeError) as error:
            raise InputError(f"{path}: can't be written: {' '.join(str(error).split())}") from error
        if files.is_remote(path):
            files.copy(local, path)
        else:
            files.replace(local, path)


def _write_local(path: str, tensors: Iterable[tuple[str, Shape, Callable[[], np.ndarray]]]) -> None:
    with h5py.File(path, "w") as file:
        for name, shape, values in tensors:
            data = np.ascontiguousarray(values(), np.float32)
            stored = file.create_dataset(name, data=data, chunks=_chunks(shape), fletcher32=True)
            stored.attrs["crc32"] = np.uint32(zlib.crc32(data))


def _chunks(shape: Shape) -> Shape:
    """Whole rows, as many as fit, and about as many in the last chunk, which is stored in full."""
    count = -(-4 * math.prod(shape) // CHUNK_BYTES)
    return (-(-shape[0] // count), *shape[1:])
