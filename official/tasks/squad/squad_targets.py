"""Where in the tokens of a context the annotated answer stands: what training on SQuAD aims at."""

import dataclasses
import sys
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from official.errors import InputError
from official.tasks.squad.squad_features import TokenizedTexts, split_words, word_starts
from official.tasks.squad.squad_files import Answer, Question, SquadFile, name_some
from official.tokenization.tokenizer import Tokenizer

NO_ANSWER = -1


@dataclasses.dataclass(frozen=True)
class Targets:
    """Questions to train on, each with the first and the last token of its answer.

    Attributes:
        questions: Q of them.
        starts: int64 [Q], NO_ANSWER where there is none.
        ends: int64 [Q].
    """

    questions: list[Question]
    starts: np.ndarray
    ends: np.ndarray


def find_targets(
    squad: SquadFile, contexts: TokenizedTexts, tokenizer: Tokenizer, version_2_with_negative: bool
) -> Targets:
    """The answers in tokens (run_squad.py:255-293, 320-345).

    A question whose answer is not in the words at its offset is left out, and of several answers the first is taken;
    how many these were is said on stderr. (The original stops at a question that has not exactly one answer.)

    Raises:
        InputError: a question has no answer and is not marked impossible, or no question is left.
    """
    questions, spans, lost, several = [], [], [], []
    for context, group in groupby(squad.questions, key=lambda question: question.context):
        found = _Context(squad.contexts[context], contexts.words_of(context), contexts.ids_of(context), tokenizer)
        for question in group:
            answer = _answer_of(squad.path, question, version_2_with_negative)
            span = (NO_ANSWER, NO_ANSWER) if answer is None else found.span_of(answer)
            if span is None:
                lost.append(question.id)
                continue
            if answer is not None and len(question.answers) > 1:
                several.append(question.id)
            questions.append(question)
            spans.append(span)
    _tell(squad.path, "questions left out, whose answer is not at its offset", lost)
    _tell(squad.path, "questions with several answers, of which the first is taken", several)
    if not questions:
        raise InputError(f"{squad.path}: there is no question whose answer is at its offset")
    starts, ends = np.array(spans, np.int64).T
    return Targets(questions, starts, ends)


def _answer_of(path: str, question: Question, version_2_with_negative: bool) -> Answer | None:
    """The answer to train on; None for an impossible question."""
    if version_2_with_negative and question.is_impossible:
        return None
    if question.answers:
        return question.answers[0]
    state = "is missing" if question.answers is None else "is empty"
    if version_2_with_negative:
        reason = ", and is_impossible is not true"
    elif question.answers is None:
        reason = ": there is nothing to train on"
    else:
        reason = ", which only --version_2_with_negative allows"
    raise InputError(f"{path}: {question.place}.answers {state}{reason}")


def _tell(path: str, what: str, ids: Sequence[str]) -> None:
    if ids:
        print(f"note: {path}: {what}: {name_some(ids)}", file=sys.stderr)


class _Context:
    """A context in words and in tokens."""

    def __init__(self, text: str, token_words: np.ndarray, ids: np.ndarray, tokenizer: Tokenizer):
        self.length, self.words, self.starts = len(text), split_words(text), word_starts(text)
        self.token_words, self.ids, self.tokenizer = token_words, ids, tokenizer

    def span_of(self, answer: Answer) -> tuple[int, int] | None:
        """First and last token of an answer; None where its words are not at its offset."""
        text, end = " ".join(answer.text.split()), answer.start + len(answer.text)
        if not text or answer.start < 0 or end > self.length:
            return None
        first, last = np.maximum(np.searchsorted(self.starts, [answer.start, end - 1], side="right") - 1, 0)
        if text not in " ".join(self.words[first : last + 1]):
            return None
        start, end = np.searchsorted(self.token_words, [first, last + 1])
        return self._narrowed(int(start), int(end) - 1, self.tokenizer.encode(answer.text))

    def _narrowed(self, start: int, end: int, answer: Sequence[int]) -> tuple[int, int]:
        """The first place between these tokens where those of the answer stand, or else all (run_squad.py:432-474)."""
        within, wanted = self.ids[start : end + 1].tobytes(), np.array(answer, np.int32).tobytes()
        place = within.find(wanted) if wanted else -1
        while place % self.ids.itemsize and place >= 0:  # Found across the bytes of two ids.
            place = within.find(wanted, place + 1)
        if place < 0:
            return start, end
        start += place // self.ids.itemsize
        return start, start + len(answer) - 1
