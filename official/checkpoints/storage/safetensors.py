"""The safetensors format: eight bytes of header length, a JSON header, the tensors one after the other.

Read and written here tensor by tensor, from any file system, so that no more than one of them is in memory beside the
model. https://github.com/huggingface/safetensors#format

The format has no checksums. What is written here carries them in the header's metadata, which other readers pass over.
"""

import json
import math
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from official import files
from official.checkpoints.source import UNPROTECTED, Shape
from official.errors import InputError

MAX_HEADER_BYTES = 100_000_000  # The limit of the reference implementation.
ITEM_BYTES = {
    "BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "I32": 4, "U32": 4, "I64": 8, "U64": 8,
    "F16": 2, "BF16": 2, "F32": 4, "F64": 8,
}  # fmt: skip
FLOATS = {"F16": "<f2", "F32": "<f4", "F64": "<f8"}
DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "I16": "int16", "U16": "uint16", "I32": "int32", "U32": "uint32",
    "I64": "int64", "U64": "uint64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
}  # fmt: skip
CHECKSUMS = "crc32"  # Our key in the metadata: a JSON object of a CRC-32 for each tensor, in hexadecimal.


class SafetensorsFile:
    """The tensors of one file, whose header has been checked against its length.

    Raises:
        InputError: no such file, or not a whole safetensors file.
    """

    def __init__(self, path: str):
        self.path = path
        header, self._start, data_bytes = _read_header(path)
        self.metadata = _check_metadata(path, header.pop("__metadata__", {}))
        self._checksums = read_json_field(path, self.metadata, CHECKSUMS)
        self._tensors = {name: _check_entry(path, name, entry) for name, entry in header.items()}
        _check_layout(path, self._tensors, data_bytes)
        self.shapes: dict[str, Shape] = {name: shape for name, (_, shape, _, _) in self._tensors.items()}
        self.dtypes = {name: DTYPES[dtype] for name, (dtype, _, _, _) in self._tensors.items()}
        protected = self._tensors.keys() <= self._checksums.keys()
        self.integrity = "crc32 of each tensor" if protected else UNPROTECTED

    def read(self, name: str) -> np.ndarray:
        """The values of a tensor in float32.

        Raises:
            InputError: it is no tensor of floating-point numbers, or the file has changed.
        """
        dtype, shape, begin, end = self._tensors[name]
        if dtype != "BF16" and dtype not in FLOATS:
            raise InputError(f"{name} is of type {dtype}: floating point was expected")
        with files.open_file(self.path, "rb") as file:
            file.seek(self._start + begin)
            data = file.read(end - begin)
        if len(data) != end - begin:
            raise InputError(f"{name} ends after {len(data)} of {end - begin} bytes")
        if self._checksums.get(name, checksum := _checksum(data)) != checksum:
            raise InputError(f"{name} is damaged: its CRC-32 is {checksum}, {self._checksums[name]} was expected")
        if dtype == "BF16":  # The upper half of a float32.
            values = (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(data, FLOATS[dtype]).astype(np.float32, copy=False)
        return values.reshape(shape)


def _read_header(path: str) -> tuple[dict[str, Any], int, int]:
    """The header, where the tensors start, and how many bytes of them there are."""
    with files.open_file(path, "rb") as file:
        file.seek(0, 2)
        total = file.tell()
        file.seek(0)
        if total < 8:
            raise InputError(f"{path}: {total} bytes long: a safetensors file was expected")
        (length,) = struct.unpack("<Q", file.read(8))
        if length > min(MAX_HEADER_BYTES, total - 8):
            raise InputError(f"{path}: not a safetensors file, or cut short: its header would be {length} bytes long")
        text = file.read(length)
    try:
        header = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a safetensors file: its header is not JSON ({error})") from error
    if not isinstance(header, dict):
        raise InputError(f"{path}: not a safetensors file: its header is not a JSON object")
    return header, 8 + length, total - 8 - length


def _check_metadata(path: str, metadata: Any) -> dict[str, str]:
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise InputError(f"{path}: the header's metadata are {str(metadata)[:100]}: an object of texts was expected")
    return metadata


def read_json_field(path: str, metadata: Mapping[str, str], key: str) -> dict[str, Any]:
    """The JSON object that the metadata hold under a key of ours; empty where the file is not from here.

    Raises:
        InputError: it is no JSON object.
    """
    try:
        values = json.loads(metadata.get(key, "{}"))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise InputError(f"{path}: the header's metadata hold {metadata[key][:100]!r} as {key}: the file is damaged")
    return values


def _checksum(data: bytes | memoryview) -> str:
    return f"{zlib.crc32(data):08x}"


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _check_entry(path: str, name: str, entry: Any) -> tuple[str, Shape, int, int]:
    """Type, shape, first byte and the byte after the last, if they agree."""
    try:
        dtype, shape, (begin, end) = entry["dtype"], entry["shape"], entry["data_offsets"]
        well_formed = isinstance(shape, list) and all(map(_is_size, [*shape, begin, end]))
        agree = well_formed and end - begin == math.prod(shape) * ITEM_BYTES[dtype]
    except (KeyError, TypeError, ValueError):
        agree = False
    if not agree:
        raise InputError(f"{path}: the header's entry for {name} is wrong: {str(entry)[:200]}")
    return dtype, tuple(shape), begin, end


def _check_layout(path: str, tensors: Mapping[str, tuple[str, Shape, int, int]], data_bytes: int) -> None:
    """The tensors must fill the rest of the file, without gaps and without sharing bytes."""
    position = 0
    for name, (_, _, begin, end) in sorted(tensors.items(), key=lambda item: item[1][2:]):
        if begin != position:
            raise InputError(f"{path}: {name} starts at byte {begin} of the data, {position} was expected")
        position = end
    if position != data_bytes:
        raise InputError(f"{path}: holds {data_bytes} bytes of tensors, {position} were expected: is it cut short?")


def write(
    path: str, tensors: Iterable[tuple[str, Shape, Callable[[], np.ndarray]]], metadata: Mapping[str, str]
) -> None:
    """Writes tensors in float32: whole, or not at all.

    Args:
        path: of the file.
        tensors: name, shape and a function that gives the values. It is called twice: for the checksum, which stands
            before the values, and when it is their turn.
        metadata: texts for the header.

    Raises:
        InputError: it can't be written.
    """
    tensors = list(tensors)
    checksums = {name: _checksum(_bytes_of(values)) for name, _, values in tensors}
    # Hugging Face's loaders insist on the format.
    header: dict[str, Any] = {"__metadata__": {"format": "pt", CHECKSUMS: json.dumps(checksums), **metadata}}
    position = 0
    for name, shape, _ in tensors:
        end = position + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [position, end]}
        position = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # So that the tensors are aligned.
    with files.write_whole(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for _, _, values in tensors:
            file.write(_bytes_of(values))


def _bytes_of(values: Callable[[], np.ndarray]) -> memoryview:
    return np.ascontiguousarray(values(), "<f4").reshape(-1).view(np.uint8).data
