"""google-research/bert's optimizer in numpy (optimization.py:25-174): schedule, clipping, update.

Independent of official.optimization, which it judges. Works in the precision of what it is given.
"""

import re

import numpy as np

BETA_1, BETA_2, EPSILON, DECAY, CLIP = 0.9, 0.999, 1e-6, 0.01, 1.0
NOT_DECAYED = ("LayerNorm", "layer_norm", "bias")


def learning_rate(step: int, peak: float, num_steps: int, num_warmup_steps: int) -> float:
    """Linear decay counted from step 0, which warm-up overrides: the rate jumps down where warm-up ends (:32-54)."""
    if step < num_warmup_steps:
        return peak * step / num_warmup_steps
    return peak * (1.0 - min(step, num_steps) / num_steps)


def clip_by_global_norm(gradients: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], float]:
    """Scales all gradients down together when their joint norm exceeds 1 (:74)."""
    norm = float(np.sqrt(sum(np.sum(np.square(gradient.astype(np.float64))) for gradient in gradients.values())))
    return {name: gradient * (CLIP / max(norm, CLIP)) for name, gradient in gradients.items()}, norm


class AdamWeightDecay:
    """Adam without bias correction, with decoupled weight decay, epsilon outside the root (:87-174)."""

    def __init__(self, parameters: dict[str, np.ndarray]):
        self.m = {name: np.zeros_like(values) for name, values in parameters.items()}
        self.v = {name: np.zeros_like(values) for name, values in parameters.items()}

    def step(self, parameters: dict[str, np.ndarray], gradients: dict[str, np.ndarray], rate: float) -> None:
        """Updates the parameters in place, with clipped gradients."""
        for name, gradient in gradients.items():
            self.m[name] = BETA_1 * self.m[name] + (1 - BETA_1) * gradient
            self.v[name] = BETA_2 * self.v[name] + (1 - BETA_2) * np.square(gradient)
            update = self.m[name] / (np.sqrt(self.v[name]) + EPSILON)
            if not any(re.search(pattern, name) for pattern in NOT_DECAYED):
                update = update + DECAY * parameters[name]
            parameters[name] -= rate * update
