"""A model with other tables: everything else in it stays as it is, to the last bit."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from official.checkpoints.loading import variables_by_name


def with_tables(model: keras.Model, config: Any, tables: Mapping[str, np.ndarray]) -> keras.Model:
    """A new model with this config and these tables, and the other variables of `model`, which is left alone.

    Args:
        model: of a known family.
        config: differs from the model's in the sizes of the tables only.
        tables: by our names, of the shapes that `config` asks for.
    """
    resized = model.with_config(config)
    variables = variables_by_name(model)
    for name, variable in variables_by_name(resized).items():
        variable.assign(tables[name] if name in tables else variables[name])
    return resized


def read_tables(model: keras.Model, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The values of those of these variables that the model has."""
    variables = variables_by_name(model)
    return {name: keras.ops.convert_to_numpy(variables[name]) for name in names if name in variables}
