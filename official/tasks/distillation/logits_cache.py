"""A teacher's logits on the disk, so that what it has said once need not be computed again.

A shard is known by a digest of the teacher and of the tokens that it was given. So a directory can hold the logits of
several teachers and files, a run that was killed goes on with the shards that are there, and those of another teacher
or of texts that have changed are never taken for these: they are just not looked for.
"""

import os
import sys
from collections.abc import Mapping

import numpy as np

from official import files
from official.checkpoints.storage import safetensors
from official.checkpoints.storage.safetensors import SafetensorsFile
from official.errors import InputError


class LogitsCache:
    """The shards in a directory, which is there already; each is written whole or not at all."""

    def __init__(self, directory: str):
        self.directory = directory

    def _path(self, key: str) -> str:
        return os.path.join(self.directory, f"logits-{key}.safetensors")

    def find(self, key: str) -> dict[str, np.ndarray] | None:
        """A shard's arrays by name; None where it is not there, or is damaged, which is said."""
        path = self._path(key)
        if not files.exists(path):
            return None
        try:
            shard = SafetensorsFile(path)
            return {name: shard.read(name) for name in shard.shapes}
        except InputError as error:
            print(f"note: {error}: its examples are labelled again", file=sys.stderr)
            return None

    def add(self, key: str, logits: Mapping[str, np.ndarray]) -> None:
        """Writes a shard of float32 arrays.

        Raises:
            InputError: it can't be written.
        """
        tensors = [(name, values.shape, lambda values=values: values) for name, values in logits.items()]
        safetensors.write(self._path(key), tensors, {})
