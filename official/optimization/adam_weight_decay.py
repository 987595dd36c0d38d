"""Adam with decoupled weight decay as BERT was trained with it (optimization.py:84-187)."""

import re
from collections.abc import Mapping, Sequence

import tensorflow as tf


class AdamWeightDecay:
    """Adam without bias correction; the decay is added to the update, not to the gradient.

        m ← β₁·m + (1 − β₁)·g        v ← β₂·v + (1 − β₂)·g²        w ← w − lr·(m / (√v + ε) + λ·w)

    Since nothing corrects m and v for their start at zero, the first step is about 3.16·lr·sign(g).

    Args:
        variables: what is trained, by the names that `exclude_from_weight_decay` is matched against.
        weight_decay_rate: λ.
        beta_1, beta_2, epsilon: of Adam; epsilon stands outside the root.
        exclude_from_weight_decay: regular expressions; a variable in whose name one is found does not decay.
        learning_rate_scales: by name, what the learning rate is multiplied by; 1 for those that are not named.
    """

    def __init__(
        self,
        variables: Mapping[str, tf.Variable],
        *,
        weight_decay_rate: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        exclude_from_weight_decay: Sequence[str] = ("LayerNorm", "layer_norm", "bias"),
        learning_rate_scales: Mapping[str, float] | None = None,
    ):
        self.variables = dict(variables)
        self.weight_decay_rate = weight_decay_rate
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.exclude_from_weight_decay = tuple(exclude_from_weight_decay)
        self.learning_rate_scales = dict(learning_rate_scales or {})
        self.slots = {
            f"{name}/{slot}": tf.Variable(tf.zeros(variable.shape), trainable=False, name=slot)
            for name, variable in self.variables.items()
            for slot in ("adam_m", "adam_v")
        }
        # Compiled, an update reads and writes each of its tensors once; the plain operations do so a dozen times.
        self._next_values = tf.function(self._next_values, jit_compile=True, autograph=False)

    def decays(self, name: str) -> bool:
        """Whether the variable of this name is subject to weight decay."""
        return not any(re.search(pattern, name) for pattern in self.exclude_from_weight_decay)

    def apply_gradients(
        self,
        gradients: Sequence[tf.Tensor],
        learning_rate: tf.Tensor,
        step: tf.Tensor,
        applied: tf.Tensor,
        factor: tf.Tensor | float = 1.0,
    ) -> None:
        """Updates all variables; to be called in a replica, with gradients that are the same in every replica.

        Args:
            gradients: dense, float32, in the order of `variables`.
            learning_rate: float32 scalar.
            step: integer scalar, how many updates there were before.
            applied: bool scalar; where it is false, nothing changes.
            factor: float32 scalar, what the gradients are multiplied by; multiplied before, they would be written and
                read once more.
        """
        factor = tf.convert_to_tensor(factor)
        tf.__internal__.distribute.interim.maybe_merge_call(
            self._update_all, tf.distribute.get_strategy(), list(gradients), learning_rate, step, applied, factor
        )

    def _update_all(self, strategy, gradients, learning_rate, step, applied, factor):
        for (name, variable), gradient in zip(self.variables.items(), gradients, strict=True):
            m, v = self.slots[f"{name}/adam_m"], self.slots[f"{name}/adam_v"]
            decay = tf.constant(self.weight_decay_rate if self.decays(name) else 0.0)
            rate = learning_rate * self.learning_rate_scales.get(name, 1.0)
            arguments = (m, v, gradient, rate, decay, step, applied, factor)
            strategy.extended.update(variable, self._update, args=arguments, group=False)

    def _update(self, variable, m, v, gradient, learning_rate, decay, step, applied, factor):
        before = variable.value(), m.value(), v.value()
        values = self._next_values(*before, gradient, learning_rate, decay, step, applied, factor)
        for target, value in zip((variable, m, v), values, strict=True):
            target.assign(value)

    def _next_values(self, w, m, v, gradient, learning_rate, decay, step, applied, factor):
        gradient = gradient * factor
        next_m = self.beta_1 * m + (1.0 - self.beta_1) * gradient
        next_v = self.beta_2 * v + (1.0 - self.beta_2) * tf.square(gradient)
        next_w = w - learning_rate * self._direction(w, next_m, next_v, decay, step)
        return [tf.where(applied, *pair) for pair in ((next_w, w), (next_m, m), (next_v, v))]

    def _direction(self, w, m, v, decay, step):
        """What is taken away from the weights, times the learning rate."""
        del step  # It would correct m and v for their start.
        return m / (tf.sqrt(v) + self.epsilon) + decay * w


class AdamW(AdamWeightDecay):
    """Adam with decoupled weight decay and bias correction (Loshchilov and Hutter 2019, algorithm 2).

        m̂ = m / (1 − β₁ᵗ)        v̂ = v / (1 − β₂ᵗ)        w ← w − lr·(m̂ / (√v̂ + ε) + λ·w)

    with t = 1 at the first step.
    """

    def _direction(self, w, m, v, decay, step):
        t = tf.cast(step + 1, tf.float32)
        m, v = m / (1.0 - self.beta_1**t), v / (1.0 - self.beta_2**t)
        return m / (tf.sqrt(v) + self.epsilon) + decay * w
