"""What the configs of all families have in common: their checks, and how they are read from the files of others."""

import dataclasses
import json
import sys
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from official.errors import InputError
from official.layers.activations import ACTIVATIONS

# Hugging Face's `gelu` is the exact form, that of google-research's JSON the tanh form.
FROM_HUGGING_FACE = {
    "gelu": "gelu_erf",
    "gelu_python": "gelu_erf",
    "gelu_new": "gelu",
    "gelu_pytorch_tanh": "gelu",
    "gelu_fast": "gelu",
    "linear": "linear",
    "relu": "relu",
    "tanh": "tanh",
}
TO_HUGGING_FACE = {"gelu_erf": "gelu", "gelu": "gelu_new", "linear": "linear", "relu": "relu", "tanh": "tanh"}
# In the multilingual and Chinese releases: properties of a pooler that no code ever built. In ours: names of labels.
IGNORED_KEYS = frozenset({
    "id2label",
    "directionality",
    "pooler_fc_size",
    "pooler_num_attention_heads",
    "pooler_num_fc_layers",
    "pooler_size_per_head",
    "pooler_type",
})  # fmt: skip


def at_least(least: int, default: int) -> Any:
    """A whole number of at least so much; other whole numbers are at least 1."""
    return dataclasses.field(default=default, metadata={"least": least})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """The shape of a model; a family's fields are those of its published JSON.

    Class attributes say what Hugging Face's `config.json` of the family holds:

    - `title`: the family's name, for messages; `model_type`: theirs;
    - `renamed`: their keys for fields of ours, where they differ;
    - `assumed`: fields of ours with the value that stands for one that is not there;
    - `computed_with`: settings that change what is computed, and the one value that the family computes with.
    """

    title: ClassVar[str]
    model_type: ClassVar[str]
    renamed: ClassVar[Mapping[str, str]] = {}
    assumed: ClassVar[Mapping[str, Any]] = {}
    computed_with: ClassVar[Mapping[str, Any]] = {}

    vocab_size: int

    def __post_init__(self):
        for field in dataclasses.fields(self):
            _check_field(field, getattr(self, field.name))
        if self.hidden_size % self.num_attention_heads:
            raise InputError(
                f"num_attention_heads is {self.num_attention_heads}: it must divide hidden_size, {self.hidden_size}"
            )

    @property
    def embedding_width(self) -> int:
        """The width of the tables that tokens are looked up in."""
        return self.hidden_size

    @property
    def longest_sequence(self) -> int:
        """How many tokens there are positions for."""
        return self.max_position_embeddings

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Reads the family's own JSON; keys that it does not have are named on stderr and ignored.

        Raises:
            InputError: `vocab_size` is missing, or a value is impossible.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known - IGNORED_KEYS)
        if unknown:
            print(
                f"note: config keys that {cls.title} does not have are ignored: {', '.join(unknown)}", file=sys.stderr
            )
        if "vocab_size" not in values:
            raise InputError("vocab_size is missing")
        return cls(**{key: value for key, value in values.items() if key in known})

    @classmethod
    def from_hugging_face(cls, values: Mapping[str, Any]) -> Self:
        """Reads what a `config.json` of Hugging Face holds.

        Raises:
            InputError: it describes a model of another family, or one that is not computed here, or an impossible one.
        """
        if values.get("model_type", cls.model_type) != cls.model_type:
            raise InputError(f"model_type is {values['model_type']!r}: {cls.model_type!r} was expected")
        for key, value in cls.computed_with.items():
            if values.get(key, value) != value:
                raise InputError(f"{key} is {values[key]!r}: this {cls.title} computes with {value!r} only")
        values = {cls.renamed.get(key, key): value for key, value in values.items()}
        act = values.get("hidden_act", cls.assumed.get("hidden_act", "gelu"))
        if not isinstance(act, str) or act not in FROM_HUGGING_FACE:
            raise InputError(f"hidden_act is {act!r}: one of {', '.join(FROM_HUGGING_FACE)} was expected")
        fields = {field.name for field in dataclasses.fields(cls)}
        known = {key: value for key, value in values.items() if key in fields}
        return cls.from_dict({**cls.assumed, **known, "hidden_act": FROM_HUGGING_FACE[act]})

    def to_hugging_face(self) -> dict[str, Any]:
        """What `config.json` says of the shape, and of what is computed."""
        theirs = {ours: theirs for theirs, ours in self.renamed.items()}
        values = dataclasses.asdict(self) | {"hidden_act": TO_HUGGING_FACE[self.hidden_act]}
        stated = {key: value for key, value in self.computed_with.items() if value != {}}
        return {theirs.get(key, key): value for key, value in values.items()} | stated | {"model_type": self.model_type}

    def to_json(self) -> str:
        """The config as the family's own code writes it."""
        return json.dumps(dataclasses.asdict(self), indent=2, sort_keys=True) + "\n"


def _check_field(field: dataclasses.Field, value: Any) -> None:
    name = field.name
    if field.type is int:
        least = field.metadata.get("least", 1)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise InputError(f"{name} is {value!r}: a whole number of at least {least} was expected")
    elif name == "hidden_act":
        if not isinstance(value, str) or value not in ACTIVATIONS:
            raise InputError(f"hidden_act is {value!r}: one of {', '.join(ACTIVATIONS)} was expected")
    elif field.type is float:
        _check_number(name, value)


def _check_number(name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name} is {value!r}: a number was expected")
    if name.endswith("_prob") or "dropout" in name:
        if not 0 <= value < 1:
            raise InputError(f"{name} is {value!r}: a probability in [0, 1) was expected")
    elif not value > 0:
        raise InputError(f"{name} is {value!r}: a positive number was expected")
