"""The Transformer encoder block, normalised after each residual as in BERT (modeling.py:735-886)."""

import contextlib
import itertools

import keras
import tensorflow as tf

from official.layers.activations import ACTIVATIONS
from official.layers.attention import SelfAttention
from official.layers.casts import cast, widened
from official.layers.dense import Dense
from official.layers.dropout import Dropout, drop
from official.layers.fusion import block
from official.layers.initializers import TruncatedNormal
from official.layers.layer_norm import LayerNorm, layer_norm
from official.layers.recomputation import recomputed, recomputes_blocks


@block
def add_and_normalize(
    x: tf.Tensor,
    residual: tf.Tensor,
    gamma: tf.Tensor,
    beta: tf.Tensor,
    seed: tf.Tensor | None = None,
    *,
    epsilon: float,
    **dropout,
) -> tf.Tensor:
    """LayerNorm(residual + dropout(x)): [..., H], with scale and shift [H]; `seed` and `dropout` as for `drop`."""
    total = widened(residual) + drop(widened(x), seed, **dropout)
    return cast(layer_norm(total, gamma, beta, epsilon=epsilon), x.dtype)


class Residual(keras.layers.Layer):
    """LayerNorm(residual + dropout(x·W + b)): how both halves of a block end."""

    def __init__(
        self, hidden_size: int, dropout_rate: float, initializer_range: float, layer_norm_eps: float, **kwargs
    ):
        super().__init__(**kwargs)
        self.dense = Dense(hidden_size, kernel_initializer=TruncatedNormal(stddev=initializer_range), name="dense")
        self.dropout = Dropout(dropout_rate, name="dropout")
        self.layer_norm = LayerNorm(layer_norm_eps, name="LayerNorm")
        self.hidden_size = hidden_size

    def build(self, input_shape):
        self.dense.build(input_shape)
        self.dropout.build()
        self.layer_norm.build((*input_shape[:-1], self.hidden_size))

    def call(self, x, residual, training=False):
        seed, dropout = self.dropout.draw(training)
        weights, epsilon = self.layer_norm.weights_and_epsilon
        return add_and_normalize(self.dense(x), residual, *weights, *seed, epsilon=epsilon, **dropout)


class Attention(keras.layers.Layer):
    """Self-attention with its output projection: `attention/self` and `attention/output` in the original's names."""

    def __init__(
        self,
        num_heads: int,
        hidden_size: int,
        hidden_dropout: float,
        attention_dropout: float,
        initializer_range: float,
        layer_norm_eps: float,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.self_attention = SelfAttention(num_heads, hidden_size, attention_dropout, initializer_range, name="self")
        self.projection = Residual(hidden_size, hidden_dropout, initializer_range, layer_norm_eps, name="output")

    def build(self, input_shape):
        self.self_attention.build(input_shape)
        self.projection.build(input_shape)

    def call(self, x, bias, training=False):
        context, attended = self.self_attention(x, bias, training=training)
        return self.projection(context, x, training=training), attended


class TransformerBlock(keras.layers.Layer):
    """Attention, then a feed-forward network of one hidden layer.

    Args:
        num_heads: attention heads; must divide `hidden_size`.
        hidden_size, intermediate_size: widths of the block and of its feed-forward layer.
        hidden_act: a name in `activations.ACTIVATIONS`.
        hidden_dropout, attention_dropout: rates after each dense output and on the attention probabilities.
        initializer_range: standard deviation of the truncated normal that kernels are drawn from.
        layer_norm_eps: added to the variance.
        attention, feed_forward: those of another block, where the two have them in common.
    """

    def __init__(
        self,
        num_heads: int,
        hidden_size: int,
        intermediate_size: int,
        hidden_act: str,
        hidden_dropout: float,
        attention_dropout: float,
        initializer_range: float,
        layer_norm_eps: float = 1e-12,
        attention: Attention | None = None,
        feed_forward: tuple[Dense, Residual] | None = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.attention = attention or Attention(
            num_heads,
            hidden_size,
            hidden_dropout,
            attention_dropout,
            initializer_range,
            layer_norm_eps,
            name="attention",
        )
        self.intermediate, self.feed_forward_output = feed_forward or (
            Dense(
                intermediate_size,
                activation=ACTIVATIONS[hidden_act],
                kernel_initializer=TruncatedNormal(stddev=initializer_range),
                name="dense",
            ),
            Residual(hidden_size, hidden_dropout, initializer_range, layer_norm_eps, name="output"),
        )
        self.intermediate_size = intermediate_size

    @property
    def feed_forward(self) -> tuple[Dense, Residual]:
        return self.intermediate, self.feed_forward_output

    def build(self, input_shape):
        if not self.attention.built:
            self.attention.build(input_shape)
        if not self.intermediate.built:
            with keras.name_scope("intermediate"):
                self.intermediate.build(input_shape)
            self.feed_forward_output.build((*input_shape[:-1], self.intermediate_size))

    def call(self, x, bias, training=False):
        """[B, T, H] and a bias on the scores → [B, T, H] and what attention came from, `Attended`."""
        x, attended = self.attention(x, bias, training=training)
        return self.feed_forward_output(self.intermediate(x), x, training=training), attended


class Transformer(keras.layers.Layer):
    """A stack of blocks named `layer_0`, `layer_1`, …; answers with what leaves each and how each `Attended`.

    `steps` holds the blocks of each layer: one, or several one after the other.

    How they attend is not known where blocks are recomputed (`recomputation.py`): None stands in its place.
    """

    def __init__(self, num_layers: int, **block):
        super().__init__(name=block.pop("name", None))
        self.steps = [[TransformerBlock(**block, name=f"layer_{n}")] for n in range(num_layers)]

    def build(self, input_shape):
        for layer in itertools.chain.from_iterable(self.steps):
            if not layer.built:
                layer.build(input_shape)

    def dropout_of(self, layer: int) -> contextlib.AbstractContextManager:
        """In which the blocks of a layer draw their dropout, for blocks that come more than once."""
        del layer
        return contextlib.nullcontext()

    def call(self, x, bias, training=False):
        hidden_states, attended = [x], []
        for number, blocks in enumerate(self.steps):
            with self.dropout_of(number):
                for layer in blocks:
                    x, looked_at = self._call_block(layer, x, bias, training)
            hidden_states.append(x)
            attended.append(looked_at)
        return hidden_states, attended

    @staticmethod
    def _call_block(layer, x, bias, training):
        if not recomputes_blocks():
            return layer(x, bias, training=training)
        return recomputed(lambda x, bias: layer(x, bias, training=training)[0])(x, bias), None
