"""A teacher's scores where a student of another tokenizer has its pieces, against plain loops over words."""

import math

import numpy as np
import pytest

from official.tasks.distillation.squad_projection import scores_for_student
from official.tasks.squad.squad_features import WindowSize, make_features, split_words, tokenize_contexts
from official.tasks.squad.squad_files import Question
from official.tokenization.wordpiece import WordPieceTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = "the quick fox jumped over a lazy dog and then went home to sleep".split()
LETTERS = sorted({letter for word in WORDS for letter in word})
WHOLE = WordPieceTokenizer.from_tokens([*SPECIAL, *WORDS, "who"])
SPELT = WordPieceTokenizer.from_tokens([*SPECIAL, *LETTERS, *(f"##{letter}" for letter in LETTERS)])
CONTEXTS = [" ".join(WORDS), "dog and fox"]
QUESTIONS = [Question("1", "who", 0), Question("2", "who", 1), Question("3", "the dog", 0)]


def features(tokenizer, size):
    return make_features(QUESTIONS, tokenize_contexts(CONTEXTS, tokenizer), tokenizer, WindowSize(*size))


def scores_of(windows, seed=0):
    return np.random.default_rng(seed).normal(size=(len(windows.input_ids), 2)).astype(np.float32)


def pieces_of(windows, number):
    """(position in the window, word, whether the word's first piece, whether its last) of each token of the context."""
    words = windows.contexts.words_of(QUESTIONS[windows.question[number]].context).tolist()
    start, end = windows.row_splits[number : number + 2]
    for offset in range(end - start - 1 - windows.context_start[number]):
        token = int(windows.first_token[number]) + offset
        first = token == 0 or words[token - 1] != words[token]
        last = token == len(words) - 1 or words[token + 1] != words[token]
        yield int(windows.context_start[number]) + offset, words[token], first, last


def expected_scores(teacher, scores, student):
    """The definition, word by word."""
    rows = []
    for number in range(len(student.question)):
        question = student.question[number]
        theirs = [each for each in range(len(teacher.question)) if teacher.question[each] == question]
        known, shares = {}, []
        ours = list(pieces_of(student, number))
        for each in theirs:
            begin = teacher.row_splits[each]
            low, high = teacher.max_context[each]
            for position, word, first, last in pieces_of(teacher, each):
                if low <= position < high:
                    if first:
                        known[word, 0] = scores[begin + position, 0]
                    if last:
                        known[word, 1] = scores[begin + position, 1]
            shares.append(len({word for _, word, *_ in pieces_of(teacher, each)} & {word for _, word, *_ in ours}))
        row = np.full((student.row_splits[number + 1] - student.row_splits[number], 2), math.nan, np.float32)
        row[0] = scores[teacher.row_splits[theirs[shares.index(max(shares))]]]
        for position, word, first, last in ours:
            if first and (word, 0) in known:
                row[position, 0] = known[word, 0]
            if last and (word, 1) in known:
                row[position, 1] = known[word, 1]
        rows.append(np.where(np.isnan(row), np.nanmin(row, axis=0), row))
    return np.concatenate(rows)


def test_windows_of_the_same_tokens_have_the_same_scores():
    windows = features(WHOLE, (16, 4, 4))
    scores = scores_of(windows)
    assert scores_for_student(windows, scores, features(WHOLE, (16, 4, 4)), QUESTIONS) is scores


@pytest.mark.parametrize(
    ("teacher", "student"),
    [
        ((WHOLE, (64, 32, 8)), (SPELT, (96, 64, 16))),  # A window each.
        ((WHOLE, (64, 32, 8)), (SPELT, (32, 10, 8))),
        ((SPELT, (32, 10, 8)), (WHOLE, (64, 32, 8))),
        ((SPELT, (30, 7, 4)), (WHOLE, (12, 3, 4))),
        ((WHOLE, (12, 3, 4)), (WHOLE, (14, 5, 4))),
    ],
)
def test_scores_meet_in_words(teacher, student):
    theirs, ours = features(*teacher), features(*student)
    scores = scores_of(theirs)
    found = scores_for_student(theirs, scores, ours, QUESTIONS)
    np.testing.assert_array_equal(found, expected_scores(theirs, scores, ours))
    assert not np.array_equal(found.shape, scores.shape)


def test_the_best_span_of_words_stays_the_best():
    theirs, ours = features(WHOLE, (64, 32, 8)), features(SPELT, (96, 64, 16))
    scores = np.full((len(theirs.input_ids), 2), -5.0, np.float32)
    words = split_words(CONTEXTS[0])
    start = int(theirs.context_start[0])
    scores[start + words.index("lazy"), 0] = scores[start + words.index("dog"), 1] = 5.0
    found = scores_for_student(theirs, scores, ours, QUESTIONS)[: ours.row_splits[1]]
    first, last = found.argmax(axis=0)
    text = "".join(SPELT.tokens[each].removeprefix("##") for each in ours.input_ids[first : last + 1])
    assert text == "lazydog"


def test_a_question_that_the_teacher_has_no_window_of_says_nothing():
    unspoken = [Question("1", "who", 0)]
    theirs = make_features(unspoken, tokenize_contexts(["\u200b"], WHOLE), WHOLE, WindowSize(16, 8, 4))
    ours = make_features(unspoken, tokenize_contexts(["dog"], WHOLE), WHOLE, WindowSize(16, 8, 4))
    assert len(theirs.question) == 0 and split_words("dog") == ["dog"]
    assert not scores_for_student(theirs, np.zeros((0, 2), np.float32), ours, unspoken).any()
