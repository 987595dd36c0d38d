"""BERT's checkpoints. Our variables have the names of the original's, so only Hugging Face's have to be mapped."""

from collections.abc import Mapping
from typing import Any

from official.checkpoints.families import bert_keras_hub
from official.checkpoints.family import Family
from official.checkpoints.names import NameMap, Rule, Tied, classification, dense, layer_norm, tensor
from official.models.bert import Bert, BertConfig

OLD_SPELLINGS = {r"LayerNorm\.gamma$": "LayerNorm.weight", r"LayerNorm\.beta$": "LayerNorm.bias"}


def encoder_rules(scope: str) -> list[tuple[Rule, ...]]:
    """The names of an encoder that is laid out as BERT's, under a scope that is the same on both sides."""
    ours, theirs = scope + "/encoder/layer_{n}", scope + ".encoder.layer.{n}"
    return [
        tensor(scope + "/embeddings/{table}_embeddings", scope + ".embeddings.{table}_embeddings.weight"),
        layer_norm(scope + "/embeddings/LayerNorm", scope + ".embeddings.LayerNorm"),
        dense(ours + "/attention/self/{projection}", theirs + ".attention.self.{projection}"),
        dense(ours + "/attention/output/dense", theirs + ".attention.output.dense"),
        layer_norm(ours + "/attention/output/LayerNorm", theirs + ".attention.output.LayerNorm"),
        dense(ours + "/intermediate/dense", theirs + ".intermediate.dense"),
        dense(ours + "/output/dense", theirs + ".output.dense"),
        layer_norm(ours + "/output/LayerNorm", theirs + ".output.LayerNorm"),
        dense(scope + "/pooler/dense", scope + ".pooler.dense"),
    ]


SHARED = NameMap(
    [
        *encoder_rules("bert"),
        dense("cls/predictions/transform/dense", "cls.predictions.transform.dense"),
        layer_norm("cls/predictions/transform/LayerNorm", "cls.predictions.transform.LayerNorm"),
        tensor("cls/predictions/output_bias", "cls.predictions.bias"),
        classification("cls/seq_relationship/", "cls.seq_relationship"),
        classification("cls/squad/", "qa_outputs"),
    ],
    prefix="bert.",
    spellings=OLD_SPELLINGS,
    tied=[
        Tied("cls.predictions.decoder.weight", same_as="bert/embeddings/word_embeddings", head="mlm"),
        Tied("cls.predictions.decoder.bias", same_as="cls/predictions/output_bias", head="mlm"),
    ],
    ignored=["bert.embeddings.position_ids", "bert.embeddings.token_type_ids"],  # Buffers of counting numbers.
)
# `classifier` is the name of two heads there; only the config says of which.
NAMES = SHARED.with_rules(classification("", "classifier"))
TAGGING_NAMES = SHARED.with_rules(classification("cls/tagging/", "classifier"))


def sizes(config: BertConfig) -> str:
    """The shape in a line."""
    return (
        f"layers {config.num_hidden_layers}, width {config.hidden_size:,}, attention heads "
        f"{config.num_attention_heads}, feed-forward {config.intermediate_size:,}, vocabulary {config.vocab_size:,}, "
        f"positions {config.max_position_embeddings:,}, segments {config.type_vocab_size}"
    )


def tf1_notes(config: BertConfig, original: str = "google-research/bert") -> list[str]:
    """What the original makes of a config."""
    notes = []
    if config.hidden_act == "gelu_erf":
        notes.append(
            f"{original} has no exact gelu and refuses hidden_act 'gelu_erf'; its 'gelu' is the tanh form, "
            "which differs by up to 5e-4"
        )
    if config.layer_norm_eps != BertConfig.layer_norm_eps:
        notes.append(f"{original} computes with layer_norm_eps 1e-12, this model has {config.layer_norm_eps}")
    return notes


def seen(scope: str) -> dict[str, tuple[str, int]]:
    """The fields that the shapes of an encoder laid out as BERT's show."""
    return {
        "vocab_size": (scope + "/embeddings/word_embeddings", 0),
        "hidden_size": (scope + "/embeddings/word_embeddings", 1),
        "max_position_embeddings": (scope + "/embeddings/position_embeddings", 0),
        "type_vocab_size": (scope + "/embeddings/token_type_embeddings", 0),
        "intermediate_size": (scope + "/encoder/layer_0/intermediate/dense/kernel", 1),
    }


def descendant(model: type[Bert], config: type[BertConfig], own: Mapping[str, str], **others: Any) -> Family:
    """A family whose encoder is laid out as BERT's, and which has a dense layer in a text's classifier.

    Args:
        own: of its heads, those of pretraining beside `mlm`, and of what may be absent.
        others: fields of `Family`.
    """
    labelled = {"sequence_classification": "cls/classification/output/", "token_classification": "cls/tagging/"}
    return Family(
        **{
            "model": model,
            "config": config,
            "parts": {
                **own,
                "mlm": "cls/predictions/",
                "sequence_classification": "cls/classification/",
                "token_classification": "cls/tagging/",
                "question_answering": "cls/squad/",
            },
            "labelled": {head: f"{start}output_bias" for head, start in labelled.items()},
            "seen": seen(model.SCOPE),
            "layer": ("num_hidden_layers", model.SCOPE + "/encoder/layer_{n}/"),
            "unseen": ("hidden_act", "num_attention_heads", "layer_norm_eps"),
            "sizes": sizes,
        }
        | others
    )


def architectures(name: str, *pretraining: tuple[tuple[str, ...], str]) -> dict[tuple[str, ...], str]:
    """Hugging Face's classes of a family: heads, and `name` with what stands behind it."""
    endings = {
        (): "Model",
        ("mlm",): "ForMaskedLM",
        **dict(pretraining),
        ("sequence_classification",): "ForSequenceClassification",
        ("token_classification",): "ForTokenClassification",
        ("question_answering",): "ForQuestionAnswering",
    }
    return {heads: name + ending for heads, ending in endings.items()}


BERT = Family(
    model=Bert,
    config=BertConfig,
    parts={
        "pooler": "bert/pooler/",
        "mlm": "cls/predictions/",
        "nsp": "cls/seq_relationship/",
        "sequence_classification": "output_",
        "token_classification": "cls/tagging/",
        "question_answering": "cls/squad/",
    },
    labelled={"sequence_classification": "output_bias", "token_classification": "cls/tagging/output_bias"},
    seen=seen("bert"),
    layer=("num_hidden_layers", "bert/encoder/layer_{n}/"),
    unseen=("hidden_act", "num_attention_heads", "layer_norm_eps"),
    sizes=sizes,
    tf1_config_file="bert_config.json",
    tf1_notes=tf1_notes,
    architectures=architectures(
        "Bert",
        (("nsp",), "ForNextSentencePrediction"),
        (("mlm", "nsp"), "ForPreTraining"),
    ),
    names=NAMES,
    tagging_names=TAGGING_NAMES,
    keras_hub=bert_keras_hub.PRESETS,
)
