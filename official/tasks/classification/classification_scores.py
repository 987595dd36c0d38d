"""From logits to probabilities, losses and scores, on numpy arrays.

Shapes: N examples, C classes (or choices). Scores are scikit-learn's and SciPy's.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import special, stats
from sklearn import metrics

MOST_SHOWN = 20  # Classes in a table that a person reads.


def probabilities(logits: np.ndarray, label_type: str) -> np.ndarray:
    """What the model thinks of each class: float32 [N, C]; the number itself [N, 1] for `regression`."""
    logits = logits.astype(np.float64)
    if label_type == "single":
        return special.softmax(logits, axis=-1).astype(np.float32)
    return (special.expit(logits) if label_type == "multi" else logits).astype(np.float32)


def predictions(logits: np.ndarray, label_type: str) -> np.ndarray:
    """What the model decides: the class int32 [N]; for `multi` which apply, int32 [N, C]; the number float32 [N]."""
    if label_type == "single":
        return logits.argmax(axis=-1).astype(np.int32)
    return (logits > 0).astype(np.int32) if label_type == "multi" else logits[:, 0].astype(np.float32)


def losses(logits: np.ndarray, labels: np.ndarray, label_type: str) -> np.ndarray:
    """What each example costs, float64 [N]: cross-entropy, its mean over the labels for `multi`, the squared error."""
    logits = logits.astype(np.float64)
    if label_type == "single":
        return special.logsumexp(logits, axis=-1) - np.take_along_axis(logits, labels[:, np.newaxis], axis=-1)[:, 0]
    if label_type == "multi":
        return (np.logaddexp(0, logits) - logits * labels).mean(axis=-1)
    return np.square(logits[:, 0] - labels)


def _correlation(correlate: Callable, labels: np.ndarray, predicted: np.ndarray) -> float:
    """0 where it is not defined, since one of both never varies."""
    if np.ptp(labels) == 0 or np.ptp(predicted) == 0:
        return 0.0
    return float(correlate(labels.astype(np.float64), predicted.astype(np.float64)).statistic)


def _f1(average: str) -> Callable:
    return lambda labels, predicted: metrics.f1_score(labels, predicted, average=average, zero_division=0)


# Of labels and what `predictions` gives. `f1` is that of the second class, as GLUE has it.
MEASURES: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "accuracy": metrics.accuracy_score,
    "subset_accuracy": metrics.accuracy_score,
    "f1": _f1("binary"),
    "macro_f1": _f1("macro"),
    "micro_f1": _f1("micro"),
    "mcc": metrics.matthews_corrcoef,
    "pearson": lambda labels, predicted: _correlation(stats.pearsonr, labels, predicted),
    "spearman": lambda labels, predicted: _correlation(stats.spearmanr, labels, predicted),
}


def scores(
    logits: np.ndarray, labels: np.ndarray, label_type: str, measures: Sequence[str], batch_size: int
) -> dict[str, float]:
    """Everything that `eval_results.txt` says but the step.

    Args:
        logits: float32 [N, C].
        labels: of `label_array`.
        label_type: as in `Task`.
        measures: names of `MEASURES`.
        batch_size: of the batches of which `loss` is the mean of the means (run_classifier.py:936).

    Returns:
        `eval_` with each measure, `eval_loss`, the mean over the examples, and `loss`.
    """
    costs = losses(logits, labels, label_type)
    predicted = predictions(logits, label_type)
    results = {f"eval_{name}": float(MEASURES[name](labels, predicted)) for name in measures}
    batches = [costs[start : start + batch_size].mean() for start in range(0, len(costs), batch_size)]
    return results | {"eval_loss": float(costs.mean()), "loss": float(np.mean(batches))}


def collapsed(labels: np.ndarray, predicted: np.ndarray) -> bool:
    """Whether the model says the same of every example although the labels differ."""
    return len(np.unique(labels, axis=0)) > 1 and len(np.unique(predicted, axis=0)) == 1


def table(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> str:
    """Precision, recall and F1 of each class, of the commonest where there are many; below it how they are confused.

    Args:
        labels: int32 [N], or [N, C] for any number of labels each.
        predicted: of the same shape.
        names: of the C classes.
    """
    counts = labels.sum(axis=0) if labels.ndim == 2 else np.bincount(labels, minlength=len(names))
    shown = np.sort(np.argsort(-counts, kind="stable")[:MOST_SHOWN])
    report = metrics.classification_report(
        labels,
        predicted,
        labels=shown,
        target_names=[_cut(names[number], 24) for number in shown],
        digits=3,
        zero_division=0,
    )
    if len(names) > MOST_SHOWN:
        return f"{report}({MOST_SHOWN} of {len(names)} classes: those with most examples)\n"
    return report if labels.ndim == 2 else f"{report}\n{confusion(labels, predicted, names)}"


def confusion(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> str:
    """The confusion matrix: a row for what is right, a column for what was said, · for nothing."""
    counts = metrics.confusion_matrix(labels, predicted, labels=np.arange(len(names)))  # [C, C]
    heads = [_cut(name, 10) for name in names]
    width = max(4, *(len(head) for head in heads), len(str(counts.max())))
    left = max(len("right"), *(len(head) for head in heads))
    lines = [f"{'right':>{left}} │ said", f"{'':>{left}} │ " + " ".join(f"{head:>{width}}" for head in heads)]
    lines.append("─" * (left + 1) + "┼" + "─" * ((width + 1) * len(heads)))
    for head, row in zip(heads, counts, strict=True):
        lines.append(f"{head:>{left}} │ " + " ".join(f"{count or '·':>{width}}" for count in row))
    return "\n".join(lines) + "\n"


def _cut(name: str, length: int) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"
