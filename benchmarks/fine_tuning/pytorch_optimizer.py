"""BERT's optimizer for PyTorch: optimization.py:25-174 of google-research/bert, on PyTorch's own fused kernel."""

import dataclasses

import torch

BETA_1, BETA_2, EPSILON, DECAY = 0.9, 0.999, 1e-6, 0.01


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Linear decay, counted from step 0 and overridden by the warm-up: the rate jumps down where that ends."""

    learning_rate: float
    num_steps: int
    warmup_proportion: float

    def __call__(self, step: int) -> float:
        warmup = int(self.num_steps * self.warmup_proportion)
        if step < warmup:
            return self.learning_rate * step / warmup
        return self.learning_rate * (1 - step / self.num_steps)


class AdamWeightDecay(torch.optim.AdamW):
    """Adam without bias correction; LayerNorm and biases don't decay.

    torch's AdamW divides m and v by 1 − βᵗ. With the rate, ε and decay of each step scaled by what it divides by, the
    update is the original's, lr·(m / (√v + ε) + λ·w), and costs what AdamW costs.
    """

    def __init__(self, model: torch.nn.Module):
        groups = [{"params": [], "decay": DECAY}, {"params": [], "decay": 0.0}]
        for name, parameter in model.named_parameters():
            groups["LayerNorm" in name or "bias" in name]["params"].append(parameter)
        super().__init__(groups, betas=(BETA_1, BETA_2), fused=True)
        self.steps = 0

    def update(self, learning_rate: float) -> None:
        """One step at this rate, with the gradients that the parameters hold."""
        self.steps += 1
        mean, root = 1 - BETA_1**self.steps, (1 - BETA_2**self.steps) ** 0.5
        for group in self.param_groups:
            group["lr"] = learning_rate * mean / root
            group["eps"] = EPSILON / root
            group["weight_decay"] = group["decay"] * root / mean
        self.step()
