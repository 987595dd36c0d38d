"""How often each label occurs in examples of fine-tuning."""

from collections.abc import Sequence

import numpy as np

from official.inputs.tokenized import TokenizedExamples

SHOWN = 9


def label_shares(examples: TokenizedExamples, labels: Sequence[str], label_type: str | None) -> str:
    """In words: the shares of the labels, the commonest first.

    Args:
        examples: with labels of any task.
        labels: their names.
        label_type: as of a `Bert`.
    """
    if "start_positions" in examples.labels:
        without = (examples.labels["start_positions"] == 0) & (examples.labels["end_positions"] == 0)
        return f"{without.mean():.1%} of the windows hold no answer"
    if examples.token_labels is not None:
        found = examples.token_labels[examples.token_labels >= 0]
        return _listed(np.bincount(found, minlength=len(labels)) / max(1, len(found)), labels)
    values = examples.labels["label_ids"]
    if label_type == "regression":
        return f"numbers from {values.min():g} to {values.max():g}, {values.mean():.3g} on average"
    if label_type == "multi":
        return _listed(values.mean(axis=0), labels)
    if examples.group > 1:
        labels = [f"choice {number + 1}" for number in range(examples.group)]
    return _listed(np.bincount(values, minlength=len(labels)) / len(values), labels)


def _listed(shares: np.ndarray, labels: Sequence[str]) -> str:
    order = np.argsort(-shares, kind="stable")
    listed = ", ".join(f"{labels[number]} {shares[number]:.1%}" for number in order[:SHOWN])
    return listed + (f", … ({len(labels)})" if len(labels) > SHOWN else "")
