"""RoBERTa's checkpoints: BERT's encoder under another name, and heads of its own. There is no TensorFlow 1 form."""

from collections.abc import Mapping
from typing import Any

from official.checkpoints.families import bert
from official.checkpoints.family import Family
from official.checkpoints.names import NameMap, Tied, classification, dense, layer_norm, tensor
from official.models.roberta import Roberta, RobertaConfig

SHARED = NameMap(
    [
        *bert.encoder_rules("roberta"),
        dense("cls/predictions/transform/dense", "lm_head.dense"),
        layer_norm("cls/predictions/transform/LayerNorm", "lm_head.layer_norm"),
        tensor("cls/predictions/output_bias", "lm_head.bias"),
        dense("cls/classification/dense", "classifier.dense"),
        classification("cls/classification/output/", "classifier.out_proj"),
        classification("cls/squad/", "qa_outputs"),
    ],
    prefix="roberta.",
    spellings=bert.OLD_SPELLINGS,
    tied=[
        Tied("lm_head.decoder.weight", same_as="roberta/embeddings/word_embeddings", head="mlm"),
        Tied("lm_head.decoder.bias", same_as="cls/predictions/output_bias", head="mlm"),
    ],
    ignored=["roberta.embeddings.position_ids", "roberta.embeddings.token_type_ids"],
)
NAMES = SHARED.with_rules(classification("cls/tagging/", "classifier"))
ARCHITECTURES = {
    (): "RobertaModel",
    ("mlm",): "RobertaForMaskedLM",
    ("sequence_classification",): "RobertaForSequenceClassification",
    ("token_classification",): "RobertaForTokenClassification",
    ("question_answering",): "RobertaForQuestionAnswering",
}


def to_hugging_face(model: Roberta) -> dict[str, Any]:
    """What Hugging Face's `config.json` says of a model."""
    return bert.hugging_face_config(model, ARCHITECTURES)


def names_of(values: Mapping[str, Any]) -> NameMap:
    """The names that go with a `config.json`: always the same."""
    del values
    return NAMES


ROBERTA = Family(
    model=Roberta,
    config=RobertaConfig,
    build=bert.builder(Roberta),
    encoder="roberta/",
    parts={
        "pooler": "roberta/pooler/",
        "mlm": "cls/predictions/",
        "sequence_classification": "cls/classification/",
        "token_classification": "cls/tagging/",
        "question_answering": "cls/squad/",
    },
    labelled={
        "sequence_classification": "cls/classification/output/output_bias",
        "token_classification": "cls/tagging/output_bias",
    },
    seen=bert.seen("roberta"),
    layer=("num_hidden_layers", "roberta/encoder/layer_{n}/"),
    unseen=("hidden_act", "num_attention_heads", "layer_norm_eps", "pad_token_id"),
    vocabulary_tables=("roberta/embeddings/word_embeddings", "cls/predictions/output_bias"),
    position_tables=("roberta/embeddings/position_embeddings",),
    sizes=bert.sizes,
    model_type="roberta",
    names_of=names_of,
    from_hugging_face=RobertaConfig.from_hugging_face,
    to_hugging_face=to_hugging_face,
)
