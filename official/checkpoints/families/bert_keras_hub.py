"""BERT in keras-hub's presets: names, settings, and what it computes otherwise (keras_hub 0.32)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from official.checkpoints.family import KerasHub
from official.checkpoints.names import NameMap, Rule, keras_layer
from official.errors import InputError
from official.models.bert import BertConfig

_MODEL, _TASK = "model.weights.h5/layers", "task.weights.h5/layers"
_OURS, _THEIRS = "bert/encoder/layer_{n}", _MODEL + "/transformer_encoder{_n}"


def _dense(ours: str, theirs: str) -> tuple[Rule, ...]:
    return keras_layer(theirs, f"{ours}/kernel", f"{ours}/bias")


def _layer_norm(ours: str, theirs: str) -> tuple[Rule, ...]:
    return keras_layer(theirs, f"{ours}/gamma", f"{ours}/beta")


def _projection(name: str) -> tuple[Rule, ...]:
    """Kernel [H, N, size] and bias [N, size] of queries, keys or values."""
    theirs = f"{_THEIRS}/_self_attention_layer/{name}_dense/vars"
    ours = f"{_OURS}/attention/self/{name}"
    return Rule(f"{ours}/kernel", f"{theirs}/0", heads_axis=1), Rule(f"{ours}/bias", f"{theirs}/1", heads_axis=0)


def _output_projection() -> tuple[Rule, ...]:
    """Kernel [N, size, H] and bias [H]."""
    theirs = f"{_THEIRS}/_self_attention_layer/output_dense/vars"
    ours = f"{_OURS}/attention/output/dense"
    return Rule(f"{ours}/kernel", f"{theirs}/0", heads_axis=0), Rule(f"{ours}/bias", f"{theirs}/1")


_BACKBONE = (
    keras_layer(_MODEL + "/reversible_embedding", "bert/embeddings/word_embeddings"),
    keras_layer(_MODEL + "/position_embedding", "bert/embeddings/position_embeddings"),
    keras_layer(_MODEL + "/embedding", "bert/embeddings/token_type_embeddings"),
    _layer_norm("bert/embeddings/LayerNorm", _MODEL + "/layer_normalization"),
    _projection("query"),
    _projection("key"),
    _projection("value"),
    _output_projection(),
    _layer_norm(_OURS + "/attention/output/LayerNorm", _THEIRS + "/_self_attention_layer_norm"),
    _dense(_OURS + "/intermediate/dense", _THEIRS + "/_feedforward_intermediate_dense"),
    _dense(_OURS + "/output/dense", _THEIRS + "/_feedforward_output_dense"),
    _layer_norm(_OURS + "/output/LayerNorm", _THEIRS + "/_feedforward_layer_norm"),
    _dense("bert/pooler/dense", _MODEL + "/dense"),
)
_HEADS = {
    None: (),
    "mlm": (
        _dense("cls/predictions/transform/dense", _TASK + "/masked_lm_head/_intermediate_dense"),
        _layer_norm("cls/predictions/transform/LayerNorm", _TASK + "/masked_lm_head/_intermediate_layer_norm"),
        keras_layer(_TASK + "/masked_lm_head", "cls/predictions/output_bias"),
    ),
    # On the backbone's pooled output; it has no dense layer of its own (bert_text_classifier.py:153-157).
    "sequence_classification": (keras_layer(_TASK + "/dense", "output_weights", "output_bias", transposed=True),),
}
# What Keras's loader also accepts: it looks for layers in both places (saving_lib.py:1410-1416), and for the parts of
# a layer under every name of the attribute, public or private (saving_lib.py:738-765).
_SPELLINGS = {
    r"/_layer_checkpoint_dependencies/": "/layers/",
    r"/_(query|key|value|output)_dense/vars/": r"/\1_dense/vars/",
}


def names_of(head: str | None) -> NameMap:
    """The tensors of a backbone and of the head that stands on it."""
    return NameMap([*_BACKBONE, *_HEADS[head]], prefix="model.weights.h5/", spellings=_SPELLINGS)


# Settings of a BertBackbone and our fields. It has one rate of dropout.
_FIELDS = {
    "vocabulary_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "hidden_dim": "hidden_size",
    "intermediate_dim": "intermediate_size",
    "dropout": "hidden_dropout_prob",
    "max_sequence_length": "max_position_embeddings",
    "num_segments": "type_vocab_size",
}
_DEFAULTS = {"dropout": 0.1, "max_sequence_length": 512, "num_segments": 2}  # bert_backbone.py:75-86
_OF_EVERY_LAYER = {"name", "trainable", "dtype"}


def from_preset(settings: Mapping[str, Any]) -> BertConfig:
    """The config that the settings of a BertBackbone describe.

    Raises:
        InputError: a setting is missing, unknown or impossible.
    """
    if unknown := settings.keys() - _FIELDS.keys() - _OF_EVERY_LAYER:
        raise InputError(f"{min(unknown)!r} is no setting of a BertBackbone")
    settings = _DEFAULTS | settings
    if missing := _FIELDS.keys() - settings.keys():
        raise InputError(f"{min(missing)} is missing")
    values = {ours: settings[theirs] for theirs, ours in _FIELDS.items()}
    # The tanh form in the encoder (bert_backbone.py:131).
    return BertConfig(**values, hidden_act="gelu", attention_probs_dropout_prob=values["hidden_dropout_prob"])


def to_preset(config: BertConfig) -> dict[str, Any]:
    """The settings of a BertBackbone.

    Raises:
        InputError: no BertBackbone computes what the config asks for.
    """
    if config.hidden_act not in ("gelu", "gelu_erf"):
        raise InputError(f"hidden_act is {config.hidden_act!r}: keras-hub's BERT computes with gelu only")
    if config.layer_norm_eps != 1e-12:
        raise InputError(f"layer_norm_eps is {config.layer_norm_eps}: keras-hub's BERT computes with 1e-12 only")
    return {theirs: getattr(config, ours) for theirs, ours in _FIELDS.items()}


def notes(config: BertConfig, head: str | None) -> list[str]:
    """What keras-hub computes otherwise than a model with this config."""
    found = []
    if config.hidden_act == "gelu_erf":
        found.append(
            "keras-hub's encoder computes the tanh form of gelu, this model the exact one: activations differ by up "
            "to 5e-4"
        )
    # It names the activation "gelu", Keras's exact form, and no epsilon (bert_masked_lm.py:93-100).
    if head == "mlm":
        other = "the exact form of gelu and " if config.hidden_act == "gelu" else ""
        found.append(f"keras-hub's masked LM head computes with {other}a layer norm's epsilon of 1e-5: logits differ")
    if config.attention_probs_dropout_prob != config.hidden_dropout_prob:
        found.append(f"keras-hub has one rate of dropout, {config.hidden_dropout_prob}, for the attention as well")
    return found


PRESETS = KerasHub(
    name="Bert",
    package="bert",
    tasks={"mlm": "MaskedLM", "sequence_classification": "TextClassifier"},
    always=("pooler",),
    names_of=names_of,
    from_preset=from_preset,
    to_preset=to_preset,
    extra=tuple(
        field.name
        for field in dataclasses.fields(BertConfig)
        if field.name not in (*_FIELDS.values(), "layer_norm_eps")
    ),
    notes=notes,
)
