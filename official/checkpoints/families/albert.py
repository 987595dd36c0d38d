"""ALBERT's checkpoints: blocks that layers have in common, under the names of Hugging Face and of the original."""

import functools

from official.checkpoints.families import bert
from official.checkpoints.family import Family
from official.checkpoints.names import NameMap, Rule, Tied, classification, dense, layer_norm, tensor
from official.models.albert import Albert, AlbertConfig


def _block(ours: str, theirs: str) -> list[tuple[Rule, ...]]:
    return [
        *(dense(f"{ours}/attention/self/{name}", f"{theirs}.attention.{name}") for name in ("query", "key", "value")),
        dense(ours + "/attention/output/dense", theirs + ".attention.dense"),
        layer_norm(ours + "/attention/output/LayerNorm", theirs + ".attention.LayerNorm"),
        dense(ours + "/intermediate/dense", theirs + ".ffn"),
        dense(ours + "/output/dense", theirs + ".ffn_output"),
        layer_norm(ours + "/output/LayerNorm", theirs + ".full_layer_layer_norm"),
    ]


def _stored_as_is(ours: str, theirs: str) -> tuple[Rule, ...]:
    """A dense layer, or a layer normalisation, in TensorFlow's own layout."""
    return (Rule(ours + "/{part}", theirs + "/{part}"),)


SHARED = NameMap(
    [
        tensor("albert/embeddings/{table}_embeddings", "albert.embeddings.{table}_embeddings.weight"),
        layer_norm("albert/embeddings/LayerNorm", "albert.embeddings.LayerNorm"),
        dense("albert/embedding_hidden_mapping_in", "albert.encoder.embedding_hidden_mapping_in"),
        *_block("albert/encoder/group_{n}_inner_{m}", "albert.encoder.albert_layer_groups.{n}.albert_layers.{m}"),
        # Of layers that have only half of a block in common: Hugging Face has no such thing.
        *_block("albert/encoder/layer_{n}_inner_{m}", "albert.encoder.layers.{n}.inner.{m}"),
        dense("albert/pooler/dense", "albert.pooler"),
        dense("cls/predictions/transform/dense", "predictions.dense"),
        layer_norm("cls/predictions/transform/LayerNorm", "predictions.LayerNorm"),
        tensor("cls/predictions/output_bias", "predictions.bias"),
        classification("cls/sentence_order/", "sop_classifier.classifier"),
        classification("cls/squad/", "qa_outputs"),
    ],
    prefix="albert.",
    spellings=bert.OLD_SPELLINGS,
    tied=[
        Tied("predictions.decoder.weight", same_as="albert/embeddings/word_embeddings", head="mlm"),
        Tied("predictions.decoder.bias", same_as="cls/predictions/output_bias", head="mlm"),
    ],
    ignored=["albert.embeddings.position_ids", "albert.embeddings.token_type_ids"],
)
# `classifier` is the name of two heads there; only the config says of which.
NAMES = SHARED.with_rules(classification("", "classifier"))
TAGGING_NAMES = SHARED.with_rules(classification("cls/tagging/", "classifier"))
# The original's (google-research/albert modeling.py:1000-1110), whose fine-tuned heads are BERT's.
_TF1_BLOCK = "bert/encoder/transformer/group_{n}/inner_group_{m}"
_OUR_BLOCK = "albert/encoder/group_{n}_inner_{m}"
TF1_NAMES = NameMap(
    [
        tensor("albert/embeddings/{table}_embeddings", "bert/embeddings/{table}_embeddings"),
        _stored_as_is("albert/embeddings/LayerNorm", "bert/embeddings/LayerNorm"),
        _stored_as_is("albert/embedding_hidden_mapping_in", "bert/encoder/embedding_hidden_mapping_in"),
        _stored_as_is(_OUR_BLOCK + "/attention/self/{projection}", _TF1_BLOCK + "/attention_1/self/{projection}"),
        _stored_as_is(_OUR_BLOCK + "/attention/output/dense", _TF1_BLOCK + "/attention_1/output/dense"),
        _stored_as_is(_OUR_BLOCK + "/attention/output/LayerNorm", _TF1_BLOCK + "/LayerNorm"),
        _stored_as_is(_OUR_BLOCK + "/intermediate/dense", _TF1_BLOCK + "/ffn_1/intermediate/dense"),
        _stored_as_is(_OUR_BLOCK + "/output/dense", _TF1_BLOCK + "/ffn_1/intermediate/output/dense"),
        _stored_as_is(_OUR_BLOCK + "/output/LayerNorm", _TF1_BLOCK + "/LayerNorm_1"),
        _stored_as_is("albert/pooler/dense", "bert/pooler/dense"),
        _stored_as_is("cls/predictions/transform/dense", "cls/predictions/transform/dense"),
        _stored_as_is("cls/predictions/transform/LayerNorm", "cls/predictions/transform/LayerNorm"),
        tensor("cls/predictions/output_bias", "cls/predictions/output_bias"),
        _stored_as_is("cls/sentence_order", "cls/seq_relationship"),
        _stored_as_is("cls/squad", "cls/squad"),
        _stored_as_is("cls/tagging", "cls/tagging"),
        tensor("output_{part}", "output_{part}"),
    ]
)


def hugging_face_notes(config: AlbertConfig) -> list[str]:
    """What transformers makes of a config."""
    if config.shared != "all":
        return [f"transformers shares whole blocks only: it can't load this model, whose layers share {config.shared}"]
    if config.embedding_size == config.hidden_size and not config.always_projected:
        return ["transformers projects embeddings even where they are as wide as the blocks: it can't load this model"]
    return []


def sizes(config: AlbertConfig) -> str:
    """The shape in a line."""
    return (
        f"{bert.sizes(config)}, embeddings {config.embedding_size:,}, groups {config.num_hidden_groups} of "
        f"{config.inner_group_num}, shared: {config.shared}"
    )


ALBERT = Family(
    model=Albert,
    config=AlbertConfig,
    parts={
        "pooler": "albert/pooler/",
        "mlm": "cls/predictions/",
        "sop": "cls/sentence_order/",
        "sequence_classification": "output_",
        "token_classification": "cls/tagging/",
        "question_answering": "cls/squad/",
    },
    labelled={"sequence_classification": "output_bias", "token_classification": "cls/tagging/output_bias"},
    seen={
        "vocab_size": ("albert/embeddings/word_embeddings", 0),
        "embedding_size": ("albert/embeddings/word_embeddings", 1),
        "hidden_size": (_OUR_BLOCK.format(n=0, m=0) + "/intermediate/dense/kernel", 0),
        "max_position_embeddings": ("albert/embeddings/position_embeddings", 0),
        "type_vocab_size": ("albert/embeddings/token_type_embeddings", 0),
        "intermediate_size": (_OUR_BLOCK.format(n=0, m=0) + "/intermediate/dense/kernel", 1),
    },
    layer=("num_hidden_groups", "albert/encoder/group_{n}_inner_0/"),
    unseen=("hidden_act", "num_attention_heads", "num_hidden_layers", "layer_norm_eps", "shared"),
    sizes=sizes,
    tf1_config_file="albert_config.json",
    tf1_notes=functools.partial(bert.tf1_notes, original="google-research/albert"),
    tf1_names=TF1_NAMES,
    architectures=bert.architectures("Albert", (("mlm", "sop"), "ForPreTraining"), (("sop",), "ForPreTraining")),
    names=NAMES,
    tagging_names=TAGGING_NAMES,
    hugging_face_notes=hugging_face_notes,
)
