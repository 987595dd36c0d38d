"""How weights start."""

import contextlib
import contextvars
from collections.abc import Iterator

import keras
import tensorflow as tf

_about_to_be_loaded = contextvars.ContextVar("about_to_be_loaded", default=False)


@contextlib.contextmanager
def about_to_be_loaded() -> Iterator[None]:
    """Within the block, weights start as zeros: drawing those of BERT-large takes longer than loading them."""
    token = _about_to_be_loaded.set(True)
    try:
        yield
    finally:
        _about_to_be_loaded.reset(token)


class TruncatedNormal(keras.initializers.TruncatedNormal):
    """Drawn from a normal distribution, what is beyond two standard deviations drawn again (modeling.py:375)."""

    def __call__(self, shape, dtype=None):
        if _about_to_be_loaded.get():
            return tf.zeros(shape, dtype or keras.config.floatx())
        return super().__call__(shape, dtype)
