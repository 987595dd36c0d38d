"""BERT (Devlin et al. 2019, arXiv:1810.04805): config, released shapes, encoder and heads."""

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from official import files, layers
from official.errors import InputError
from official.layers.activations import ACTIVATIONS


@dataclasses.dataclass(frozen=True, kw_only=True)
class BertConfig:
    """The shape of a BERT, with the fields and defaults of the original's `bert_config.json` (modeling.py:30-80)."""

    vocab_size: int
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3_072  # 4 × hidden_size in every released model
    hidden_act: str = "gelu"  # the tanh form, as in the original; `gelu_erf` is the exact one
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 16  # the original's default; 2 in every released config
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12  # fixed in the original; a field of its descendants

    def __post_init__(self):
        for field in dataclasses.fields(self):
            _check_field(field.name, getattr(self, field.name))
        if self.hidden_size % self.num_attention_heads:
            raise InputError(
                f"num_attention_heads is {self.num_attention_heads}: it must divide hidden_size, {self.hidden_size}"
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "BertConfig":
        """Reads what a `bert_config.json` holds; keys that BERT does not have are named on stderr and ignored.

        Raises:
            InputError: `vocab_size` is missing, or a value is impossible.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known - IGNORED_KEYS)
        if unknown:
            print(f"note: config keys that BERT does not have are ignored: {', '.join(unknown)}", file=sys.stderr)
        if "vocab_size" not in values:
            raise InputError("vocab_size is missing")
        return cls(**{key: value for key, value in values.items() if key in known})

    @classmethod
    def from_hugging_face(cls, values: Mapping[str, Any]) -> "BertConfig":
        """Reads what a `config.json` of Hugging Face holds.

        Raises:
            InputError: it describes a model that this BERT is not, or an impossible one.
        """
        if values.get("model_type", "bert") != "bert":
            raise InputError(f"model_type is {values['model_type']!r}: 'bert' was expected")
        for key, value in COMPUTED_WITH.items():
            if values.get(key, value) != value:
                raise InputError(f"{key} is {values[key]!r}: this BERT computes with {value!r} only")
        act = values.get("hidden_act", "gelu")
        if not isinstance(act, str) or act not in FROM_HUGGING_FACE:
            raise InputError(f"hidden_act is {act!r}: one of {', '.join(FROM_HUGGING_FACE)} was expected")
        fields = {field.name for field in dataclasses.fields(cls)}
        known = {key: value for key, value in values.items() if key in fields}
        return cls.from_dict({"type_vocab_size": 2, **known, "hidden_act": FROM_HUGGING_FACE[act]})

    def to_json(self) -> str:
        """The config as the original writes it: what it has no field for is left out where it is as in the original."""
        values = dataclasses.asdict(self)
        if self.layer_norm_eps == BertConfig.layer_norm_eps:
            del values["layer_norm_eps"]
        return json.dumps(values, indent=2, sort_keys=True) + "\n"


# Hugging Face's `gelu` is the exact form, the original's is the tanh form.
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
# Settings of Hugging Face's that change what is computed, and the one value that this BERT computes with.
COMPUTED_WITH = {
    "add_cross_attention": False,
    "is_decoder": False,
    "position_embedding_type": "absolute",
    "pruned_heads": {},
}
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
_WHOLE_NUMBERS = frozenset({
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size",
    "max_position_embeddings", "type_vocab_size",
})  # fmt: skip


def _check_field(name: str, value: Any) -> None:
    if name in _WHOLE_NUMBERS:
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{name} is {value!r}: a whole number of at least 1 was expected")
    elif name == "hidden_act":
        if not isinstance(value, str) or value not in ACTIVATIONS:
            raise InputError(f"hidden_act is {value!r}: one of {', '.join(ACTIVATIONS)} was expected")
    elif isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{name} is {value!r}: a number was expected")
    elif name in ("initializer_range", "layer_norm_eps"):
        if not value > 0:
            raise InputError(f"{name} is {value!r}: a positive number was expected")
    elif not 0 <= value < 1:
        raise InputError(f"{name} is {value!r}: a probability in [0, 1) was expected")


def _shape(num_layers: int, hidden_size: int, vocab_size: int = 30_522) -> BertConfig:
    """A released shape: heads of 64, feed-forward of 4 × hidden_size, two token types."""
    return BertConfig(
        vocab_size=vocab_size,
        hidden_size=hidden_size,
        num_hidden_layers=num_layers,
        num_attention_heads=hidden_size // 64,
        intermediate_size=4 * hidden_size,
        type_vocab_size=2,
    )


# The 24 small models (Turc et al. 2019, arXiv:1908.08962) under the names of their release, and the shapes with names.
PRESETS: dict[str, BertConfig] = {
    f"uncased_L-{num_layers}_H-{hidden_size}_A-{hidden_size // 64}": _shape(num_layers, hidden_size)
    for num_layers in (2, 4, 6, 8, 10, 12)
    for hidden_size in (128, 256, 512, 768)
} | {
    "bert-tiny": _shape(2, 128),
    "bert-mini": _shape(4, 256),
    "bert-small": _shape(4, 512),
    "bert-medium": _shape(8, 512),
    "bert-base": _shape(12, 768),
    "bert-large": _shape(24, 1024),
    "bert-base-cased": _shape(12, 768, vocab_size=28_996),
    "bert-large-cased": _shape(24, 1024, vocab_size=28_996),
    "bert-base-multilingual-cased": _shape(12, 768, vocab_size=119_547),
    "bert-base-chinese": _shape(12, 768, vocab_size=21_128),
}


def read_config(path_or_preset: str) -> BertConfig:
    """Reads `bert_config.json`, or a `config.json` of Hugging Face, or gives the preset of that name.

    Raises:
        InputError: no such file or preset, not a JSON object, or an impossible value; the file is named.
    """
    if path_or_preset in PRESETS:
        return PRESETS[path_or_preset]
    if not files.exists(path_or_preset) and not path_or_preset.endswith(".json"):
        raise InputError(f"{path_or_preset}: no such file, and no preset of that name ({', '.join(PRESETS)})")
    try:
        with files.open_file(path_or_preset) as file:
            values = json.load(file)
        if not isinstance(values, dict):
            raise InputError("a JSON object was expected")
        return BertConfig.from_hugging_face(values) if "model_type" in values else BertConfig.from_dict(values)
    except json.JSONDecodeError as error:
        raise InputError(f"{path_or_preset}:{error.lineno}: not JSON: {error.msg}") from error
    except InputError as error:
        message = str(error)
        raise InputError(message if path_or_preset in message else f"{path_or_preset}: {message}") from error


# Of the classifiers, whatever hidden_dropout_prob is (run_classifier.py:604).
CLASSIFIER_DROPOUT = 0.1


class BertEncoder(keras.layers.Layer):
    """Embeddings, a stack of blocks, a pooler: everything under `bert/` in a checkpoint."""

    def __init__(self, config: BertConfig, pooler: bool, use_one_hot_embeddings: bool, **kwargs):
        super().__init__(**kwargs)
        self.hidden_size = config.hidden_size
        self.embeddings = layers.Embeddings(
            vocab_size=config.vocab_size,
            hidden_size=config.hidden_size,
            max_position_embeddings=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            dropout_rate=config.hidden_dropout_prob,
            initializer_range=config.initializer_range,
            use_one_hot_embeddings=use_one_hot_embeddings,
            layer_norm_eps=config.layer_norm_eps,
            name="embeddings",
        )
        self.encoder = layers.Transformer(
            num_layers=config.num_hidden_layers,
            num_heads=config.num_attention_heads,
            hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size,
            hidden_act=config.hidden_act,
            hidden_dropout=config.hidden_dropout_prob,
            attention_dropout=config.attention_probs_dropout_prob,
            initializer_range=config.initializer_range,
            layer_norm_eps=config.layer_norm_eps,
            name="encoder",
        )
        self.pooler = layers.Pooler(config.hidden_size, config.initializer_range, name="pooler") if pooler else None

    def build(self, input_shape=None):
        hidden_shape = (None, None, self.hidden_size)
        self.embeddings.build()
        self.encoder.build(hidden_shape)
        if self.pooler is not None:
            self.pooler.build(hidden_shape)

    def call(self, input_ids, input_mask, segment_ids, training=False):
        x = self.embeddings(input_ids, segment_ids, training=training)  # [B, T, H]
        return self.encoder(x, layers.attention_bias(input_mask), training=training)


class Bert(keras.Model):
    """BERT with the heads that are asked for.

    Called with a dict of `input_ids`, and optionally `input_mask` (default: all real), `segment_ids` (default: all 0),
    each int32 [B, T], and `masked_lm_positions` int32 [B, P]. Answers with a dict:

    - `sequence_output` [B, T, H], `pooled_output` [B, H] (with a pooler);
    - for the heads of pretraining, `mlm_logits` [B, P, V], or [B, T, V] without positions, and `nsp_logits` [B, 2];
    - `logits` [B, labels] for `sequence_classification`, [B, T, labels] for `token_classification`, and `start_logits`
      and `end_logits` [B, T] for `question_answering`;
    - `hidden_states`, a list of L + 1 tensors [B, T, H], and `attention_probs`, L tensors [B, N, T, T] before dropout,
      when `output_hidden_states` and `output_attention_probs` ask for them.

    The path of a variable, without the model's own name, is its name in a checkpoint of the original.

    Args:
        config: the shape.
        heads: some of `HEADS`; no two that both answer with `logits`.
        labels: names of the classes of `sequence_classification` or `token_classification`.
        label_type: whether a text has one label (`single`), any number of them (`multi`) or is given a number
            (`regression`); None if that is not known. It changes nothing here and travels with the model.
        pooler: whether there is one; `nsp` and `sequence_classification` need it.
        use_one_hot_embeddings: look words up by a matrix product, as the original does on TPUs.
    """

    HEADS = ("mlm", "nsp", "sequence_classification", "token_classification", "question_answering")
    WITH_LABELS = frozenset({"sequence_classification", "token_classification"})
    WITH_POOLER = frozenset({"nsp", "sequence_classification"})

    def __init__(
        self,
        config: BertConfig,
        heads: Sequence[str] = (),
        *,
        labels: Sequence[str] = (),
        label_type: str | None = None,
        pooler: bool = True,
        output_hidden_states: bool = False,
        output_attention_probs: bool = False,
        use_one_hot_embeddings: bool = False,
        name: str = "model",
    ):
        super().__init__(name=name)
        self._check_heads(set(heads), labels, pooler)
        self.config = config
        self.heads = tuple(heads)
        self.labels, self.label_type = tuple(labels), label_type
        self.output_hidden_states = output_hidden_states
        self.output_attention_probs = output_attention_probs
        self.bert = BertEncoder(config, pooler, use_one_hot_embeddings, name="bert")
        self.mlm = self.nsp = self.classifier = self.squad = None
        if "mlm" in heads:
            self.mlm = layers.MaskedLMHead(
                config.hidden_size,
                config.vocab_size,
                config.hidden_act,
                config.initializer_range,
                config.layer_norm_eps,
                name="predictions",
            )
        if "nsp" in heads:
            self.nsp = layers.ClassificationHead(2, config.initializer_range, name="seq_relationship")
        if "sequence_classification" in heads:
            # With the model's name, and built outside of its scope: the original has these at the root of its graph.
            self.classifier = layers.ClassificationHead(
                len(labels), config.initializer_range, CLASSIFIER_DROPOUT, name=name
            )
            self.classifier.build((None, config.hidden_size))
        if "token_classification" in heads:
            self.classifier = layers.ClassificationHead(
                len(labels), config.initializer_range, CLASSIFIER_DROPOUT, name="tagging"
            )
        if "question_answering" in heads:
            self.squad = layers.ClassificationHead(2, config.initializer_range, name="squad")
        self.build()

    def _check_heads(self, heads: set[str], labels: Sequence[str], pooler: bool) -> None:
        if unknown := heads - set(self.HEADS):
            raise ValueError(f"heads {sorted(unknown)}: some of {self.HEADS} were expected")
        if not pooler and heads & self.WITH_POOLER:
            raise ValueError(f"the heads {sorted(heads & self.WITH_POOLER)} need a pooler")
        if len(heads & self.WITH_LABELS) > 1:
            raise ValueError(f"only one of {sorted(self.WITH_LABELS)} can answer with `logits`")
        if bool(heads & self.WITH_LABELS) != bool(labels):
            raise ValueError(f"heads {sorted(heads)} with {len(labels)} labels")

    def with_config(self, config: BertConfig) -> "Bert":
        """A model with another config and otherwise the same arguments, newly initialised."""
        return type(self)(
            config,
            self.heads,
            labels=self.labels,
            label_type=self.label_type,
            pooler=self.bert.pooler is not None,
            output_hidden_states=self.output_hidden_states,
            output_attention_probs=self.output_attention_probs,
            use_one_hot_embeddings=self.bert.embeddings.use_one_hot_embeddings,
            name=self.name,
        )

    def build(self, input_shape=None):
        hidden_shape = (None, None, self.config.hidden_size)
        self.bert.build()
        with keras.name_scope("cls"):
            for head in (self.mlm, self.nsp, self.classifier, self.squad):
                if head is not None and not head.built:
                    head.build(hidden_shape)
        self.built = True

    def call(self, inputs, training=False):
        input_ids = inputs["input_ids"]
        self._check_length(input_ids.shape[1])
        input_mask = inputs.get("input_mask")
        segment_ids = inputs.get("segment_ids")
        hidden_states, attention_probs = self.bert(
            input_ids,
            tf.ones_like(input_ids) if input_mask is None else input_mask,
            tf.zeros_like(input_ids) if segment_ids is None else segment_ids,
            training=training,
        )
        outputs = {"sequence_output": hidden_states[-1]}
        if self.bert.pooler is not None:
            outputs["pooled_output"] = self.bert.pooler(hidden_states[-1])
        outputs |= self._pretraining_logits(outputs, inputs.get("masked_lm_positions"))
        outputs |= self._fine_tuned_logits(outputs, training)
        if self.output_hidden_states:
            outputs["hidden_states"] = hidden_states
        if self.output_attention_probs:
            outputs["attention_probs"] = attention_probs
        return outputs

    def _pretraining_logits(self, outputs, masked_lm_positions):
        logits = {}
        if self.mlm is not None:
            word_embeddings = self.bert.embeddings.word_embeddings
            logits["mlm_logits"] = self.mlm(outputs["sequence_output"], word_embeddings, masked_lm_positions)
        if self.nsp is not None:
            logits["nsp_logits"] = self.nsp(outputs["pooled_output"])
        return logits

    def _fine_tuned_logits(self, outputs, training):
        logits = {}
        if self.classifier is not None:
            whole = "sequence_classification" in self.heads
            x = outputs["pooled_output" if whole else "sequence_output"]
            logits["logits"] = self.classifier(x, training=training)
        if self.squad is not None:
            start_and_end = self.squad(outputs["sequence_output"])  # [B, T, 2]
            logits["start_logits"], logits["end_logits"] = tf.unstack(start_and_end, axis=-1)
        return logits

    def _check_length(self, length: int | None) -> None:
        if length is not None and length > self.config.max_position_embeddings:
            raise InputError(
                f"sequences of {length} tokens: this model has positions for {self.config.max_position_embeddings}"
            )
