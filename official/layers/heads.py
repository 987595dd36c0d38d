"""What stands on an encoder: the pooler, and the heads of pretraining and of fine-tuning."""

import keras
import tensorflow as tf

from official.layers.activations import ACTIVATIONS
from official.layers.dense import Dense, product
from official.layers.dropout import Dropout
from official.layers.initializers import TruncatedNormal
from official.layers.layer_norm import LayerNorm


class Pooler(keras.layers.Layer):
    """tanh(x₀·W + b): the first token's state as the state of the sequence (modeling.py:227-232)."""

    def __init__(self, hidden_size: int, initializer_range: float, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(
            hidden_size,
            activation="tanh",
            kernel_initializer=TruncatedNormal(stddev=initializer_range),
            name="dense",
        )

    def build(self, input_shape):
        self.dense.build((input_shape[0], input_shape[-1]))

    def call(self, sequence_output):
        """[B, T, H] → [B, H]."""
        return self.dense(sequence_output[:, 0])


class MaskedLMHead(keras.layers.Layer):
    """Scores every word of the vocabulary at chosen positions (run_pretraining.py:240-262).

    A dense layer to the width of the embeddings and a layer normalisation, then the product with the word embeddings,
    which are tied, and a bias.
    """

    def __init__(
        self,
        embedding_width: int,
        vocab_size: int,
        hidden_act: str,
        initializer_range: float,
        layer_norm_eps: float = 1e-12,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.dense = Dense(
            embedding_width,
            activation=ACTIVATIONS[hidden_act],
            kernel_initializer=TruncatedNormal(stddev=initializer_range),
            name="dense",
        )
        self.layer_norm = LayerNorm(layer_norm_eps, name="LayerNorm")
        self.vocab_size = vocab_size

    def build(self, input_shape):
        with keras.name_scope("transform"):
            self.dense.build(input_shape)
            self.layer_norm.build((*input_shape[:-1], self.dense.units))
        self.output_bias = self.add_weight(name="output_bias", shape=(self.vocab_size,), initializer="zeros")

    def call(self, sequence_output, word_embeddings, positions=None):
        """Logits in float32.

        Args:
            sequence_output: [B, T, H].
            word_embeddings: [V, E].
            positions: int32 [B, P] in [0, T), or None for all of them. They are gathered first: the product with the
                vocabulary is most of the work, and only about 15 % of the positions need it.

        Returns:
            [B, P, V], or [B, T, V].
        """
        if positions is not None:
            sequence_output = tf.gather(sequence_output, positions, batch_dims=1)  # [B, P, H]
        x = self.layer_norm(self.dense(sequence_output))
        logits = product(x, tf.cast(word_embeddings, x.dtype), transpose_b=True)
        return tf.cast(logits, tf.float32) + tf.cast(self.output_bias, tf.float32)


class DenseClassificationHead(keras.layers.Layer):
    """What RoBERTa and its successors put in the place of a pooler: activation(dropout(x₀)·W + b), dropout, logits.

    Args:
        num_classes, initializer_range: as of `ClassificationHead`.
        hidden_size: of the dense layer.
        hidden_act: a name in `activations.ACTIVATIONS`.
        input_dropout, dropout_rate: on the first token's state, and on what the dense layer makes of it.
    """

    def __init__(
        self,
        num_classes: int,
        hidden_size: int,
        hidden_act: str,
        initializer_range: float,
        input_dropout: float,
        dropout_rate: float,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.input_dropout = Dropout(input_dropout, name="input_dropout")
        self.dense = Dense(
            hidden_size,
            activation=ACTIVATIONS[hidden_act],
            kernel_initializer=TruncatedNormal(stddev=initializer_range),
            name="dense",
        )
        self.output_layer = ClassificationHead(num_classes, initializer_range, dropout_rate, name="output")

    def build(self, input_shape):
        shape = (input_shape[0], input_shape[-1])
        self.input_dropout.build()
        self.dense.build(shape)
        self.output_layer.build((shape[0], self.dense.units))

    def call(self, sequence_output, training=False):
        """[B, T, H] → [B, classes] in float32."""
        x = self.input_dropout(sequence_output[:, 0], training=training)  # [B, H]
        return self.output_layer(self.dense(x), training=training)


class ClassificationHead(keras.layers.Layer):
    """dropout(x)·Wᵀ + b: a logit for each class.

    The weights are [classes, H], as the original stores those of its heads: `cls/seq_relationship` (run_pretraining.py:
    285-305), the classifier's (run_classifier.py:590-604) and `cls/squad` (run_squad.py:550-590).

    Args:
        num_classes: how many logits there are.
        initializer_range: standard deviation of the truncated normal that the weights are drawn from.
        dropout_rate: on the input. The original's classifier has 0.1 hard-wired, its other heads have none.
    """

    def __init__(self, num_classes: int, initializer_range: float, dropout_rate: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.initializer = TruncatedNormal(stddev=initializer_range)
        self.dropout = Dropout(dropout_rate, name="dropout")

    def build(self, input_shape):
        shape = (self.num_classes, input_shape[-1])
        self.output_weights = self.add_weight(name="output_weights", shape=shape, initializer=self.initializer)
        self.output_bias = self.add_weight(name="output_bias", shape=(self.num_classes,), initializer="zeros")
        self.dropout.build()

    def call(self, x, training=False):
        """[..., H] → [..., classes] in float32."""
        x = self.dropout(x, training=training)
        logits = product(x, tf.convert_to_tensor(self.output_weights), transpose_b=True)
        return tf.cast(logits, tf.float32) + tf.cast(self.output_bias, tf.float32)
