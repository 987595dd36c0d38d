"""Layer normalisation as BERT uses it."""

import functools

import keras
import tensorflow as tf

from official.layers.casts import cast
from official.layers.fusion import block
from official.layers.sums import mean_of_last_axis, scale_and_shift


class LayerNorm(keras.layers.Layer):
    """Normalises the last axis to mean 0 and variance 1, then scales by `gamma` and shifts by `beta` (Ba et al. 2016).

    Computed in float32 whatever the input is: the published epsilon of 1e-12 (tf.contrib.layers.layer_norm, called at
    modeling.py:362) vanishes in 16 bits.
    """

    def __init__(self, epsilon: float = 1e-12, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, input_shape):
        weight = functools.partial(self.add_weight, shape=input_shape[-1:], autocast=False, dtype="float32")
        self.gamma, self.beta = weight(name="gamma", initializer="ones"), weight(name="beta", initializer="zeros")

    @property
    def weights_and_epsilon(self) -> tuple[tuple[tf.Tensor, tf.Tensor], float]:
        """What `layer_norm` is given beside its input, for a block that normalises among other things."""
        return (tf.convert_to_tensor(self.gamma), tf.convert_to_tensor(self.beta)), self.epsilon

    def call(self, x):
        weights, epsilon = self.weights_and_epsilon
        return normalize(x, *weights, epsilon=epsilon)


def layer_norm(x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor, *, epsilon: float) -> tf.Tensor:
    """[..., H] with scale and shift [H] in float32."""
    x32 = cast(x, tf.float32)
    centred = x32 - mean_of_last_axis(x32)
    variance = mean_of_last_axis(tf.square(centred))  # [..., 1]
    return cast(scale_and_shift(centred * tf.math.rsqrt(variance + epsilon), gamma, beta), x.dtype)


normalize = block(layer_norm)
