"""What this package has to know about a family of models; a family is one declaration in a file of its own."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import Any

import keras

from official.checkpoints.names import NameMap


@dataclasses.dataclass(frozen=True, kw_only=True)
class KerasHub:
    """How keras-hub's presets keep the models of a family."""

    name: str  # With which the names of its classes start: `Bert` of BertBackbone.
    package: str  # Below `keras_hub.src.models`.
    tasks: Mapping[str, str]  # Our heads that it has, the first preferred, and what its classes for them are: MaskedLM.
    always: tuple[str, ...]  # Parts that may be absent in our models and never are in its.
    names_of: Callable[[str | None], NameMap]  # The head in a preset, if any → names ↔ those of its tensors.
    from_preset: Callable[[Mapping[str, Any]], Any]  # The settings of a backbone → a config.
    to_preset: Callable[[Any], dict[str, Any]]  # And back; InputError where it can't compute what a config asks for.
    extra: tuple[str, ...]  # Fields of a config for which it has no setting.
    notes: Callable[[Any, str | None], list[str]]  # What it computes otherwise than a model with this config and head.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Family:
    """A family of models and how its checkpoints name things."""

    model: type[keras.Model]
    config: type
    # A config, the names of parts, and the labels that its head has → a model that has these.
    build: Callable[[Any, Collection[str], tuple[str, ...]], keras.Model]
    encoder: str  # The start of the names of the encoder's variables.
    parts: Mapping[str, str]  # Heads and whatever else may be absent, and the start of their variables' names.
    labelled: Mapping[str, str]  # Heads with labels, and the variable that has an element for each.
    # Fields of the config, and the variable and axis that show each; the layers are those of `layer`.
    seen: Mapping[str, tuple[str, int]]
    layer: tuple[str, str]  # The field that counts layers, and the start of the names of a layer's variables: `…{n}/`.
    unseen: tuple[str, ...]  # Fields of the config on which the numbers depend although no shape shows them.
    vocabulary_tables: tuple[str, ...]  # Variables with a row for each token of the vocabulary,
    position_tables: tuple[str, ...]  # and with a row for each position, where a model has them.
    sizes: Callable[[Any], str]  # A config in a line for a person.
    model_type: str  # Hugging Face's name for the family.
    names_of: Callable[[Mapping[str, Any]], NameMap]  # What `config.json` holds → names ↔ Hugging Face's.
    from_hugging_face: Callable[[Mapping[str, Any]], Any]  # What `config.json` holds → a config.
    to_hugging_face: Callable[[keras.Model], dict[str, Any]]  # A model → what `config.json` holds.
    hugging_face_notes: Callable[[Any], list[str]] = lambda config: []  # What transformers makes of a config.
    keras_hub: KerasHub | None = None
    tf1_config_file: str | None = None  # What lies beside a TF1 checkpoint; None where there are no such checkpoints.
    read_tf1_config: Callable[[str], Any] | None = None
    tf1_notes: Callable[[Any], list[str]] = lambda config: []  # What the original's code would make of a config.
    tf1_names: NameMap | None = None  # Names ↔ those of the original's checkpoints; None where they are the same.

    def part_of(self, variable: str) -> str | None:
        """The part that a variable belongs to; None for the encoder, which no model lacks."""
        return next((part for part, start in self.parts.items() if variable.startswith(start)), None)
