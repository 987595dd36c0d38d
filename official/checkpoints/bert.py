"""BERT's checkpoints. Our variables have the names of the original's, so only Hugging Face's have to be mapped."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from official.checkpoints.family import Family
from official.checkpoints.names import NameMap, Tied, dense, layer_norm, tensor
from official.errors import InputError
from official.models.bert import Bert, BertConfig, read_config

_OURS, _THEIRS = "bert/encoder/layer_{n}", "bert.encoder.layer.{n}"

NAMES = NameMap(
    [
        tensor("bert/embeddings/{table}_embeddings", "bert.embeddings.{table}_embeddings.weight"),
        layer_norm("bert/embeddings/LayerNorm", "bert.embeddings.LayerNorm"),
        dense(_OURS + "/attention/self/{projection}", _THEIRS + ".attention.self.{projection}"),
        dense(_OURS + "/attention/output/dense", _THEIRS + ".attention.output.dense"),
        layer_norm(_OURS + "/attention/output/LayerNorm", _THEIRS + ".attention.output.LayerNorm"),
        dense(_OURS + "/intermediate/dense", _THEIRS + ".intermediate.dense"),
        dense(_OURS + "/output/dense", _THEIRS + ".output.dense"),
        layer_norm(_OURS + "/output/LayerNorm", _THEIRS + ".output.LayerNorm"),
        dense("bert/pooler/dense", "bert.pooler.dense"),
        dense("cls/predictions/transform/dense", "cls.predictions.transform.dense"),
        layer_norm("cls/predictions/transform/LayerNorm", "cls.predictions.transform.LayerNorm"),
        tensor("cls/predictions/output_bias", "cls.predictions.bias"),
        tensor("cls/seq_relationship/output_weights", "cls.seq_relationship.weight"),
        tensor("cls/seq_relationship/output_bias", "cls.seq_relationship.bias"),
    ],
    prefix="bert.",
    spellings={r"LayerNorm\.gamma$": "LayerNorm.weight", r"LayerNorm\.beta$": "LayerNorm.bias"},
    tied=[
        Tied("cls.predictions.decoder.weight", same_as="bert/embeddings/word_embeddings", head="mlm"),
        Tied("cls.predictions.decoder.bias", same_as="cls/predictions/output_bias", head="mlm"),
    ],
    ignored=["bert.embeddings.position_ids", "bert.embeddings.token_type_ids"],  # Buffers of counting numbers.
)

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
TO_HUGGING_FACE = {"gelu_erf": "gelu", "gelu": "gelu_new", "linear": "linear", "relu": "relu", "tanh": "tanh"}
ARCHITECTURES = {
    (): "BertModel",
    ("mlm",): "BertForMaskedLM",
    ("nsp",): "BertForNextSentencePrediction",
    ("mlm", "nsp"): "BertForPreTraining",
}
# Settings that change what is computed, and the one value that this BERT computes.
FIXED = {
    "add_cross_attention": False,
    "is_decoder": False,
    "layer_norm_eps": 1e-12,
    "position_embedding_type": "absolute",
    "pruned_heads": {},
}


def from_hugging_face(values: Mapping[str, Any]) -> BertConfig:
    """The config that a `config.json` of Hugging Face describes.

    Raises:
        InputError: it describes a model that this BERT is not, or an impossible one.
    """
    for key, value in FIXED.items():
        if values.get(key, value) != value:
            raise InputError(f"{key} is {values[key]!r}: this BERT computes with {value!r} only")
    act = values.get("hidden_act", "gelu")
    if not isinstance(act, str) or act not in FROM_HUGGING_FACE:
        raise InputError(f"hidden_act is {act!r}: one of {', '.join(FROM_HUGGING_FACE)} was expected")
    fields = {field.name for field in dataclasses.fields(BertConfig)}
    known = {key: value for key, value in values.items() if key in fields}
    return BertConfig.from_dict({"type_vocab_size": 2, **known, "hidden_act": FROM_HUGGING_FACE[act]})


def to_hugging_face(model: Bert) -> dict[str, Any]:
    """What Hugging Face's `config.json` says of a model."""
    heads = tuple(head for head in Bert.HEADS if head in model.heads)
    return {
        **dataclasses.asdict(model.config),
        **{key: value for key, value in FIXED.items() if key != "pruned_heads"},
        "architectures": [ARCHITECTURES[heads]],
        "hidden_act": TO_HUGGING_FACE[model.config.hidden_act],
        "model_type": "bert",
        "tie_word_embeddings": True,
    }


def build(config: BertConfig, parts: set[str]) -> Bert:
    """A BERT that has these parts, and answers with all that can be looked at."""
    return Bert(
        config,
        [head for head in Bert.HEADS if head in parts],
        pooler=bool(parts & {"pooler", "nsp"}),
        output_hidden_states=True,
        output_attention_probs=True,
    )


BERT = Family(
    model=Bert,
    config=BertConfig,
    build=build,
    parts={"pooler": "bert/pooler/", "mlm": "cls/predictions/", "nsp": "cls/seq_relationship/"},
    tf1_config_file="bert_config.json",
    read_tf1_config=read_config,
    model_type="bert",
    names=NAMES,
    from_hugging_face=from_hugging_face,
    to_hugging_face=to_hugging_face,
)
