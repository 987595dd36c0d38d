"""`--student_layers`: a student that starts with some layers of its teacher."""

import dataclasses
from collections.abc import Sequence

from official.checkpoints import registry
from official.errors import InputError
from official.models.config import Config


def layers_of_flag(given: Sequence[str]) -> tuple[int, ...]:
    """The numbers that the flag lists; InputError where they are none."""
    if not given or not all(layer.strip().isdecimal() for layer in given):
        raise InputError(f"--student_layers={','.join(given)}: numbers from 0, parted by commas, were expected")
    return tuple(map(int, given))


def shortened(teacher: Config, layers: Sequence[int]) -> Config:
    """The teacher's config with these layers only.

    Raises:
        InputError: they are not different layers of its.
    """
    field = registry.family_of_config(teacher).layer[0]
    there = getattr(teacher, field)
    if len(set(layers)) < len(layers) or max(layers) >= there:
        raise InputError(
            f"--student_layers={','.join(map(str, layers))}: different numbers from 0 to {there - 1}, layers of the "
            "teacher, were expected"
        )
    return dataclasses.replace(teacher, **{field: len(layers)})
