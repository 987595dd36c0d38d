"""DistilBERT's checkpoints: BERT's encoder with names of its own. There is no TensorFlow 1 form."""

from official.checkpoints.families import bert
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

DISTILBERT = bert.descendant(
    DistilBert,
    DistilBertConfig,
    {},
    seen={field: shown for field, shown in bert.seen("distilbert").items() if field != "type_vocab_size"},
    unseen=("hidden_act", "num_attention_heads"),
    architectures=bert.architectures("DistilBert"),
    names=NAMES,
    tagging_names=TAGGING_NAMES,
)
