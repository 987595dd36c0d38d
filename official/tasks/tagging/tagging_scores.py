"""How well words are labelled: entities as conlleval counts them, or labels one by one."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from official.tasks.tagging.tag_schemes import STRICT, Entity, Scheme, read_entities, read_strictly

Sentences = Sequence[Sequence[str]]  # The labels of the words of each.
Read = Callable[[Sequence[str]], Iterable[Entity]]
ALL = "all"


class EntityCounts(NamedTuple):
    """Entities of a type: in the text, predicted, and predicted with the same first word, last word and type."""

    true: int
    found: int
    correct: int

    @property
    def precision(self) -> float:
        return self.correct / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.correct / self.true if self.true else 0.0

    @property
    def f1(self) -> float:
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


def count_entities(true: Sentences, predicted: Sentences, read: Read = read_entities) -> dict[str, EntityCounts]:
    """Counts by type, in alphabetical order, and of all types together under `ALL`, at the end.

    Args:
        true, predicted: labels of the same sentences.
        read: how tags spell entities; by default as conlleval reads them.
    """
    in_text, found, correct = Counter(), Counter(), Counter()
    for true_labels, predicted_labels in zip(true, predicted, strict=True):
        _check_lengths(true_labels, predicted_labels)
        there, answered = set(read(true_labels)), set(read(predicted_labels))
        in_text.update(entity.type for entity in there)
        found.update(entity.type for entity in answered)
        correct.update(entity.type for entity in there & answered)
    counts = {kind: EntityCounts(in_text[kind], found[kind], correct[kind]) for kind in sorted(in_text | found)}
    return counts | {ALL: EntityCounts(in_text.total(), found.total(), correct.total())}


def _check_lengths(true: Sequence[str], predicted: Sequence[str]) -> None:
    if len(true) != len(predicted):
        raise ValueError(f"{len(predicted)} labels were predicted for a sentence of {len(true)} words")


def accuracy(true: Sentences, predicted: Sentences) -> float:
    """Share of the words that are labelled right."""
    pairs = list(zip(chain.from_iterable(true), chain.from_iterable(predicted), strict=True))
    return sum(label == other for label, other in pairs) / len(pairs)


def score_entities(true: Sentences, predicted: Sentences, scheme: Scheme) -> dict[str, float]:
    """`precision`, `recall` and `f1` over all entities as conlleval counts them, and the `accuracy` of tags.

    Where the scheme has a strict reading, also `strict_precision`, `strict_recall` and `strict_f1`: entities that are
    not spelt as it demands don't count.
    """
    scores = {"accuracy": accuracy(true, predicted)} | _rates(count_entities(true, predicted)[ALL])
    if scheme in STRICT:
        strict = count_entities(true, predicted, lambda labels: read_strictly(labels, scheme))[ALL]
        scores |= {f"strict_{name}": value for name, value in _rates(strict).items()}
    return scores


def _rates(counts: EntityCounts) -> dict[str, float]:
    return {"precision": counts.precision, "recall": counts.recall, "f1": counts.f1}


def score_labels(true: Sentences, predicted: Sentences) -> dict[str, float]:
    """`accuracy`, and the unweighted mean `macro_f1` of the F1 of each label."""
    from sklearn.metrics import f1_score  # Seconds to import.

    flat_true, flat_predicted = list(chain.from_iterable(true)), list(chain.from_iterable(predicted))
    macro = f1_score(flat_true, flat_predicted, average="macro", zero_division=0.0)
    return {"accuracy": accuracy(true, predicted), "macro_f1": float(macro)}


def entity_table(counts: Mapping[str, EntityCounts]) -> str:
    """What `count_entities` found, a line a type, for a person to read."""
    rows = [
        (kind, [each.precision, each.recall, each.f1], [each.true, each.found, each.correct])
        for kind, each in counts.items()
    ]
    return _table("entities", ["precision", "recall", "f1"], ["in text", "found", "correct"], rows)


def label_table(true: Sentences, predicted: Sentences) -> str:
    """Precision, recall and F1 of each label, for a person to read."""
    from sklearn.metrics import precision_recall_fscore_support

    flat_true, flat_predicted = list(chain.from_iterable(true)), list(chain.from_iterable(predicted))
    labels = sorted({*flat_true, *flat_predicted})
    columns = precision_recall_fscore_support(flat_true, flat_predicted, labels=labels, zero_division=0.0)
    found = Counter(flat_predicted)
    rows = [
        (label, [float(rate) for rate in rates], [int(support), found[label]])
        for label, *rates, support in zip(labels, *columns)
    ]
    return _table("labels", ["precision", "recall", "f1"], ["in text", "found"], rows)


def _table(title: str, rates: Sequence[str], counts: Sequence[str], rows: Sequence) -> str:
    width = max(len(title), *(len(name) for name, _, _ in rows))
    lines = [f"{title:<{width}}" + "".join(f"{name:>11}" for name in [*rates, *counts])]
    for name, values, numbers in rows:
        cells = [f"{value:11.2%}" for value in values] + [f"{number:11,}" for number in numbers]
        lines.append(f"{name:<{width}}" + "".join(cells))
    return "\n".join(lines)


def collapse(true: Sentences, predicted: Sentences) -> str | None:
    """The label that every word got, though the text has several: the run collapsed. None where it did not."""
    labels = set(chain.from_iterable(predicted))
    several = len(set(chain.from_iterable(true))) > 1
    return labels.pop() if several and len(labels) == 1 else None
