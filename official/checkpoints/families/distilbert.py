"""DistilBERT's checkpoints: BERT's encoder with names of its own. There is no TensorFlow 1 form."""

from collections.abc import Mapping
from typing import Any

from official.checkpoints.families import bert
from official.checkpoints.family import Family
from official.checkpoints.names import NameMap, Tied, classification, dense, layer_norm, tensor
from official.models.distilbert import DistilBert, DistilBertConfig

_OURS, _THEIRS = "distilbert/encoder/layer_{n}", "distilbert.transformer.layer.{n}"
SHARED = NameMap(
    [
        tensor("distilbert/embeddings/{table}_embeddings", "distilbert.embeddings.{table}_embeddings.weight"),
        layer_norm("distilbert/embeddings/LayerNorm", "distilbert.embeddings.LayerNorm"),
        dense(_OURS + "/attention/self/query", _THEIRS + ".attention.q_lin"),
        dense(_OURS + "/attention/self/key", _THEIRS + ".attention.k_lin"),
        dense(_OURS + "/attention/self/value", _THEIRS + ".attention.v_lin"),
        dense(_OURS + "/attention/output/dense", _THEIRS + ".attention.out_lin"),
        layer_norm(_OURS + "/attention/output/LayerNorm", _THEIRS + ".sa_layer_norm"),
        dense(_OURS + "/intermediate/dense", _THEIRS + ".ffn.lin1"),
        dense(_OURS + "/output/dense", _THEIRS + ".ffn.lin2"),
        layer_norm(_OURS + "/output/LayerNorm", _THEIRS + ".output_layer_norm"),
        dense("cls/predictions/transform/dense", "vocab_transform"),
        layer_norm("cls/predictions/transform/LayerNorm", "vocab_layer_norm"),
        tensor("cls/predictions/output_bias", "vocab_projector.bias"),
        dense("cls/classification/dense", "pre_classifier"),
        classification("cls/squad/", "qa_outputs"),
    ],
    prefix="distilbert.",
    tied=[Tied("vocab_projector.weight", same_as="distilbert/embeddings/word_embeddings", head="mlm")],
    ignored=["distilbert.embeddings.position_ids"],
)
# `classifier` is the name of two heads there; only the config says of which.
NAMES = SHARED.with_rules(classification("cls/classification/output/", "classifier"))
TAGGING_NAMES = SHARED.with_rules(classification("cls/tagging/", "classifier"))
ARCHITECTURES = {
    (): "DistilBertModel",
    ("mlm",): "DistilBertForMaskedLM",
    ("sequence_classification",): "DistilBertForSequenceClassification",
    ("token_classification",): "DistilBertForTokenClassification",
    ("question_answering",): "DistilBertForQuestionAnswering",
}


def names_of(values: Mapping[str, Any]) -> NameMap:
    """The names that go with a `config.json`."""
    return TAGGING_NAMES if bert.is_architecture(values, ARCHITECTURES[("token_classification",)]) else NAMES


def to_hugging_face(model: DistilBert) -> dict[str, Any]:
    """What Hugging Face's `config.json` says of a model."""
    return bert.hugging_face_config(model, ARCHITECTURES)


DISTILBERT = Family(
    model=DistilBert,
    config=DistilBertConfig,
    build=bert.builder(DistilBert),
    encoder="distilbert/",
    parts={
        "mlm": "cls/predictions/",
        "sequence_classification": "cls/classification/",
        "token_classification": "cls/tagging/",
        "question_answering": "cls/squad/",
    },
    labelled={
        "sequence_classification": "cls/classification/output/output_bias",
        "token_classification": "cls/tagging/output_bias",
    },
    seen={field: shown for field, shown in bert.seen("distilbert").items() if field != "type_vocab_size"},
    layer=("num_hidden_layers", "distilbert/encoder/layer_{n}/"),
    unseen=("hidden_act", "num_attention_heads"),
    vocabulary_tables=("distilbert/embeddings/word_embeddings", "cls/predictions/output_bias"),
    position_tables=("distilbert/embeddings/position_embeddings",),
    sizes=bert.sizes,
    model_type="distilbert",
    names_of=names_of,
    from_hugging_face=DistilBertConfig.from_hugging_face,
    to_hugging_face=to_hugging_face,
)
