"""What was predicted, as files: the original's, the GLUE server's, and one for people."""

import os
from collections.abc import Iterator, Sequence

import numpy as np

from official import files
from official.tasks.classification.classification_examples import Task

SERVER_RANGE = (0.0, 5.0)  # Of STS-B's values.


def write_test_results(output_dir: str, probabilities: np.ndarray) -> str:
    """`test_results.tsv`: a line for each example, its probabilities between tabs (run_classifier.py:972-984).

    Args:
        output_dir: where to.
        probabilities: float32 [N, C].
    """
    path = os.path.join(output_dir, "test_results.tsv")
    with files.write_whole(path) as file:
        for row in probabilities:
            file.write("\t".join(map(str, row)) + "\n")
    return path


def write_submission(output_dir: str, task: Task, labels: Sequence[str], predicted: np.ndarray) -> str:
    """`<TASK>.tsv` as the GLUE server wants it: the number of each example, from 0, and its label, or its value.

    Args:
        output_dir: where to.
        task: one that has a `submission`.
        labels: by id.
        predicted: [N], as `classification_scores.predictions` gives them.
    """
    path = os.path.join(output_dir, f"{task.submission}.tsv")
    with files.write_whole(path) as file:
        file.write("index\tprediction\n")
        for index, value in enumerate(predicted):
            written = f"{np.clip(value, *SERVER_RANGE):.3f}" if task.label_type == "regression" else labels[value]
            file.write(f"{index}\t{written}\n")
    return path


def spoken(labels: Sequence[str], label_type: str, predicted: np.ndarray, probabilities: np.ndarray) -> Iterator[dict]:
    """For each example the columns that go beside it: `prediction`, and `probability_<label>` for each label.

    Args:
        labels: by id.
        label_type: as in `Task`.
        predicted: [N] or [N, C], as `classification_scores.predictions` gives them.
        probabilities: float32 [N, C].
    """
    for decision, row in zip(predicted, probabilities, strict=True):
        if label_type == "regression":
            yield {"prediction": _short(decision)}
        else:
            said = labels[decision] if label_type == "single" else ",".join(np.array(labels)[decision > 0])
            beside = {f"probability_{label}": _short(value) for label, value in zip(labels, row, strict=True)}
            yield {"prediction": said} | beside


def answer(labels: Sequence[str], label_type: str, predicted: np.ndarray, probabilities: np.ndarray) -> str:
    """One example's prediction, and how probable it is, for the terminal; arguments as in `spoken`, of one row."""
    if label_type == "regression":
        return f"{predicted:.4f}"
    chosen = [int(predicted)] if label_type == "single" else np.flatnonzero(predicted)
    return "\t".join(f"{labels[number]}\t{probabilities[number]:.4f}" for number in chosen)


def _short(value: np.float32) -> float:
    """As a Python number with the digits of float32."""
    return float(str(value))
