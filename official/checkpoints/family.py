"""What this package has to know about a family of models; a family is one declaration in a file of its own."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras

from official.checkpoints.names import NameMap


@dataclasses.dataclass(frozen=True, kw_only=True)
class Family:
    """A family of models and how its checkpoints name things."""

    model: type[keras.Model]
    config: type
    build: Callable[[Any, set[str]], keras.Model]  # A config and the names of parts → a model that has these.
    parts: Mapping[str, str]  # Heads and whatever else may be absent, and the start of their variables' names.
    tf1_config_file: str  # What lies beside a TF1 checkpoint.
    read_tf1_config: Callable[[str], Any]
    model_type: str  # Hugging Face's name for the family.
    names: NameMap  # ↔ Hugging Face.
    from_hugging_face: Callable[[Mapping[str, Any]], Any]  # What `config.json` holds → a config.
    to_hugging_face: Callable[[keras.Model], dict[str, Any]]  # A model → what `config.json` holds.

    def part_of(self, variable: str) -> str | None:
        """The part that a variable belongs to; None for the encoder, which no model lacks."""
        return next((part for part, start in self.parts.items() if variable.startswith(start)), None)
