"""ELECTRA (Clark et al. 2020, arXiv:2003.10555), as a difference from BERT.

A small generator fills masks, and the discriminator says of every token whether it was replaced. Both are encoders as
BERT's, with embeddings of a width of their own and without a pooler; they share the embeddings in training
(`official/objectives/replaced_token.py`). Afterwards the discriminator is what is fine-tuned.
"""

import dataclasses

import keras
import tensorflow as tf

from official import layers
from official.layers.activations import ACTIVATIONS
from official.layers.initializers import TruncatedNormal
from official.models.bert import BertConfig, BertEncoder
from official.models.first_token_classifier import FirstTokenClassifier


@dataclasses.dataclass(frozen=True, kw_only=True)
class ElectraConfig(BertConfig):
    """The shape of a discriminator or a generator; the defaults are ELECTRA-small's (configure_pretraining.py)."""

    title = "ELECTRA"
    model_type = "electra"

    vocab_size: int = 30_522
    embedding_size: int = 128
    hidden_size: int = 256
    num_attention_heads: int = 4
    intermediate_size: int = 1_024
    hidden_act: str = "gelu_erf"
    type_vocab_size: int = 2

    @property
    def embedding_width(self) -> int:
        return self.embedding_size


class ElectraEncoder(BertEncoder):
    """BERT's, with embeddings of another width brought to that of the blocks (model/modeling.py:226)."""

    def make_projection(self):
        config = self.config
        if config.embedding_size == config.hidden_size:
            return None
        return layers.Dense(config.hidden_size, name="embeddings_project")  # Glorot's initial weights, as published.


class ReplacedTokenHead(keras.layers.Layer):
    """A logit for each token: was it replaced? A dense layer with the model's activation, and one of a single unit."""

    def __init__(self, hidden_size: int, hidden_act: str, initializer_range: float, **kwargs):
        super().__init__(**kwargs)
        initializer = TruncatedNormal(stddev=initializer_range)
        self.dense = layers.Dense(
            hidden_size, activation=ACTIVATIONS[hidden_act], kernel_initializer=initializer, name="dense"
        )
        self.prediction = layers.Dense(1, kernel_initializer=initializer.clone(), name="prediction")

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.prediction.build(input_shape)

    def call(self, sequence_output):
        """[B, T, H] → [B, T] in float32."""
        return tf.cast(tf.squeeze(self.prediction(self.dense(sequence_output)), axis=-1), tf.float32)


class Electra(FirstTokenClassifier):
    """ELECTRA with the heads that are asked for; called, and answering, as `Bert`.

    A generator has the head `mlm`, a discriminator `rtd`, replaced token detection: `rtd_logits` [B, T].
    """

    ENCODER = ElectraEncoder
    SCOPE = "electra"
    HEADS = ("mlm", "rtd", "sequence_classification", "token_classification", "question_answering")
    HAS_POOLER = False
    MLM_ACT = CLASSIFIER_ACT = "gelu_erf"

    def make_rtd(self):
        config = self.config
        return ReplacedTokenHead(
            config.hidden_size, config.hidden_act, config.initializer_range, name="discriminator_predictions"
        )

    def call_rtd(self, head, outputs, inputs, training):
        return {"rtd_logits": head(outputs["sequence_output"])}


def _shape(num_layers: int, embedding_size: int, hidden_size: int, heads: int) -> ElectraConfig:
    return ElectraConfig(
        embedding_size=embedding_size,
        hidden_size=hidden_size,
        num_hidden_layers=num_layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden_size,
    )


# A generator is as deep as its discriminator and a quarter (base: a third) as wide; its embeddings are the
# discriminator's, and a head has 64 units (configure_pretraining.py, run_pretraining.py:get_generator_config).
PRESETS: dict[str, ElectraConfig] = {
    "electra-small": _shape(12, 128, 256, 4),
    "electra-small-generator": _shape(12, 128, 64, 1),
    "electra-base": _shape(12, 768, 768, 12),
    "electra-base-generator": _shape(12, 768, 256, 4),
    "electra-large": _shape(24, 1_024, 1_024, 16),
    "electra-large-generator": _shape(24, 1_024, 256, 4),
}


def generator_of(config: ElectraConfig, size: float) -> ElectraConfig:
    """The generator that goes with a discriminator: `size` times as wide, on the same embeddings.

    As published, a head has 64 units and the feed-forward network is four times as wide (run_pretraining.py).
    """
    hidden_size = int(config.hidden_size * size)
    heads = max(1, hidden_size // 64)
    return dataclasses.replace(
        config,
        hidden_size=hidden_size - hidden_size % heads,
        num_attention_heads=heads,
        intermediate_size=4 * hidden_size,
    )


class ElectraPretraining(keras.Model):
    """A generator and a discriminator on the same embeddings, their LayerNorm included (model/modeling.py:187-205).

    Args:
        config: the discriminator's.
        generator_size: how wide the generator is, as a share of that.
        discriminator_heads: `rtd`, or those of a variant.
    """

    def __init__(
        self,
        config: ElectraConfig,
        generator_size: float = 0.25,
        discriminator_heads: tuple[str, ...] = ("rtd",),
        use_one_hot_embeddings: bool = False,
    ):
        super().__init__(name="model")
        options = {"use_one_hot_embeddings": use_one_hot_embeddings}
        self.config = config
        self.discriminator = Electra(config, discriminator_heads, name="discriminator", **options)
        self.generator = Electra(
            generator_of(config, generator_size),
            ("mlm",),
            embeddings=self.discriminator.encoder.embeddings,
            name="generator",
            **options,
        )
        self.built = True
