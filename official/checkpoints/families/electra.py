"""ELECTRA's checkpoints: a discriminator or a generator, each with BERT's encoder under another name."""

from official.checkpoints.families import bert
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

ELECTRA = bert.descendant(
    Electra,
    ElectraConfig,
    {"rtd": "cls/discriminator_predictions/"},
    seen=bert.seen("electra")
    | {
        "embedding_size": ("electra/embeddings/word_embeddings", 1),
        "hidden_size": ("electra/encoder/layer_0/intermediate/dense/kernel", 0),
    },
    architectures=bert.architectures("Electra", (("rtd",), "ForPreTraining")),
    names=NAMES,
)
