"""Losses of distillation with PyTorch's own modules, called as the published code of DistilBERT and TinyBERT does.

python distillation_losses.py DIRECTORY: reads `inputs.npz` there, writes `losses.npz`.
"""

import pathlib
import sys

import numpy as np
import torch
from torch import nn

TEMPERATURE = 2.0


def main(directory: pathlib.Path) -> None:
    with np.load(directory / "inputs.npz") as arrays:
        given = {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    real = given["mask"].bool()
    student, teacher = given["student_logits"][real], given["teacher_logits"][real]
    divergence = nn.KLDivLoss(reduction="batchmean")
    soft = divergence(
        nn.functional.log_softmax(student / TEMPERATURE, dim=-1), nn.functional.softmax(teacher / TEMPERATURE, dim=-1)
    )
    ours, theirs = given["student_hidden"][real], given["teacher_hidden"][real]
    cosine = nn.CosineEmbeddingLoss(reduction="mean")(ours, theirs, torch.ones(len(ours)))
    mse, attention = nn.MSELoss(), 0.0
    for student_scores, teacher_scores in zip(given["student_scores"], given["teacher_scores"]):
        zeroed = [
            torch.where(scores <= -1e2, torch.zeros_like(scores), scores) for scores in (student_scores, teacher_scores)
        ]
        attention = attention + mse(*zeroed)
    whole = nn.CrossEntropyLoss()(
        given["student_logits"].flatten(0, 1), nn.functional.softmax(given["teacher_logits"].flatten(0, 1), dim=-1)
    )
    np.savez(
        directory / "losses.npz",
        soft=(soft * TEMPERATURE**2).numpy(),
        cosine=cosine.numpy(),
        hidden_mse=mse(given["student_hidden"], given["teacher_hidden"]).numpy(),
        attention_mse=attention.numpy(),
        soft_cross_entropy=whole.numpy(),
    )


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
