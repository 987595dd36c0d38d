"""As `answer.py`, for BERT's descendants.

    python tests/oracle/answer_descendants.py DIRECTORY

`DIRECTORY/ours` holds Hugging Face directories of ours, `DIRECTORY/theirs` a `config.json` each, which names the class
of transformers that a model is made of with random weights. Each has an `inputs.npz`, and gets its `answers.npz`; ours
a `report.json` as well, and theirs the weights.
"""

import json
import pathlib
import sys

import numpy as np
import torch
import transformers
from answer import perturb

SEGMENTLESS = ("roberta", "distilbert")


@torch.no_grad()
def answer(model: torch.nn.Module, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Every output of a model, by transformers' names; those of the layers are stacked."""
    given = {"input_ids": "input_ids", "attention_mask": "input_mask", "token_type_ids": "segment_ids"}
    if model.config.model_type in SEGMENTLESS:
        del given["token_type_ids"]
    tensors = {theirs: torch.from_numpy(inputs[ours]).long() for theirs, ours in given.items()}
    outputs = model(**tensors, output_hidden_states=True, output_attentions=True)
    return {
        name: np.stack(value) if isinstance(value, tuple) else value.numpy()
        for name, value in outputs.items()
        if len(value)
    }


def read(directory: pathlib.Path) -> tuple[type, dict, dict[str, np.ndarray]]:
    """The class that a config names, the config, and the inputs."""
    config = json.loads((directory / "config.json").read_text("utf-8"))
    with np.load(directory / "inputs.npz") as inputs:
        return getattr(transformers, config["architectures"][0]), config, dict(inputs)


def answer_ours(directory: pathlib.Path) -> None:
    architecture, _, inputs = read(directory)
    model, report = architecture.from_pretrained(
        directory, attn_implementation="eager", dtype=torch.float32, output_loading_info=True
    )
    np.savez(directory / "answers.npz", **answer(model.eval(), inputs))
    report = {name: sorted(map(str, found)) for name, found in report.items()}
    (directory / "report.json").write_text(json.dumps(report), "utf-8")


def make_theirs(directory: pathlib.Path, seed: int) -> None:
    architecture, values, inputs = read(directory)
    torch.manual_seed(seed)
    config = transformers.AutoConfig.for_model(**values, attn_implementation="eager")
    model = perturb(architecture(config).eval())
    model.save_pretrained(directory)
    np.savez(directory / "answers.npz", **answer(model, inputs))


def main():
    root = pathlib.Path(sys.argv[1])
    for directory in sorted((root / "ours").iterdir()):
        answer_ours(directory)
    for seed, directory in enumerate(sorted((root / "theirs").iterdir())):
        make_theirs(directory, seed)


if __name__ == "__main__":
    main()
