"""Named tensors in a file that a short C program reads and writes as easily as Python does.

All numbers are little-endian. A file is a count (uint32) and so many exchanges: a title (a string: the signature that
is asked, or what went wrong), a count (uint32) and so many tensors: a name (a string), TensorFlow's number of the type
(int32), the rank (int32), its sizes (int64 each), and the values, strings one after the other. A string is its length
(uint64) and its bytes.
"""

import pathlib
import struct
from collections.abc import Sequence

import numpy as np

# tensorflow/core/framework/types.proto
TYPES = {1: np.float32, 2: np.float64, 3: np.int32, 9: np.int64, 10: np.bool_}
STRING = 7
NUMBERS = {np.dtype(kind): number for number, kind in TYPES.items()}

Exchange = tuple[str, dict[str, np.ndarray]]


def write(path: pathlib.Path, exchanges: Sequence[Exchange]) -> None:
    """Arrays of numbers, or of bytes as objects."""
    with open(path, "wb") as file:
        file.write(struct.pack("<I", len(exchanges)))
        for title, tensors in exchanges:
            _write_string(file, title.encode())
            file.write(struct.pack("<I", len(tensors)))
            for name, values in tensors.items():
                _write_tensor(file, name, np.asarray(values))


def _write_string(file, text: bytes) -> None:
    file.write(struct.pack("<Q", len(text)) + text)


def _write_tensor(file, name: str, values: np.ndarray) -> None:
    of_strings = values.dtype == object
    _write_string(file, name.encode())
    kind = STRING if of_strings else NUMBERS[values.dtype]
    file.write(struct.pack(f"<ii{values.ndim}q", kind, values.ndim, *values.shape))
    if not of_strings:
        file.write(values.tobytes())
        return
    for text in values.ravel():
        _write_string(file, text)


def read(path: pathlib.Path) -> list[Exchange]:
    """What `write`, or the C program, has written; the file has nothing behind it."""
    with open(path, "rb") as file:
        exchanges = [(_read_string(file).decode(), _read_tensors(file)) for _ in range(*_unpack(file, "I"))]
        assert not file.read(1)
    return exchanges


def _unpack(file, layout: str) -> tuple:
    return struct.unpack(f"<{layout}", file.read(struct.calcsize(f"<{layout}")))


def _read_string(file) -> bytes:
    return file.read(*_unpack(file, "Q"))


def _read_tensors(file) -> dict[str, np.ndarray]:
    return {_read_string(file).decode(): _read_values(file) for _ in range(*_unpack(file, "I"))}


def _read_values(file) -> np.ndarray:
    kind, rank = _unpack(file, "ii")
    shape = _unpack(file, f"{rank}q")
    count = int(np.prod(shape, dtype=np.int64))
    if kind == STRING:
        values = np.empty(count, object)
        values[:] = [_read_string(file) for _ in range(count)]
        return values.reshape(shape)
    dtype = np.dtype(TYPES[kind])
    return np.frombuffer(file.read(count * dtype.itemsize), dtype).reshape(shape)
