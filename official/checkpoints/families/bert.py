"""BERT's checkpoints. Our variables have the names of the original's, so only Hugging Face's have to be mapped."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from official.checkpoints import labels
from official.checkpoints.families import bert_keras_hub
from official.checkpoints.family import Family
from official.checkpoints.names import NameMap, Rule, Tied, classification, dense, layer_norm, tensor
from official.models.bert import Bert, BertConfig
from official.models.registry import read_config

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


def is_architecture(values: Mapping[str, Any], name: str) -> bool:
    """Whether a `config.json` names this class of theirs."""
    architectures = values.get("architectures")
    return isinstance(architectures, list) and name in architectures


def names_of(values: Mapping[str, Any]) -> NameMap:
    """The names that go with a `config.json`."""
    return TAGGING_NAMES if is_architecture(values, ARCHITECTURES[("token_classification",)]) else NAMES


ARCHITECTURES = {
    (): "BertModel",
    ("mlm",): "BertForMaskedLM",
    ("nsp",): "BertForNextSentencePrediction",
    ("mlm", "nsp"): "BertForPreTraining",
    ("sequence_classification",): "BertForSequenceClassification",
    ("token_classification",): "BertForTokenClassification",
    ("question_answering",): "BertForQuestionAnswering",
}


def hugging_face_config(model: Bert, architectures: Mapping[tuple[str, ...], str], tied: bool = True) -> dict[str, Any]:
    """What Hugging Face's `config.json` says of a model.

    Args:
        architectures: our heads, in the order of `HEADS`, and the name of their class that has them.
        tied: whether the word embeddings are the output's too.
    """
    heads = tuple(head for head in model.HEADS if head in model.heads)
    # Of a model with more heads than any of theirs, they read the encoder and the one that was fine-tuned.
    architecture = architectures.get(heads) or architectures[heads[-1:]]
    about = {"architectures": [architecture], "tie_word_embeddings": tied}
    return model.config.to_hugging_face() | about | labels.to_config(model.labels, model.label_type)


def to_hugging_face(model: Bert) -> dict[str, Any]:
    """What Hugging Face's `config.json` says of a model."""
    return hugging_face_config(model, ARCHITECTURES)


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


def builder(model: type[Bert]) -> Callable[..., Bert]:
    """What makes a model of this class that has given parts, and answers with all that can be looked at."""

    def build(config: Any, parts: Collection[str], label_names: tuple[str, ...] = ()) -> Bert:
        return model(
            config,
            [head for head in model.HEADS if head in parts],
            labels=label_names,
            pooler=not model.WITH_POOLER.isdisjoint(parts) or "pooler" in parts,
            output_hidden_states=True,
            output_attention_probs=True,
        )

    return build


def seen(scope: str) -> dict[str, tuple[str, int]]:
    """The fields that the shapes of an encoder laid out as BERT's show."""
    return {
        "vocab_size": (scope + "/embeddings/word_embeddings", 0),
        "hidden_size": (scope + "/embeddings/word_embeddings", 1),
        "max_position_embeddings": (scope + "/embeddings/position_embeddings", 0),
        "type_vocab_size": (scope + "/embeddings/token_type_embeddings", 0),
        "intermediate_size": (scope + "/encoder/layer_0/intermediate/dense/kernel", 1),
    }


BERT = Family(
    model=Bert,
    config=BertConfig,
    build=builder(Bert),
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
    seen=seen("bert"),
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
