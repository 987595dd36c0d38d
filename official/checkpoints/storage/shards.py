"""Weights in several files and an index that says which tensor is in which, as Hugging Face's libraries write them.

The index, `model.safetensors.index.json` or `pytorch_model.bin.index.json`, is a JSON object with a `weight_map` from
tensor to file and, among its `metadata`, a `total_size` (huggingface_hub/serialization/_base.py,
`split_state_dict_into_shards_factory`).
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from official import files
from official.checkpoints.source import UNPROTECTED, Shape, TensorFile
from official.checkpoints.storage import json_files
from official.errors import InputError


class ShardedFiles:
    """The tensors of all shards, as if they were in one file; the headers of all have been read and compared.

    Attributes:
        path: of the index.
        shapes: of every tensor, by name.
        dtypes: numpy's names of their types.
        integrity: what would notice a flipped bit in the data of whichever shard is protected least.

    Args:
        path: of the index.
        open_file: opens one shard.

    Raises:
        InputError: the index is no index, or it and the shards do not agree; or a shard is missing or broken.
    """

    def __init__(self, path: str, open_file: Callable[[str], TensorFile]):
        self.path = path
        index = json_files.read_object(path)
        self._file_of = _check_map(path, index.get("weight_map"))
        self._shards = {name: _open(path, name, open_file) for name in sorted(set(self._file_of.values()))}
        self._check_tensors()
        _check_total_size(path, index.get("metadata"), [shard.path for shard in self._shards.values()])
        self.shapes: dict[str, Shape] = {name: self._shard(name).shapes[name] for name in self._file_of}
        self.dtypes = {name: self._shard(name).dtypes[name] for name in self._file_of}
        kinds = {shard.integrity for shard in self._shards.values()}
        self.integrity = UNPROTECTED if UNPROTECTED in kinds else " or ".join(sorted(kinds))

    def read(self, name: str) -> np.ndarray:
        """The values of a tensor in float32.

        Raises:
            InputError: what the shard's own reader raises, with the shard's name.
        """
        try:
            return self._shard(name).read(name)
        except InputError as error:
            raise InputError(f"{self._file_of[name]}: {error}") from error

    def _shard(self, name: str) -> TensorFile:
        return self._shards[self._file_of[name]]

    def _check_tensors(self) -> None:
        """Every tensor is in the shard where the index says it is, and in no other."""
        for name, file_name in self._file_of.items():
            if name not in self._shards[file_name].shapes:
                raise InputError(f"{self.path}: {name!r} should be in {file_name}, but is not")
        for file_name, shard in self._shards.items():
            for name in shard.shapes:
                if name not in self._file_of:
                    raise InputError(f"{self.path}: {name!r} is in {file_name}, but not in the index")
                if self._file_of[name] != file_name:
                    raise InputError(f"{self.path}: {name!r} is in {file_name} and in {self._file_of[name]}")


def _check_map(path: str, weight_map: Any) -> dict[str, str]:
    if not isinstance(weight_map, dict) or not weight_map:
        raise json_files.wrong(path, "weight_map", weight_map, "an object from tensors to files")
    for name, file_name in weight_map.items():
        if not _is_plain_name(file_name):
            raise json_files.wrong(
                path, f"the file of {name[:100]!r}", file_name, "the name of a file beside the index"
            )
    return weight_map


def _is_plain_name(value: Any) -> bool:
    """Whether joining it to a directory stays there: no separator of any system, nothing that ends a path early."""
    return isinstance(value, str) and value not in {"", ".", ".."} and value.isprintable() and not set(value) & {*"/\\"}


def _open(path: str, name: str, open_file: Callable[[str], TensorFile]) -> TensorFile:
    shard = os.path.join(os.path.dirname(path), name)
    if not files.exists(shard):
        raise InputError(f"{path}: names {name}, but there is no such file beside it")
    return open_file(shard)


def _check_total_size(path: str, metadata: Any, shards: list[str]) -> None:
    """Refuses a total that the shards can't hold.

    No more can be said of it: tensors that share memory are counted once and may be stored twice, and whole storages
    are counted where tensors are parts of them (`_base.py:104-122`, `_torch.py`, `get_torch_storage_size`).
    """
    if metadata is None:
        return
    if not isinstance(metadata, dict):
        raise json_files.wrong(path, "metadata", metadata, "an object")
    total, held = metadata.get("total_size", 0), sum(map(files.size, shards))
    if isinstance(total, bool) or not isinstance(total, int | float) or not 0 <= total <= held:
        raise json_files.wrong(path, "total_size", total, f"at most {held} bytes, which the shards have,")
