"""What enters the first block: word, position and token-type embeddings (Devlin et al. 2019, figure 2)."""

import keras
import tensorflow as tf

from official.layers.dense import product
from official.layers.dropout import Dropout
from official.layers.initializers import TruncatedNormal
from official.layers.layer_norm import LayerNorm


class Embeddings(keras.layers.Layer):
    """Sum of three embeddings, layer normalisation, dropout (modeling.py:428-522).

    Args:
        vocab_size, hidden_size, max_position_embeddings, type_vocab_size: the shapes of the three tables; there is no
            table of token types where there are none.
        dropout_rate: of the sum, after normalisation.
        initializer_range: standard deviation of the truncated normal that the tables are drawn from.
        use_one_hot_embeddings: look words up by a matrix product, as the original does on TPUs.
        layer_norm_eps: added to the variance.
    """

    def __init__(
        self,
        vocab_size: int,
        hidden_size: int,
        max_position_embeddings: int,
        type_vocab_size: int,
        dropout_rate: float,
        initializer_range: float,
        use_one_hot_embeddings: bool = False,
        layer_norm_eps: float = 1e-12,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.has_segments = type_vocab_size > 0
        rows = {
            "word_embeddings": vocab_size,
            "token_type_embeddings": type_vocab_size,
            "position_embeddings": max_position_embeddings,
        }
        self.table_rows = {name: number for name, number in rows.items() if number}
        self.hidden_size = hidden_size
        self.initializer = TruncatedNormal(stddev=initializer_range)
        self.use_one_hot_embeddings = use_one_hot_embeddings
        self.layer_norm = LayerNorm(layer_norm_eps, name="LayerNorm")
        self.dropout = Dropout(dropout_rate, name="dropout")

    def build(self, input_shape=None):
        for name, rows in self.table_rows.items():
            initializer = self.initializer.clone()  # Each table is a draw of its own.
            setattr(self, name, self.add_weight(name=name, shape=(rows, self.hidden_size), initializer=initializer))
        self.layer_norm.build((None, None, self.hidden_size))
        self.dropout.build()

    def call(self, input_ids, segment_ids, positions=None, training=False):
        """[B, T] int32 each → [B, T, H]; without `positions` they are counted from 0."""
        total = self._look_up(self.word_embeddings, input_ids)  # [B, T, H]
        if self.has_segments:
            total = total + _look_up_one_hot(self.token_type_embeddings, segment_ids)  # [B, T, H]
        if positions is None:
            total = total + self.position_embeddings[: tf.shape(input_ids)[1]]  # [B, T, H]
        else:
            total = total + self._look_up(self.position_embeddings, positions)  # [B, T, H]
        return self.dropout(self.layer_norm(total), training=training)

    def _look_up(self, table, ids):
        if self.use_one_hot_embeddings:
            return _look_up_one_hot(table, ids)  # [B, T, H]
        return tf.gather(tf.convert_to_tensor(table), ids)  # [B, T, H]


def _look_up_one_hot(table, ids):
    """Rows of `table` [R, H] at `ids` [B, T], as a product: its gradient is a product too, not a scatter."""
    table = tf.convert_to_tensor(table)
    return product(tf.one_hot(ids, table.shape[0], dtype=table.dtype), table)  # [B, T, H]
