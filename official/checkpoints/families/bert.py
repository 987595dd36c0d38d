"""BERT's checkpoints. Our variables have the names of the original's, so only Hugging Face's have to be mapped."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any

from official.checkpoints import labels
from official.checkpoints.families import bert_keras_hub
from official.checkpoints.family import Family
from official.checkpoints.names import NameMap, Tied, classification, dense, layer_norm, tensor
from official.models.bert import COMPUTED_WITH, Bert, BertConfig, read_config

_OURS, _THEIRS = "bert/encoder/layer_{n}", "bert.encoder.layer.{n}"


SHARED = NameMap(
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
        classification("cls/seq_relationship/", "cls.seq_relationship"),
        classification("cls/squad/", "qa_outputs"),
    ],
    prefix="bert.",
    spellings={r"LayerNorm\.gamma$": "LayerNorm.weight", r"LayerNorm\.beta$": "LayerNorm.bias"},
    tied=[
        Tied("cls.predictions.decoder.weight", same_as="bert/embeddings/word_embeddings", head="mlm"),
        Tied("cls.predictions.decoder.bias", same_as="cls/predictions/output_bias", head="mlm"),
    ],
    ignored=["bert.embeddings.position_ids", "bert.embeddings.token_type_ids"],  # Buffers of counting numbers.
)
# `classifier` is the name of two heads there; only the config says of which.
NAMES = SHARED.with_rules(classification("", "classifier"))
TAGGING_NAMES = SHARED.with_rules(classification("cls/tagging/", "classifier"))


def names_of(values: Mapping[str, Any]) -> NameMap:
    """The names that go with a `config.json`."""
    architectures = values.get("architectures")
    tagging = isinstance(architectures, list) and ARCHITECTURES[("token_classification",)] in architectures
    return TAGGING_NAMES if tagging else NAMES


TO_HUGGING_FACE = {"gelu_erf": "gelu", "gelu": "gelu_new", "linear": "linear", "relu": "relu", "tanh": "tanh"}
ARCHITECTURES = {
    (): "BertModel",
    ("mlm",): "BertForMaskedLM",
    ("nsp",): "BertForNextSentencePrediction",
    ("mlm", "nsp"): "BertForPreTraining",
    ("sequence_classification",): "BertForSequenceClassification",
    ("token_classification",): "BertForTokenClassification",
    ("question_answering",): "BertForQuestionAnswering",
}


def to_hugging_face(model: Bert) -> dict[str, Any]:
    """What Hugging Face's `config.json` says of a model."""
    heads = tuple(head for head in Bert.HEADS if head in model.heads)
    # Of a model with more heads than any of theirs, they read the encoder and the one that was fine-tuned.
    architecture = ARCHITECTURES.get(heads) or ARCHITECTURES[heads[-1:]]
    return {
        **dataclasses.asdict(model.config),
        **{key: value for key, value in COMPUTED_WITH.items() if key != "pruned_heads"},
        "architectures": [architecture],
        "hidden_act": TO_HUGGING_FACE[model.config.hidden_act],
        "model_type": "bert",
        "tie_word_embeddings": True,
    } | labels.to_config(model.labels, model.label_type)


def sizes(config: BertConfig) -> str:
    """The shape in a line."""
    return (
        f"layers {config.num_hidden_layers}, width {config.hidden_size:,}, attention heads "
        f"{config.num_attention_heads}, feed-forward {config.intermediate_size:,}, vocabulary {config.vocab_size:,}, "
        f"positions {config.max_position_embeddings:,}, segments {config.type_vocab_size}"
    )


def tf1_notes(config: BertConfig) -> list[str]:
    """What google-research/bert makes of a config."""
    notes = []
    if config.hidden_act == "gelu_erf":
        notes.append(
            "google-research/bert has no exact gelu and refuses hidden_act 'gelu_erf'; its 'gelu' is the tanh form, "
            "which differs by up to 5e-4"
        )
    if config.layer_norm_eps != BertConfig.layer_norm_eps:
        notes.append(f"google-research/bert computes with layer_norm_eps 1e-12, this model has {config.layer_norm_eps}")
    return notes


def build(config: BertConfig, parts: Collection[str], label_names: tuple[str, ...] = ()) -> Bert:
    """A BERT that has these parts, and answers with all that can be looked at."""
    return Bert(
        config,
        [head for head in Bert.HEADS if head in parts],
        labels=label_names,
        pooler=not Bert.WITH_POOLER.isdisjoint(parts) or "pooler" in parts,
        output_hidden_states=True,
        output_attention_probs=True,
    )


BERT = Family(
    model=Bert,
    config=BertConfig,
    build=build,
    encoder="bert/",
    parts={
        "pooler": "bert/pooler/",
        "mlm": "cls/predictions/",
        "nsp": "cls/seq_relationship/",
        "sequence_classification": "output_",
        "token_classification": "cls/tagging/",
        "question_answering": "cls/squad/",
    },
    labelled={"sequence_classification": "output_bias", "token_classification": "cls/tagging/output_bias"},
    seen={
        "vocab_size": ("bert/embeddings/word_embeddings", 0),
        "hidden_size": ("bert/embeddings/word_embeddings", 1),
        "max_position_embeddings": ("bert/embeddings/position_embeddings", 0),
        "type_vocab_size": ("bert/embeddings/token_type_embeddings", 0),
        "intermediate_size": ("bert/encoder/layer_0/intermediate/dense/kernel", 1),
    },
    layer=("num_hidden_layers", "bert/encoder/layer_{n}/"),
    unseen=("hidden_act", "num_attention_heads", "layer_norm_eps"),
    vocabulary_tables=("bert/embeddings/word_embeddings", "cls/predictions/output_bias"),
    position_tables=("bert/embeddings/position_embeddings",),
    sizes=sizes,
    tf1_config_file="bert_config.json",
    read_tf1_config=read_config,
    tf1_notes=tf1_notes,
    model_type="bert",
    names_of=names_of,
    from_hugging_face=BertConfig.from_hugging_face,
    to_hugging_face=to_hugging_face,
    keras_hub=bert_keras_hub.PRESETS,
)
