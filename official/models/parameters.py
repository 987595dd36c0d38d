"""How many parameters a model has, without the memory that they would need."""

import math

import keras

from official.models import registry
from official.models.config import Config


def count_parameters(config: Config, *heads: str, **options) -> int:
    """The number of trainable parameters of a model of this config; arguments as of `registry.build`."""
    with keras.StatelessScope(initialize_variables=False):
        model = registry.build(config, heads, **options)
    count = sum(math.prod(variable.shape) for variable in model.trainable_weights)
    keras.utils.clear_session()  # Forgets that these variables still wait for their values.
    return count
