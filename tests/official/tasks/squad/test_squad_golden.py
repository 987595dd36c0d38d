"""Answers to questions on strange texts, from file to predictions, against another tokenizer and the plain loops."""

import json

import published_squad as published
import pytest
from squad_texts import write

from official.tasks.squad.squad_answers import CERTAIN_ODDS, SearchOptions, find_answers
from official.tasks.squad.squad_features import WindowSize, make_features, tokenize_contexts
from official.tasks.squad.squad_files import read_squad
from official.tokenization.wordpiece import WordPieceTokenizer


@pytest.fixture(scope="module")
def golden(repository):
    return json.loads((repository / "tests" / "golden" / "squad_answers.json").read_text("utf-8"))


def answers_of(path, tokenizer, size, options):
    file = read_squad(path)
    features = make_features(file.questions, tokenize_contexts(file.contexts, tokenizer), tokenizer, size)
    windows = range(len(features.question))
    logits = tuple([published.some_logits(window, side, size.max_seq_length) for window in windows] for side in (0, 1))
    answers = find_answers(file.questions, file.contexts, features, logits, tokenizer, options)
    return {question.id: n_best for question, n_best in zip(file.questions, answers)}


@pytest.mark.parametrize("number", range(4))
def test_predictions_are_those_of_another_tokenizer_and_plain_loops(golden, tmp_path, number):
    case = golden["cases"][number]
    tokenizer = WordPieceTokenizer.from_tokens(golden["vocabulary"], lower_case=case["lower_case"])
    negative = case["threshold"] is not None
    options = SearchOptions(*case["search"], version_2_with_negative=negative)
    found = answers_of(write(tmp_path / "f.json", case["squad"]), tokenizer, WindowSize(*case["window"]), options)
    assert list(found) == list(case["predictions"])  # In this order.
    for name, n_best in found.items():
        assert n_best.text(case["threshold"] or 0.0) == case["predictions"][name]
        for candidate, expected in zip(n_best.as_json(), case["n_best"][name], strict=True):
            # Since Python 3.12 `sum` rounds once, before at every step.
            assert candidate == expected | {"probability": pytest.approx(expected["probability"], rel=1e-14)}
        if negative:
            odds = case["null_odds"][name]
            assert n_best.null_odds == (CERTAIN_ODDS if odds is None else odds)
