"""From logits to answers: the best spans over all windows of a question, in the words of its context.

Source: google-research/bert run_squad.py:741-1020. Everything there is kept, ties and oddities too, but for its crash
where every candidate of a question is empty.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from official.tasks.squad.squad_alignment import Place, SpanTexts
from official.tasks.squad.squad_features import SquadFeatures
from official.tasks.squad.squad_files import Question
from official.tokenization.tokenizer import Tokenizer

NOTHING = "empty"  # What the original's files say under v1.1 where there is no candidate at all.
# The odds of "no answer" where there is no other: above any threshold. It is the number that the original begins with.
CERTAIN_ODDS = 1_000_000.0


@dataclasses.dataclass(frozen=True)
class SearchOptions:
    """How answers are searched for.

    Attributes:
        n_best_size: so many starts and ends of each window, and so many candidates of each question.
        max_answer_length: in tokens.
        version_2_with_negative: whether "" competes.
    """

    n_best_size: int = 20
    max_answer_length: int = 30
    version_2_with_negative: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class NBest:
    """Different answers to one question, the best first.

    Attributes:
        texts: "" is no answer. Under v1.1 there may be none at all.
        start_logits, end_logits: of each.
        null_odds: by how much no answer is better than the best answer; None under v1.1.
        places: where each text stands in its context, in characters [start, end); None of "".
    """

    texts: tuple[str, ...]
    start_logits: tuple[float, ...]
    end_logits: tuple[float, ...]
    null_odds: float | None = None
    places: tuple[Place | None, ...] = ()

    @property
    def best_text(self) -> str:
        """The best that is not empty; "" where there is none."""
        return next((text for text in self.texts if text), "")

    def text(self, null_score_diff_threshold: float = 0.0) -> str:
        """The answer: of v2.0 none, if the odds of that are above the threshold."""
        if self.null_odds is None:
            return self.texts[0] if self.texts else NOTHING
        return "" if self.null_odds > null_score_diff_threshold else self.best_text

    def probabilities(self) -> list[float]:
        """Softmax over the candidates' scores."""
        scores = [start + end for start, end in zip(self.start_logits, self.end_logits)]
        highest = max(scores, default=0.0)
        powers = [math.exp(score - highest) for score in scores]
        total = sum(powers)
        return [power / total for power in powers]

    def as_json(self) -> list[dict[str, str | float]]:
        """As `nbest_predictions.json` has it."""
        rows = list(zip(self.texts, self.probabilities(), self.start_logits, self.end_logits))
        rows = rows or [(NOTHING, 1.0, 0.0, 0.0)]
        return [dict(zip(("text", "probability", "start_logit", "end_logit"), row)) for row in rows]


@dataclasses.dataclass(frozen=True)
class Spans:
    """P candidates of one question, the best first.

    Attributes:
        window, start, end: int [P]; positions in the window. The null span starts and ends at 0.
        start_logit, end_logit: float64 [P].
    """

    window: np.ndarray
    start: np.ndarray
    end: np.ndarray
    start_logit: np.ndarray
    end_logit: np.ndarray

    @classmethod
    def sorted(cls, columns: Sequence[np.ndarray]) -> "Spans":
        """By the sum of the logits, the first of equals first."""
        order = np.argsort(-(columns[3] + columns[4]), kind="stable")
        return cls(*(column[order] for column in columns))


