"""What a run adds up for its report, as integers that any worker can add to."""

from collections.abc import Iterable

import numpy as np

from data_prep.instances import Counts, new_counts

CORPUS = ("documents", "sentences", "tokens", "unknown")
TAG = "totals"


def of_corpus(**numbers: int) -> tuple[int, ...]:
    """Totals in which only these of CORPUS are not 0."""
    return tuple(int(numbers.get(name, 0)) for name in CORPUS) + of_counts(new_counts())[len(CORPUS) :]


def of_counts(counts: Counts) -> tuple[int, ...]:
    """Totals with these counts."""
    return (0,) * len(CORPUS) + tuple(int(number) for field in counts for number in field)


def add(totals: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    """Their sum; of none, zeros."""
    return tuple(map(sum, zip(*totals, strict=True))) or of_corpus()


def split(totals: Iterable[int]) -> tuple[dict[str, int], Counts]:
    """The numbers of CORPUS by their names, and the counts."""
    totals = list(totals)
    sizes = [len(field) for field in new_counts()]
    fields = np.split(np.array(totals[len(CORPUS) :], np.int64), np.cumsum(sizes)[:-1])
    return dict(zip(CORPUS, totals, strict=False)), Counts(*fields)
