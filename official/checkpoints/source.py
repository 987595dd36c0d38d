"""A checkpoint that has been opened: what it holds, by our names, each tensor read only when it is asked for."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from official.checkpoints.names import NameMap, Tied
from official.errors import InputError

Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Tensor:
    """One stored tensor, in the shape and the axis order of our variable."""

    theirs: str
    shape: Shape
    read_raw: Callable[[], np.ndarray]
    transposed: bool = False

    def transpose(self) -> "Tensor":
        """The same with its axes the other way round."""
        return dataclasses.replace(self, shape=self.shape[::-1], transposed=not self.transposed)

    def read(self) -> np.ndarray:
        """Its values in float32.

        Raises:
            InputError: it can't be read, or it holds a value that is not finite.
        """
        values = self.read_raw()
        if not np.isfinite(values).all():
            raise InputError(f"{self.theirs} holds NaN or infinite values: this checkpoint is of no use")
        return values.T if self.transposed else values


@dataclasses.dataclass(frozen=True)
class Source:
    """What a checkpoint holds.

    Attributes:
        path: what messages call it.
        tensors: by our names.
        unknown: shapes of what no name map speaks of, by their names.
        tied: copies of tensors that are also in `tensors`.
        config: the model's config, where the checkpoint carries one.
    """

    path: str
    tensors: Mapping[str, Tensor]
    unknown: Mapping[str, Shape] = dataclasses.field(default_factory=dict)
    tied: tuple[tuple[Tied, Tensor], ...] = ()
    config: Any = None

    def read(self, ours: str) -> np.ndarray:
        """The values of one of our variables; an error names the checkpoint."""
        return self._naming_the_path(self.tensors[ours])

    def check_tied(self, heads: tuple[str, ...]) -> None:
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


def translate(
    path: str, shapes: Mapping[str, Shape], read: Callable[[str], np.ndarray], names: NameMap, config: Any = None
) -> Source:
    """The source that a file of foreign names is.

    Args:
        path: what messages call it.
        shapes: of every tensor in it, by their names.
        read: gives the values of one, by its name.
        names: the family's map.
        config: the model's config.

    Raises:
        InputError: two tensors claim to be the same variable.
    """
    tensors, unknown, copies = {}, {}, []
    for theirs, shape in shapes.items():
        stored = Tensor(theirs, shape, functools.partial(read, theirs))
        if names.is_ignored(theirs):
            continue
        if theirs in names.tied:
            copies.append((names.tied[theirs], stored))
        elif (found := names.to_ours(theirs)) is None:
            unknown[theirs] = shape
        else:
            ours, rule = found
            if ours in tensors:
                raise InputError(f"{path}: {tensors[ours].theirs} and {theirs} are the same variable, {ours}")
            tensors[ours] = stored.transpose() if rule.transposed else stored
    for tied, stored in copies:
        tensors.setdefault(tied.same_as, stored)
    tied = tuple((tied, stored) for tied, stored in copies if tensors[tied.same_as] is not stored)
    return Source(path, tensors, unknown, tied, config)
