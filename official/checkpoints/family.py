"""What this package has to know about a family of models; a family is one declaration in a file of its own."""

import dataclasses
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from official.checkpoints import labels
from official.checkpoints.names import NameMap
from official.models.bert import Bert
from official.models.config import Config


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

    model: type[Bert]
    config: type[Config]
    parts: Mapping[str, str]  # Heads and whatever else may be absent, and the start of their variables' names.
    labelled: Mapping[str, str]  # Heads with labels, and the variable that has an element for each.
    # Fields of the config, and the variable and axis that show each; the layers are those of `layer`.
    seen: Mapping[str, tuple[str, int]]
    layer: tuple[str, str]  # The field that counts layers, and the start of the names of a layer's variables: `…{n}/`.
    unseen: tuple[str, ...]  # Fields of the config on which the numbers depend although no shape shows them.
    sizes: Callable[[Any], str]  # A config in a line for a person.
    architectures: Mapping[tuple[str, ...], str]  # Heads in the order of `HEADS` → Hugging Face's class with these.
    names: NameMap  # Names ↔ Hugging Face's.
    tagging_names: NameMap | None = None  # Those of a tagger, where a name has another meaning in it.
    hugging_face_notes: Callable[[Any], list[str]] = lambda config: []  # What transformers makes of a config.
    keras_hub: KerasHub | None = None
    tf1_config_file: str | None = None  # What lies beside a TF1 checkpoint; None where there are no such checkpoints.
    tf1_notes: Callable[[Any], list[str]] = lambda config: []  # What the original's code would make of a config.
    tf1_names: NameMap | None = None  # Names ↔ those of the original's checkpoints; None where they are the same.

    @property
    def model_type(self) -> str:
        """Hugging Face's name for the family."""
        return self.config.model_type

    @property
    def encoder(self) -> str:
        """The start of the names of the encoder's variables."""
        return f"{self.model.SCOPE}/"

    @property
    def name_in_layer(self) -> re.Pattern[str]:
        """How the name of a layer's variable starts; the layer's number is its group."""
        return re.compile(re.escape(self.layer[1]).replace(r"\{n\}", r"(\d+)"))

    @property
    def vocabulary_tables(self) -> tuple[str, ...]:
        """Variables with a row for each token of the vocabulary, where a model has them."""
        return f"{self.encoder}embeddings/word_embeddings", "cls/predictions/output_bias"

    @property
    def position_tables(self) -> tuple[str, ...]:
        """Variables with a row for each position."""
        return (f"{self.encoder}embeddings/position_embeddings",)

    def part_of(self, variable: str) -> str | None:
        """The part that a variable belongs to; None for the encoder, which no model lacks."""
        return next((part for part, start in self.parts.items() if variable.startswith(start)), None)

    def build(self, config: Config, parts: Collection[str], label_names: tuple[str, ...] = ()) -> Bert:
        """A model that has these parts, and answers with all that can be looked at."""
        return self.model(
            config,
            [head for head in self.model.HEADS if head in parts],
            labels=label_names,
            pooler=not self.model.WITH_POOLER.isdisjoint(parts) or "pooler" in parts,
            output_hidden_states=True,
            output_attention_probs=True,
        )

    def names_of(self, values: Mapping[str, Any]) -> NameMap:
        """The names that go with a `config.json`."""
        architectures = values.get("architectures")
        tagger = self.architectures[("token_classification",)]
        is_tagger = isinstance(architectures, list) and tagger in architectures
        return self.tagging_names if is_tagger and self.tagging_names is not None else self.names

    def from_hugging_face(self, values: Mapping[str, Any]) -> Config:
        """What `config.json` holds → a config; InputError where it describes a model that is not computed here."""
        return self.config.from_hugging_face(values)

    def to_hugging_face(self, model: Bert) -> dict[str, Any]:
        """What Hugging Face's `config.json` says of a model."""
        heads = tuple(head for head in model.HEADS if head in model.heads)
        # Of a model with more heads than any of theirs, they read the encoder and the one that was fine-tuned.
        architecture = self.architectures.get(heads) or self.architectures[heads[-1:]]
        about = {"architectures": [architecture], "tie_word_embeddings": True}
        return model.config.to_hugging_face() | about | labels.to_config(model.labels, model.label_type)
