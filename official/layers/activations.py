"""Activation functions by the names of the published configs."""

from collections.abc import Callable

import tensorflow as tf

from official.layers.casts import cast, widened
from official.layers.fusion import block


@block
def gelu_tanh(x: tf.Tensor) -> tf.Tensor:
    """The tanh form of the Gaussian error linear unit: what `gelu` means in google-research/bert (modeling.py:264)."""
    return cast(tf.nn.gelu(widened(x), approximate=True), x.dtype)


@block
def gelu_erf(x: tf.Tensor) -> tf.Tensor:
    """The exact Gaussian error linear unit, x·Φ(x): what `gelu` means in Hugging Face's configs."""
    return cast(tf.nn.gelu(widened(x), approximate=False), x.dtype)


# `gelu` keeps its meaning in the original's JSON; a config that comes from elsewhere is translated when it is read.
ACTIVATIONS: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {
    "gelu": gelu_tanh,
    "gelu_erf": gelu_erf,
    "linear": tf.identity,
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
}
