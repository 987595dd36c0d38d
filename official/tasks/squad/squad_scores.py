"""The scores of SQuAD as its two official scripts define them, and the threshold that would have been best.

Rajpurkar et al. 2016, 2018; the rules of evaluate-v1.1.py and evaluate-v2.0.py of the SQuAD explorer.
"""

import dataclasses
import re
import string
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from official.errors import InputError
from official.tasks.squad.squad_files import Question, SquadFile

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_WITHOUT_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclasses.dataclass(frozen=True)
class Threshold:
    """Where to draw the line between answers and none, and the score in per cent that this gives."""

    value: float
    score: float


def normalize(text: str) -> str:
    """Lower case, without ASCII punctuation, articles and superfluous space."""
    return " ".join(_ARTICLES.sub(" ", text.lower().translate(_WITHOUT_PUNCTUATION)).split())


def exact_match(prediction: str, gold: str) -> float:
    """1 if both are normalised to the same."""
    return float(normalize(prediction) == normalize(gold))


def f1(prediction: str, gold: str) -> float:
    """F1 of the normalised words as multisets; 0 where nothing is shared (v1.1)."""
    words, gold_words = normalize(prediction).split(), normalize(gold).split()
    shared = (Counter(words) & Counter(gold_words)).total()
    if not shared:
        return 0.0
    precision, recall = shared / len(words), shared / len(gold_words)
    return (2 * precision * recall) / (precision + recall)


def f1_with_empty(prediction: str, gold: str) -> float:
    """The same, but that two texts without a word are equal (v2.0)."""
    return f1(prediction, gold) if normalize(prediction) or normalize(gold) else 1.0


def require_answers(squad: SquadFile) -> None:
    """Raises InputError unless the file says of every question what the answers are."""
    for question in squad.questions:
        if question.answers is None:
            raise InputError(f"{squad.path}: {question.place}.answers is missing: there is nothing to score against")


def golds_of(question: Question) -> list[str]:
    """Of v2.0: what is empty when normalised is no answer; no answer is the empty text."""
    return [answer.text for answer in question.answers if normalize(answer.text)] or [""]


def best_score(score: Callable[[str, str], float], prediction: str, golds: Iterable[str]) -> float:
    return max((score(prediction, gold) for gold in golds), default=0.0)


def score_v1(questions: Sequence[Question], predictions: Mapping[str, str]) -> dict[str, float]:
    """`exact_match` and `f1` in per cent, `total`; a question without prediction counts as wrong.

    Args:
        questions: with their answers.
        predictions: by id.
    """
    sums = {"exact_match": 0.0, "f1": 0.0}
    for question in questions:
        if question.id in predictions:
            golds = [answer.text for answer in question.answers]
            sums["exact_match"] += best_score(exact_match, predictions[question.id], golds)
            sums["f1"] += best_score(f1, predictions[question.id], golds)
    return {name: 100.0 * value / len(questions) for name, value in sums.items()} | {"total": len(questions)}


def score_v2(
    questions: Sequence[Question], predictions: Mapping[str, str], null_odds: Mapping[str, float]
) -> dict[str, float]:
    """`exact`, `f1`, `total`, the same of the questions with (HasAns_…) and without answer (NoAns_…), and the official
    `best_exact`, `best_exact_thresh`, `best_f1`, `best_f1_thresh`; in per cent.

    The best thresholds are the official ones: predictions are what they are, and above a threshold they are taken back.

    Args:
        questions: with their answers.
        predictions: by id. Questions without prediction are left out.
        null_odds: by id.
    """
    has_answer, exact, f1s = {}, {}, {}
    for question in questions:
        has_answer[question.id] = bool(question.answers)
        if question.id in predictions:
            golds = golds_of(question)
            exact[question.id] = best_score(exact_match, predictions[question.id], golds)
            f1s[question.id] = best_score(f1_with_empty, predictions[question.id], golds)
    if not exact:
        raise InputError("no prediction is of one of the questions: there is nothing to score")
    scores = _means("", exact, f1s, list(exact))
    scores |= _means("HasAns_", exact, f1s, [name for name, has in has_answer.items() if has and name in exact])
    scores |= _means("NoAns_", exact, f1s, [name for name, has in has_answer.items() if not has and name in exact])
    for name, values in (("exact", exact), ("f1", f1s)):
        best = official_threshold(predictions, values, null_odds, has_answer)
        scores |= {f"best_{name}": best.score, f"best_{name}_thresh": best.value}
    return scores


def _means(prefix: str, exact: Mapping[str, float], f1s: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
    if not names:
        return {}
    means = {
        key: 100.0 * sum(values[name] for name in names) / len(names) for key, values in (("exact", exact), ("f1", f1s))
    }
    return {prefix + key: value for key, value in (means | {"total": len(names)}).items()}


def official_threshold(
    predictions: Mapping[str, str],
    scores: Mapping[str, float],
    null_odds: Mapping[str, float],
    has_answer: Mapping[str, bool],
) -> Threshold:
    """The threshold as evaluate-v2.0.py finds it: from the lowest odds up, questions are answered one by one.

    Where nothing is better than no answer at all, it is 0.
    """
    current = best = sum(not has for has in has_answer.values())
    threshold = 0.0
    for name in sorted(null_odds, key=null_odds.__getitem__):
        if name not in scores:
            continue
        if has_answer[name]:
            current += scores[name]
        elif predictions[name]:
            current -= 1
        if current > best:
            best, threshold = current, null_odds[name]
    return Threshold(threshold, 100.0 * best / len(scores))


def as_table(scores: Mapping[str, float]) -> str:
    """The scores in lines for people: exact match and F1 of all questions and of those with and without answer."""
    rows = [("all questions", "exact_match" if "exact_match" in scores else "exact", "f1", "total")]
    for title, prefix in (("with answer", "HasAns_"), ("without answer", "NoAns_")):
        if f"{prefix}total" in scores:
            rows.append((title, f"{prefix}exact", f"{prefix}f1", f"{prefix}total"))
    lines = [f"{'':20}{'exact':>8}{'F1':>8}{'number':>9}"]
    for title, exact, f1_name, total in rows:
        lines.append(f"{title:20}{scores[exact]:8.2f}{scores[f1_name]:8.2f}{scores[total]:9d}")
    if "best_null_score_diff_threshold" in scores:
        threshold, best = scores["best_null_score_diff_threshold"], scores["best_null_score_diff_threshold_f1"]
        lines.append(f"{'best threshold':20}{'':8}{best:8.2f}   --null_score_diff_threshold={threshold:.6g}")
    return "\n".join(lines)
