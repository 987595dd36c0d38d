"""LAMB, for batches of tens of thousands (You et al. 2020, algorithm 2)."""

import tensorflow as tf

from official.optimization.adam_weight_decay import AdamW, AdamWeightDecay


class Lamb(AdamW):
    """AdamW whose update of each tensor is made as long as the tensor is, before the learning rate.

        r = m̂ / (√v̂ + ε) + λ·w        w ← w − lr·(‖w‖ / ‖r‖)·r

    As in the authors' code, what does not decay (biases and LayerNorm) is not rescaled either, nor is a tensor of
    zeros or one whose update is zero.
    """

    def _direction(self, w, m, v, decay, step):
        return _rescaled(super()._direction(w, m, v, decay, step), w, decay)


class AlbertLamb(AdamWeightDecay):
    """LAMB as ALBERT was trained with it: m and v are not corrected for their start (lamb_optimizer.py:60-130)."""

    def _direction(self, w, m, v, decay, step):
        return _rescaled(super()._direction(w, m, v, decay, step), w, decay)


def _rescaled(update, w, decay):
    length, length_of_update = tf.norm(w), tf.norm(update)
    rescaled = (decay > 0.0) & (length > 0.0) & (length_of_update > 0.0)
    return tf.where(rescaled, length / length_of_update, 1.0) * update
