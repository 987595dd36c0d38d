"""Fine-tunes models in PyTorch on batches that were made elsewhere, for the tests to compare with.

    .oracle/bin/python tests/oracle/fine_tune.py DIRECTORY

Each directory in DIRECTORY holds `start/` and `trained/`, a model before and after it was fine-tuned elsewhere, as
transformers loads it; `batches.npz`, what each step was given (`step/name`); `schedule.json`; and `held_out.npz`. It
gets `answers.json`: loss, gradient norm and learning rate of every step, and how far from here the weights of
`trained/` are; and `logits.npz`, of what was held out. Losses are those of transformers' own classes, the optimizer is
the published one, and all is in float64, so that it shows what the steps are without rounding.

Run in an environment with torch and transformers (`make oracle`).
"""

import json
import pathlib
import re
import sys

import numpy as np
import torch
import transformers

BETA_1, BETA_2, EPSILON, DECAY, CLIP_NORM = 0.9, 0.999, 1e-6, 0.01, 1.0
NOT_DECAYED = re.compile("LayerNorm|layer_norm|bias")  # optimization.py:65
NO_LABEL = -100  # Of a token, to transformers; negative in the batches.
THEIR_NAMES = {
    "input_mask": "attention_mask",
    "segment_ids": "token_type_ids",
    "label_ids": "labels",
    "token_labels": "labels",
}
Arrays = dict[str, np.ndarray]


def load(directory: pathlib.Path) -> torch.nn.Module:
    """The model that the config names.

    Raises:
        ValueError: transformers misses a weight, or has no use for one.
    """
    (architecture,) = json.loads((directory / "config.json").read_text("utf-8"))["architectures"]
    model, report = getattr(transformers, architecture).from_pretrained(
        directory, dtype=torch.float64, attn_implementation="eager", output_loading_info=True
    )
    if any(report.values()):
        raise ValueError(f"{directory}: {report}")
    # Theirs keeps the vector of [PAD] as it is. The original trains it, and in SQuAD, where padding competes for the
    # answer, it has a gradient.
    model.base_model.embeddings.word_embeddings.padding_idx = None
    return model


def as_theirs(batch: Arrays) -> dict[str, torch.Tensor]:
    """A batch under transformers' names: what is whole is an id, what is not is a number to be learnt."""
    inputs = {THEIR_NAMES.get(name, name): torch.from_numpy(values) for name, values in batch.items()}
    inputs = {name: values.double() if values.is_floating_point() else values.long() for name, values in inputs.items()}
    if "token_labels" in batch:
        inputs["labels"] = inputs["labels"].masked_fill(inputs["labels"] < 0, NO_LABEL)
    return inputs


def learning_rate(step: int, peak: float, num_steps: int, num_warmup_steps: int) -> float:
    """Linear decay counted from step 0, which warm-up overrides (optimization.py:32-54)."""
    if step < num_warmup_steps:
        return peak * step / num_warmup_steps
    return peak * (1 - step / num_steps)


class AdamWeightDecay:
    """Adam without bias correction, with decoupled weight decay, epsilon outside the root (optimization.py:87-174)."""

    def __init__(self, model: torch.nn.Module):
        self.weights = dict(model.named_parameters())
        self.m = {name: torch.zeros_like(weight) for name, weight in self.weights.items()}
        self.v = {name: torch.zeros_like(weight) for name, weight in self.weights.items()}

    @torch.no_grad()
    def step(self, rate: float) -> None:
        for name, weight in self.weights.items():
            m, v, gradient = self.m[name], self.v[name], weight.grad
            m.mul_(BETA_1).add_(gradient, alpha=1 - BETA_1)
            v.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
            decay = 0.0 if NOT_DECAYED.search(name) else DECAY
            weight.mul_(1 - rate * decay).addcdiv_(m, v.sqrt().add_(EPSILON), value=-rate)


def train(model: torch.nn.Module, batches: list[Arrays], schedule: dict) -> list[dict[str, float]]:
    """One step with each batch; answers with what the log of a run says of each."""
    optimizer, log = AdamWeightDecay(model.train()), []
    for step, batch in enumerate(batches):
        model.zero_grad(set_to_none=False)
        loss = model(**as_theirs(batch)).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        rate = learning_rate(step, **schedule)
        optimizer.step(rate)
        log.append({"loss": loss.item(), "gradient_norm": norm.item(), "learning_rate": rate})
    return log


@torch.no_grad()
def distances(start: pathlib.Path, here: torch.nn.Module, trained: pathlib.Path) -> dict[str, dict[str, float]]:
    """For each weight: how far it `moved` here, how far `apart` the other ended (norms), and its `largest` difference.

    Raises:
        KeyError: the other has other weights.
    """
    before, other, found = load(start).state_dict(), load(trained).state_dict(), {}
    for name, weight in here.named_parameters():
        apart = other[name] - weight
        moved = before[name] - weight
        found[name] = {"moved": moved.norm().item(), "apart": apart.norm().item(), "largest": apart.abs().max().item()}
    return found


@torch.no_grad()
def logits_of(model: torch.nn.Module, inputs: Arrays) -> Arrays:
    outputs = model.eval()(**as_theirs(inputs))
    return {name: values.numpy() for name, values in outputs.items()}


def read_batches(path: pathlib.Path) -> list[Arrays]:
    batches = {}
    with np.load(path) as columns:
        for key, values in columns.items():
            step, name = key.split("/")
            batches.setdefault(int(step), {})[name] = values
    return [batches[step] for step in range(len(batches))]


def fine_tune(directory: pathlib.Path) -> None:
    model, schedule = load(directory / "start"), json.loads((directory / "schedule.json").read_text("utf-8"))
    steps = train(model, read_batches(directory / "batches.npz"), schedule)
    weights = distances(directory / "start", model, directory / "trained")
    (directory / "answers.json").write_text(json.dumps({"steps": steps, "weights": weights}), "utf-8")
    with np.load(directory / "held_out.npz") as inputs:
        np.savez(directory / "logits.npz", **logits_of(model, inputs))


def main():
    for directory in sorted(pathlib.Path(sys.argv[1]).iterdir()):
        fine_tune(directory)


if __name__ == "__main__":
    main()
