"""What stands on an encoder: the pooler, and the heads of pretraining."""

import keras
import tensorflow as tf

from official.layers.activations import ACTIVATIONS
from official.layers.layer_norm import LayerNorm


class Pooler(keras.layers.Layer):
    """tanh(x₀·W + b): the first token's state as the state of the sequence (modeling.py:227-232)."""

    def __init__(self, hidden_size: int, initializer_range: float, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(
            hidden_size,
            activation="tanh",
            kernel_initializer=keras.initializers.TruncatedNormal(stddev=initializer_range),
            name="dense",
        )

    def build(self, input_shape):
        self.dense.build((input_shape[0], input_shape[-1]))

    def call(self, sequence_output):
        """[B, T, H] → [B, H]."""
        return self.dense(sequence_output[:, 0])


class MaskedLMHead(keras.layers.Layer):
    """Scores every word of the vocabulary at chosen positions (run_pretraining.py:240-262).

    A dense layer and a layer normalisation, then the product with the word embeddings, which are tied, and a bias.
    """

    def __init__(self, hidden_size: int, vocab_size: int, hidden_act: str, initializer_range: float, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(
            hidden_size,
            activation=ACTIVATIONS[hidden_act],
            kernel_initializer=keras.initializers.TruncatedNormal(stddev=initializer_range),
            name="dense",
        )
        self.layer_norm = LayerNorm(name="LayerNorm")
        self.vocab_size = vocab_size

    def build(self, input_shape):
        with keras.name_scope("transform"):
            self.dense.build(input_shape)
            self.layer_norm.build(input_shape)
        self.output_bias = self.add_weight(name="output_bias", shape=(self.vocab_size,), initializer="zeros")

    def call(self, sequence_output, word_embeddings, positions=None):
        """Logits in float32.

        Args:
            sequence_output: [B, T, H].
            word_embeddings: [V, H].
            positions: int32 [B, P] in [0, T), or None for all of them. They are gathered first: the product with the
                vocabulary is most of the work, and only about 15 % of the positions need it.

        Returns:
            [B, P, V], or [B, T, V].
        """
        if positions is not None:
            sequence_output = tf.gather(sequence_output, positions, batch_dims=1)  # [B, P, H]
        x = self.layer_norm(self.dense(sequence_output))
        logits = tf.matmul(x, tf.cast(word_embeddings, x.dtype), transpose_b=True)
        return tf.cast(logits, tf.float32) + tf.cast(self.output_bias, tf.float32)


class SequenceRelationshipHead(keras.layers.Layer):
    """Two logits for a pair of segments: 0 = the second follows the first, 1 = it does not (run_pretraining.py:285).

    The weights are [2, H], as the original stores them.
    """

    def __init__(self, initializer_range: float, **kwargs):
        super().__init__(**kwargs)
        self.initializer = keras.initializers.TruncatedNormal(stddev=initializer_range)

    def build(self, input_shape):
        shape = (2, input_shape[-1])
        self.output_weights = self.add_weight(name="output_weights", shape=shape, initializer=self.initializer)
        self.output_bias = self.add_weight(name="output_bias", shape=(2,), initializer="zeros")

    def call(self, pooled_output):
        """[B, H] → [B, 2] in float32."""
        logits = tf.matmul(pooled_output, tf.convert_to_tensor(self.output_weights), transpose_b=True)
        return tf.cast(logits, tf.float32) + tf.cast(self.output_bias, tf.float32)
