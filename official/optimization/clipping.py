"""Gradient clipping."""

from collections.abc import Sequence

import tensorflow as tf


def clip_by_global_norm(gradients: Sequence[tf.Tensor], clip_norm: float) -> tuple[list[tf.Tensor], tf.Tensor]:
    """Scales all gradients by min(1, clip_norm / norm), where norm is that of all together (optimization.py:74).

    A clip_norm of 0 leaves them as they are.

    Sparse gradients become dense first: the norm of `IndexedSlices` with repeated rows is not the gradient's.

    Returns:
        The gradients, and their norm before clipping (float32 scalar).
    """
    dense = [tf.convert_to_tensor(gradient) for gradient in gradients]
    return tf.clip_by_global_norm(dense, clip_norm) if clip_norm else (dense, tf.linalg.global_norm(dense))
