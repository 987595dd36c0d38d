"""Gradient clipping."""

from collections.abc import Sequence

import tensorflow as tf


def clipping_factor(gradients: Sequence[tf.Tensor], clip_norm: float) -> tuple[tf.Tensor, tf.Tensor]:
    """What all gradients are to be multiplied by: min(1, clip_norm / norm) of their joint norm (optimization.py:74).

    A clip_norm of 0 leaves them as they are.

    Sparse gradients become dense first: the norm of `IndexedSlices` with repeated rows is not the gradient's.

    Returns:
        The factor and the norm, float32 scalars.
    """
    norm = tf.linalg.global_norm([tf.convert_to_tensor(gradient) for gradient in gradients])
    return clip_norm * tf.minimum(1.0 / norm, 1.0 / clip_norm) if clip_norm else tf.constant(1.0), norm
