"""ALBERT (Lan et al. 2019, arXiv:1909.11942), as a difference from BERT.

Two ways to need fewer parameters: embeddings of a small width of their own, brought to that of the blocks by a
projection (§3.1), and blocks that are the same at every layer (§3.1, table 4). Pairs of segments are told apart by
their order (`official/objectives/sentence_order.py`).
"""

import contextlib
import dataclasses

import keras

from official import layers
from official.errors import InputError
from official.layers.initializers import TruncatedNormal
from official.models.bert import Bert, BertConfig, BertEncoder

SHARED = ("all", "attention", "feed_forward", "none")


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlbertConfig(BertConfig):
    """The shape of an ALBERT, with the fields of the original's `albert_config.json` (modeling.py:41-110).

    Layers are parted into `num_hidden_groups` groups of equal weights; a layer is `inner_group_num` blocks one after
    the other. `shared` says what of a block its group has in common: the study of table 4. Embeddings as wide as the
    blocks are not projected, as published (modeling.py:1079); Hugging Face's are, `always_projected`.
    """

    title = "ALBERT"
    model_type = "albert"
    # What Hugging Face's config means where it does not say: ALBERT-xxlarge.
    assumed = {
        "hidden_size": 4_096,
        "num_attention_heads": 64,
        "intermediate_size": 16_384,
        "hidden_act": "gelu_new",
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    computed_with = {}

    vocab_size: int = 30_000
    embedding_size: int = 128
    num_hidden_groups: int = 1
    inner_group_num: int = 1
    type_vocab_size: int = 2
    shared: str = "all"
    always_projected: bool = False

    @classmethod
    def from_hugging_face(cls, values):
        return super().from_hugging_face({"always_projected": True, **values})

    def __post_init__(self):
        super().__post_init__()
        if self.shared not in SHARED:
            raise InputError(f"shared is {self.shared!r}: one of {', '.join(SHARED)} was expected")
        if self.num_hidden_groups > self.num_hidden_layers:
            raise InputError(
                f"num_hidden_groups is {self.num_hidden_groups}: at most num_hidden_layers, {self.num_hidden_layers}, "
                "was expected"
            )

    @property
    def embedding_width(self) -> int:
        return self.embedding_size

    def group_of(self, layer: int) -> int:
        """The group of a layer (modeling.py:1091)."""
        return int(layer / self.num_hidden_layers * self.num_hidden_groups)


class AlbertBlocks(layers.Transformer):
    """A stack of layers whose blocks have their weights in common, group by group."""

    def __init__(self, config: AlbertConfig, name: str):
        keras.layers.Layer.__init__(self, name=name)
        self.settings = {
            "num_heads": config.num_attention_heads,
            "hidden_size": config.hidden_size,
            "intermediate_size": config.intermediate_size,
            "hidden_act": config.hidden_act,
            "hidden_dropout": config.hidden_dropout_prob,
            "attention_dropout": config.attention_probs_dropout_prob,
            "initializer_range": config.initializer_range,
            "layer_norm_eps": config.layer_norm_eps,
        }
        self.config = config
        self.first = {}  # group → the blocks of its first layer
        self.steps = [self._blocks_of(layer) for layer in range(config.num_hidden_layers)]

    def _blocks_of(self, layer: int) -> list[layers.TransformerBlock]:
        group, shared = self.config.group_of(layer), self.config.shared
        if group not in self.first:
            names = [f"group_{group}_inner_{number}" for number in range(self.config.inner_group_num)]
            self.first[group] = [layers.TransformerBlock(**self.settings, name=name) for name in names]
            return self.first[group]
        if shared == "all":
            return self.first[group]
        return [
            layers.TransformerBlock(
                **self.settings,
                attention=block.attention if shared == "attention" else None,
                feed_forward=block.feed_forward if shared == "feed_forward" else None,
                name=f"layer_{layer}_inner_{number}",
            )
            for number, block in enumerate(self.first[group])
        ]

    @contextlib.contextmanager
    def dropout_of(self, layer: int):
        """The same weights come again, the same masks do not."""
        seed = layers.current_dropout_seed()
        with layers.dropout_seed(seed and seed.fold(layer)):
            yield


class AlbertEncoder(BertEncoder):
    """BERT's, with factorised embeddings and shared blocks."""

    def make_projection(self):
        config = self.config
        if config.embedding_size == config.hidden_size and not config.always_projected:
            return None
        return layers.Dense(
            config.hidden_size,
            kernel_initializer=TruncatedNormal(stddev=config.initializer_range),
            name="embedding_hidden_mapping_in",
        )

    def make_blocks(self):
        return AlbertBlocks(self.config, name="encoder")


class Albert(Bert):
    """ALBERT with the heads that are asked for; called, and answering, as `Bert`, with `sop_logits` [B, 2].

    `sop` is sentence-order prediction: 1 = the two segments are swapped.
    """

    ENCODER = AlbertEncoder
    SCOPE = "albert"
    HEADS = ("mlm", "sop", "sequence_classification", "token_classification", "question_answering")
    WITH_POOLER = frozenset({"sop", "sequence_classification"})

    def make_sop(self):
        return layers.ClassificationHead(2, self.config.initializer_range, name="sentence_order")

    def call_sop(self, head, outputs, inputs, training):
        return {"sop_logits": head(outputs["pooled_output"])}


def _shape(num_layers: int, hidden_size: int, heads: int, dropout: float) -> AlbertConfig:
    return AlbertConfig(
        hidden_size=hidden_size,
        num_hidden_layers=num_layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden_size,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )


# Version 2 was trained longer, and without dropout, which the largest never had (README of google-research/albert).
PRESETS: dict[str, AlbertConfig] = {
    f"albert-{size}-v{version}": _shape(
        num_layers, hidden_size, heads, 0.1 if version == 1 and size != "xxlarge" else 0.0
    )
    for version in (1, 2)
    for size, num_layers, hidden_size, heads in (
        ("base", 12, 768, 12),
        ("large", 24, 1_024, 16),
        ("xlarge", 24, 2_048, 16),
        ("xxlarge", 12, 4_096, 64),
    )
}
