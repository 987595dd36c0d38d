"""A teacher's scores of starts and ends, put where a student's pieces are.

Where both read the same windows of the same tokens, a token has the scores that the teacher gives it.

Elsewhere they meet in the words of the context, what stands between white space. A word's score as the start of an
answer is the teacher's at its first piece, as the end that at its last piece, each in the window where that piece has
most context (as run_squad.py:476-512 has it for answers); the student is to give these scores to its own first and last
pieces. What says that there is no answer is the score of [CLS], of the teacher's window that shares most words with the
student's. All other tokens of the student's, the question's among them, are to have the lowest of the scores that are
known in the window, so that none of them competes.
"""

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from official.tasks.squad.squad_features import SquadFeatures
from official.tasks.squad.squad_files import Question


def scores_for_student(
    teacher: SquadFeatures, scores: np.ndarray, student: SquadFeatures, questions: Sequence[Question]
) -> np.ndarray:
    """What the student is to say of each of its tokens; all 0 where the teacher has no window of a question.

    Args:
        teacher, student: windows of the same questions.
        scores: of start and end, float32 [teacher's tokens, 2].
        questions: of both.

    Returns:
        float32 [student's tokens, 2].
    """
    if _are_same(teacher, student):
        return scores
    found = np.zeros((len(student.input_ids), 2), np.float32)
    windows_of: dict[int, list[_Window]] = {}
    for window in _windows(teacher, questions):
        windows_of.setdefault(window.question, []).append(window)
    for window in _windows(student, questions):
        if theirs := windows_of.get(window.question):
            found[window.tokens] = _project(theirs, scores, window)
    return found


def _are_same(teacher: SquadFeatures, student: SquadFeatures) -> bool:
    names = ("input_ids", "row_splits", "segment_ids", "question", "first_token")
    return all(np.array_equal(getattr(teacher, name), getattr(student, name)) for name in names)


@dataclasses.dataclass(frozen=True)
class _Window:
    """A window on a context.

    question: which it belongs to.
    tokens: of all windows, those of this one.
    words: int [n], the word of each of the context's tokens in it.
    begins, ends: bool [n], whether a token is the first or the last piece of its word.
    start: the position of the first of them.
    best: bool [n], whether a token has more context here than in any other window.
    """

    question: int
    tokens: slice
    words: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    start: int
    best: np.ndarray


def _windows(features: SquadFeatures, questions: Sequence[Question]) -> Iterator[_Window]:
    splits = features.row_splits.tolist()
    for number, (start, end) in enumerate(zip(splits, splits[1:])):
        words = features.contexts.words_of(questions[features.question[number]].context)
        context_start, first = int(features.context_start[number]), int(features.first_token[number])
        here = slice(first, first + end - start - context_start - 1)
        turns = np.flatnonzero(np.diff(words)) + 1  # Where a word follows another.
        begins, ends = np.zeros(len(words), bool), np.zeros(len(words), bool)
        begins[0] = ends[-1] = begins[turns] = ends[turns - 1] = True
        positions = np.arange(context_start, end - start - 1)
        low, high = features.max_context[number]
        yield _Window(
            question=int(features.question[number]),
            tokens=slice(start, end),
            words=words[here],
            begins=begins[here],
            ends=ends[here],
            start=context_start,
            best=(positions >= low) & (positions < high),
        )


def _project(theirs: list[_Window], scores: np.ndarray, ours: _Window) -> np.ndarray:
    """float32 [tokens of the window, 2]."""
    count = 1 + max(int(window.words.max()) for window in (*theirs, ours))
    by_word = np.full((count, 2), np.nan, np.float32)
    for window in theirs:
        here = scores[window.tokens][window.start : -1]  # [n, 2], of the context.
        for side, pieces in enumerate((window.begins, window.ends)):
            chosen = pieces & window.best
            by_word[window.words[chosen], side] = here[chosen, side]
    shared = [np.isin(np.unique(window.words), ours.words).sum() for window in theirs]
    found = np.full((ours.tokens.stop - ours.tokens.start, 2), np.nan, np.float32)
    found[0] = scores[theirs[int(np.argmax(shared))].tokens.start]
    for side, pieces in enumerate((ours.begins, ours.ends)):
        places = np.flatnonzero(pieces)
        found[ours.start + places, side] = by_word[ours.words[places], side]
    return np.where(np.isnan(found), np.nanmin(found, axis=0), found)
