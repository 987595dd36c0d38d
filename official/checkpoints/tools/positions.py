"""More positions than a model was trained with."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np

from official.checkpoints import registry
from official.checkpoints.tools.tables import read_tables, with_tables
from official.errors import InputError


def tile(table: np.ndarray, rows: int) -> np.ndarray:
    """[R, H] → [rows, H]: row i is the old row i mod R."""
    return table[np.arange(rows) % len(table)]


def interpolate(table: np.ndarray, rows: int) -> np.ndarray:
    """[R, H] → [rows, H]: linear between neighbours; the first and the last row stay first and last."""
    places = np.linspace(0, len(table) - 1, rows)
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, len(table) - 1)
    weight = (places - below)[:, np.newaxis]
    return ((1 - weight) * table[below] + weight * table[above]).astype(table.dtype)


METHODS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {"tile": tile, "interpolate": interpolate}


def extend_positions(model: keras.Model, max_position_embeddings: int, method: str = "tile") -> keras.Model:
    """A new model for longer sequences; it should then be trained on some.

    - `tile` repeats the rows, as Longformer was begun (Beltagy et al. 2020, arXiv:2004.05150, section 5): neighbours
      look like neighbours everywhere but at the seams. Sequences of the old length give the same numbers to the last
      bit.
    - `interpolate` stretches the table over the new length: there are no seams, but neighbours stand closer together
      than any that the model has seen, in short sequences too.

    A shorter table is refused: it would save next to nothing, and a model takes shorter sequences as it is.

    Args:
        model: of a known family; it is left alone.
        max_position_embeddings: the new length, in tokens.
        method: `tile` or `interpolate`.

    Raises:
        InputError: there is no such method, or the new length is below the old one, or no length.
    """
    if method not in METHODS:
        raise InputError(f"positions can't be extended by {method!r}: one of {', '.join(METHODS)} was expected")
    config = dataclasses.replace(model.config, max_position_embeddings=max_position_embeddings)
    if max_position_embeddings < (length := model.config.max_position_embeddings):
        raise InputError(
            f"max_position_embeddings is {max_position_embeddings}: this model has {length} positions, and fewer "
            "would only shorten what it can read"
        )
    tables = read_tables(model, registry.family_of_model(model).position_tables)
    extended = {name: METHODS[method](table, max_position_embeddings) for name, table in tables.items()}
    return with_tables(model, config, extended)