def find_answers(
    questions: Sequence[Question],
    contexts: Sequence[str],
    features: SquadFeatures,
    logits: tuple[Sequence[np.ndarray], Sequence[np.ndarray]],
    tokenizer: Tokenizer,
    options: SearchOptions = SearchOptions(),
    unaligned: Callable[[str, str], None] | None = None,
) -> Iterator[NBest]:
    """The candidates of each question, in order.

    Args:
        questions: Q of them.
        contexts: their contexts.
        features: W windows on these.
        logits: of starts and of ends, a float array for each window. They may go on beyond its tokens, over padding:
            the original's do, and what stands there takes places among the best starts and ends.
        tokenizer: of the windows.
        options: of the search.
        unaligned: told of a span and its words where the span's text can't be found in these.
    """
    text_of = SpanTexts(contexts, features, tokenizer, unaligned)
    bounds = np.searchsorted(features.question, np.arange(len(questions) + 1)).tolist()
    for question, first, last in zip(questions, bounds, bounds[1:]):
        windows = range(first, last)
        columns = [_spans_of_window(window, features, logits, options) for window in windows]
        null = _null_span(windows, logits) if options.version_2_with_negative else None
        if null is not None:
            columns.append(tuple(np.array([value]) for value in null))
        spans = Spans.sorted([np.concatenate(parts) for parts in zip(*columns)]) if columns else None
        yield _n_best(spans, null, question.context, text_of, options)


def _spans_of_window(
    window: int, features: SquadFeatures, logits: Sequence[Sequence[np.ndarray]], options: SearchOptions
) -> tuple[np.ndarray, ...]:
    """The columns of `Spans` for one window: starts outside, ends inside, the best of each first."""
    start_logits, end_logits = (np.asarray(side[window], np.float64) for side in logits)
    starts = best_positions(start_logits, options.n_best_size)
    from_, to = features.max_context[window]
    starts = starts[(starts >= from_) & (starts < to)]
    ends = best_positions(end_logits, options.n_best_size)
    ends = ends[(ends >= features.context_start[window]) & (ends < features.context_end[window])]
    beyond = ends - starts[:, np.newaxis]  # [starts, ends]
    rows, columns = np.nonzero((beyond >= 0) & (beyond < options.max_answer_length))
    starts, ends = starts[rows], ends[columns]
    return np.full(len(starts), window), starts, ends, start_logits[starts], end_logits[ends]


def best_positions(logits: np.ndarray, count: int) -> np.ndarray:
    """The positions of the largest logits, the first of equals first: int64 [at most count]."""
    if count < len(logits):
        candidates = np.flatnonzero(logits >= np.partition(logits, -count)[-count])
    else:
        candidates = np.arange(len(logits))
    return candidates[np.argsort(-logits[candidates], kind="stable")][:count]


def _null_span(windows: range, logits: Sequence[Sequence[np.ndarray]]) -> tuple[int, int, int, float, float]:
    """A row of `Spans` at [CLS] of the window where it has the lowest score, the first of equals."""
    at_cls = [(float(logits[0][window][0]), float(logits[1][window][0])) for window in windows]
    if not at_cls:
        return 0, 0, 0, 0.0, 0.0
    lowest = min(range(len(at_cls)), key=lambda index: sum(at_cls[index]))
    return windows[lowest], 0, 0, *at_cls[lowest]


def _n_best(
    spans: Spans | None,
    null: tuple[int, int, int, float, float] | None,
    context: int,
    text_of: SpanTexts,
    options: SearchOptions,
) -> NBest:
    """The first spans of different texts, and "" in any case under v2.0."""
    found: dict[str, tuple[float, float, Place | None]] = {}
    for index in range(0 if spans is None else len(spans.start)):
        if len(found) >= options.n_best_size:
            break
        text, place = text_of(context, spans.window[index], spans.start[index], spans.end[index])
        found.setdefault(text, (float(spans.start_logit[index]), float(spans.end_logit[index]), place))
    if null is not None:
        found.setdefault("", (*null[3:], None))
    start_logits, end_logits, places = zip(*found.values()) if found else ((), (), ())
    n_best = NBest(tuple(found), start_logits, end_logits, places=places)
    return n_best if null is None else dataclasses.replace(n_best, null_odds=_null_odds(n_best, null))


def _null_odds(n_best: NBest, null: tuple[int, int, int, float, float]) -> float:
    if not n_best.best_text:
        return CERTAIN_ODDS
    best = n_best.texts.index(n_best.best_text)
    return null[3] + null[4] - n_best.start_logits[best] - n_best.end_logits[best]
