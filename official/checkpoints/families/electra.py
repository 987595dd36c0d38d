"""ELECTRA's checkpoints: a discriminator or a generator, each with BERT's encoder under another name."""

from collections.abc import Mapping
from typing import Any

from official.checkpoints.families import bert
from official.checkpoints.family import Family
from official.checkpoints.names import NameMap, Tied, classification, dense, layer_norm, tensor
from official.models.electra import Electra, ElectraConfig

SHARED = NameMap(
    [
        *bert.encoder_rules("electra"),
        dense("electra/embeddings_project", "electra.embeddings_project"),
        dense("cls/predictions/transform/dense", "generator_predictions.dense"),
        layer_norm("cls/predictions/transform/LayerNorm", "generator_predictions.LayerNorm"),
        tensor("cls/predictions/output_bias", "generator_lm_head.bias"),
        dense("cls/discriminator_predictions/dense", "discriminator_predictions.dense"),
        dense("cls/discriminator_predictions/prediction", "discriminator_predictions.dense_prediction"),
        dense("cls/classification/dense", "classifier.dense"),
        classification("cls/classification/output/", "classifier.out_proj"),
        classification("cls/squad/", "qa_outputs"),
    ],
    prefix="electra.",
    spellings=bert.OLD_SPELLINGS,
    tied=[Tied("generator_lm_head.weight", same_as="electra/embeddings/word_embeddings", head="mlm")],
    ignored=["electra.embeddings.position_ids", "electra.embeddings.token_type_ids"],
)
NAMES = SHARED.with_rules(classification("cls/tagging/", "classifier"))
ARCHITECTURES = {
    (): "ElectraModel",
    ("mlm",): "ElectraForMaskedLM",
    ("rtd",): "ElectraForPreTraining",
    ("sequence_classification",): "ElectraForSequenceClassification",
    ("token_classification",): "ElectraForTokenClassification",
    ("question_answering",): "ElectraForQuestionAnswering",
}


def names_of(values: Mapping[str, Any]) -> NameMap:
    """The names that go with a `config.json`: always the same."""
    del values
    return NAMES


def to_hugging_face(model: Electra) -> dict[str, Any]:
    """What Hugging Face's `config.json` says of a model."""
    return bert.hugging_face_config(model, ARCHITECTURES)


ELECTRA = Family(
    model=Electra,
    config=ElectraConfig,
    build=bert.builder(Electra),
    encoder="electra/",
    parts={
        "mlm": "cls/predictions/",
        "rtd": "cls/discriminator_predictions/",
        "sequence_classification": "cls/classification/",
        "token_classification": "cls/tagging/",
        "question_answering": "cls/squad/",
    },
    labelled={
        "sequence_classification": "cls/classification/output/output_bias",
        "token_classification": "cls/tagging/output_bias",
    },
    seen=bert.seen("electra")
    | {
        "embedding_size": ("electra/embeddings/word_embeddings", 1),
        "hidden_size": ("electra/encoder/layer_0/intermediate/dense/kernel", 0),
    },
    layer=("num_hidden_layers", "electra/encoder/layer_{n}/"),
    unseen=("hidden_act", "num_attention_heads", "layer_norm_eps"),
    vocabulary_tables=("electra/embeddings/word_embeddings", "cls/predictions/output_bias"),
    position_tables=("electra/embeddings/position_embeddings",),
    sizes=bert.sizes,
    model_type="electra",
    names_of=names_of,
    from_hugging_face=ElectraConfig.from_hugging_face,
    to_hugging_face=to_hugging_face,
)
