"""Makes bert_training.json: twenty steps on one batch with PyTorch's gradients and the original's optimizer in numpy.

All in float64, so that it shows what the steps are without rounding; dropout is 0. Run in an environment with torch
and transformers, from this directory: python make_bert_training.py
"""

import json
import os

import numpy as np
import original_optimizer
import pytorch_bert
import seeded
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPE, SEED, BATCH = seeded.SHAPES[0], 77, {"seed": 78, "size": 4, "length": 14, "predictions": 4}
STEPS, WARMUP, RATE = 20, 5, 2e-3


def losses(bert: torch.nn.Module, batch: dict[str, np.ndarray]) -> tuple[torch.Tensor, torch.Tensor]:
    """The original's masked-LM and next-sentence losses (run_pretraining.py:240-305)."""
    outputs = pytorch_bert.forward(bert, batch)
    positions = torch.from_numpy(batch["masked_lm_positions"]).long()
    log_probs = outputs.prediction_logits.log_softmax(-1).gather(
        1, positions[..., None].expand(-1, -1, outputs.prediction_logits.shape[-1])
    )
    words = torch.from_numpy(batch["masked_lm_ids"]).long()
    used = torch.from_numpy(batch["masked_lm_weights"]).to(log_probs.dtype)
    nll = -log_probs.gather(-1, words[..., None])[..., 0]
    mlm = (used * nll).sum() / (used.sum() + 1e-5)
    labels = torch.from_numpy(batch["next_sentence_labels"]).long()
    nsp = -outputs.seq_relationship_logits.log_softmax(-1).gather(1, labels).mean()
    return mlm, nsp


def train() -> tuple[list[dict], dict[str, np.ndarray]]:
    """One line for each step, before its update; and the last weights."""
    bert, by_name = pytorch_bert.model(SHAPE, seeded.weights(SHAPE, SEED))
    bert = bert.double()
    batch = seeded.batch(SHAPE, **BATCH)
    parameters = {name: parameter.detach().numpy() for name, parameter in by_name.items()}  # Views.
    optimizer = original_optimizer.AdamWeightDecay(parameters)
    lines = []
    for step in range(STEPS + 1):
        bert.zero_grad()
        mlm, nsp = losses(bert, batch)
        (mlm + nsp).backward()
        clipped, norm = original_optimizer.clip_by_global_norm({n: p.grad.numpy() for n, p in by_name.items()})
        rate = original_optimizer.learning_rate(step, RATE, STEPS, WARMUP)
        lines.append({
            "step": step, "learning_rate": rate, "gradient_norm": norm, "loss": (mlm + nsp).item(),
            "masked_lm_loss": mlm.item(), "next_sentence_loss": nsp.item(),
        })  # fmt: skip
        if step < STEPS:
            optimizer.step(parameters, clipped, rate)
    return lines, parameters


def main():
    lines, parameters = train()
    golden = {
        "shape": SHAPE,
        "weights_seed": SEED,
        "batch": BATCH,
        "num_train_steps": STEPS,
        "num_warmup_steps": WARMUP,
        "learning_rate": RATE,
        "steps": lines,
        "final_norms": {name: float(np.linalg.norm(values)) for name, values in sorted(parameters.items())},
    }
    with open(os.path.join(HERE, "bert_training.json"), "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    main()
