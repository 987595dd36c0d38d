"""A checkpoint that has been opened: what it holds, by our names, each tensor read only when it is asked for."""

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from official.checkpoints.names import NameMap, Rule, Tied
from official.errors import InputError

Shape = tuple[int, ...]
IMPLAUSIBLE = 1e8  # No trained weight comes near it; a flipped bit of an exponent goes far beyond.
UNPROTECTED = "none"


class TensorFile(Protocol):
    """A file of named tensors, whatever its format.

    Attributes:
        path: of the file.
        shapes: of every tensor in it, by their names.
        dtypes: of every tensor, by numpy's names.
        integrity: what would notice a flipped bit in the values, or `UNPROTECTED`.
    """

    path: str
    shapes: Mapping[str, Shape]
    dtypes: Mapping[str, str]
    integrity: str

    def read(self, name: str) -> np.ndarray:
        """The values of a tensor of floating-point numbers, in float32; InputError where it has none."""


def transpose(values: np.ndarray) -> np.ndarray:
    """Its axes the other way round, laid out anew: four times as fast as numpy does it."""
    with tf.device("CPU:0"):
        return tf.transpose(values).numpy()


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One stored tensor, in the shape and the axis order of our variable."""

    theirs: str
    shape: Shape
    read_raw: Callable[[], np.ndarray]
    transposed: bool = False
    dtype: str = "float32"

    def transpose(self) -> "Tensor":
        """The same with its axes the other way round."""
        return dataclasses.replace(self, shape=self.shape[::-1], transposed=not self.transposed)

    def join(self, axis: int) -> "Tensor":
        """The same with `axis` and the one after it made one."""
        shape = (*self.shape[:axis], math.prod(self.shape[axis : axis + 2]), *self.shape[axis + 2 :])
        return dataclasses.replace(self, shape=shape, read_raw=lambda: self.read_raw().reshape(shape))

    def read(self) -> np.ndarray:
        """Its values in float32.

        Raises:
            InputError: it can't be read, or it holds a value that no trained model has.
        """
        values = self.read_raw()
        if values.size:
            lowest, highest = values.min(), values.max()
            if not (np.isfinite(lowest) and np.isfinite(highest)):  # Either is NaN where there is one among them.
                raise InputError(f"{self.theirs} holds NaN or infinite values: this checkpoint is of no use")
            if max(-lowest, highest) > IMPLAUSIBLE:
                raise InputError(f"{self.theirs} holds values up to {max(-lowest, highest):.2g}: the file is damaged")
        return transpose(values) if self.transposed else values


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """What a checkpoint holds.

    Attributes:
        path: what messages call it.
        tensors: by our names.
        unknown: shapes of what no name map speaks of, by their names.
        astray: those among the unknown that are the encoder's, so that it is none of the known ones.
        tied: copies of tensors that are also in `tensors`.
        config: the model's config, where the checkpoint carries one.
        labels: names of the classes of its head, where it carries them.
        label_type: `single`, `multi` or `regression`, where it is said.
        notes: what of the config means something else here than there, a line each.
        format: how it is stored, in a few words.
        integrity: what would notice a flipped bit in the values, or `UNPROTECTED`.
    """

    path: str
    tensors: Mapping[str, Tensor]
    unknown: Mapping[str, Shape] = dataclasses.field(default_factory=dict)
    astray: Sequence[str] = ()
    tied: Sequence[tuple[Tied, Tensor]] = ()
    config: Any = None
    labels: tuple[str, ...] = ()
    label_type: str | None = None
    notes: Sequence[str] = ()
    format: str = ""
    integrity: str = UNPROTECTED

    def read(self, ours: str) -> np.ndarray:
        """The values of one of our variables; an error names the checkpoint."""
        return self._naming_the_path(self.tensors[ours])

    def check_tied(self, heads: Sequence[str]) -> None:
        """Refuses a checkpoint whose copies are no copies, since a model made from it would not be the one saved.

        Raises:
            InputError: a tensor that one of `heads` would need differs from the variable that we use in its place.
        """
        for tied, tensor in self.tied:
            if tied.head in heads and not np.array_equal(self._naming_the_path(tensor), self.read(tied.same_as)):
                raise InputError(
                    f"{self.path}: {tensor.theirs} is not the same as {self.tensors[tied.same_as].theirs}: "
                    "these are tied in this model, and an untied head can't be loaded"
                )

    def _naming_the_path(self, tensor: Tensor) -> np.ndarray:
        try:
            return tensor.read()
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from error


def _as_ours(stored: Tensor, rule: Rule) -> Tensor:
    if rule.heads_axis is not None:
        stored = stored.join(rule.heads_axis)
    return stored.transpose() if rule.transposed else stored


def translate(file: TensorFile, names: NameMap, **about: Any) -> Source:
    """The source that a file of foreign names is.

    Args:
        file: what it is stored in.
        names: the family's map.
        about: further fields of the source.

    Raises:
        InputError: two tensors claim to be the same variable.
    """
    tensors, unknown, copies = {}, {}, []
    for theirs, shape in file.shapes.items():
        stored = Tensor(theirs, shape, functools.partial(file.read, theirs), dtype=file.dtypes[theirs])
        if names.is_ignored(theirs):
            continue
        if theirs in names.tied:
            copies.append((names.tied[theirs], stored))
        elif (found := names.to_ours(theirs)) is None:
            unknown[theirs] = shape
        else:
            ours, rule = found
            if ours in tensors:
                raise InputError(f"{file.path}: {tensors[ours].theirs} and {theirs} are the same variable, {ours}")
            tensors[ours] = _as_ours(stored, rule)
    for tied, stored in copies:
        tensors.setdefault(tied.same_as, stored)
    return Source(
        path=file.path,
        tensors=tensors,
        unknown=unknown,
        astray=[theirs for theirs in unknown if names.is_inside(theirs)],
        tied=[(tied, stored) for tied, stored in copies if tensors[tied.same_as] is not stored],
        integrity=file.integrity,
        **about,
    )
