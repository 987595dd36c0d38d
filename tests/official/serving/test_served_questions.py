"""What a server answers to questions is what run_squad.py answers: the original's own files, to the last candidate."""

import json

import numpy as np
import pytest

from official.tasks.squad.squad_features import split_words
from official.tasks.squad.squad_files import read_squad
from tests.official.serving import programs

SIZE = {"max_seq_length": 64, "doc_stride": 24, "max_query_length": 20}


def original(golden_bert, version: int, name: str) -> dict:
    return json.loads((golden_bert / f"squad_v{version}_{name}.json").read_text())


def asked(data) -> dict[str, np.ndarray]:
    """All questions of a file."""
    return {
        "question": programs.strings(*(question.text for question in data.questions)),
        "context": programs.strings(*(data.contexts[question.context] for question in data.questions)),
    }


@pytest.mark.parametrize("version", [1, 2])
def test_answers_are_those_of_the_original(golden_bert, export_golden, program, version):
    data = read_squad(str(golden_bert / f"squad_v{version}.json"))
    path = export_golden("ckpt_squad", f"squad_v{version}", version_2_with_negative=version == 2, **SIZE)
    best, n_best = program(path, [(signature, asked(data)) for signature in ("serving_default", "n_best")])
    expected = original(golden_bert, version, "predictions")
    names = [question.id for question in data.questions]
    assert [answer.decode() for answer in best["answer"]] == [expected[name] for name in names]
    assert_places(best, data)
    if version == 2:
        odds = original(golden_bert, 2, "null_odds")
        np.testing.assert_allclose(best["null_odds"], [odds[name] for name in names], atol=1e-5)
        np.testing.assert_array_equal(n_best["null_odds"], best["null_odds"])
    candidates = original(golden_bert, version, "nbest_predictions")
    assert_n_best(n_best, [candidates[name] for name in names])


def test_half_of_the_questions_have_answers_where_the_threshold_lies_between(golden_bert, export_golden, session):
    data = read_squad(str(golden_bert / "squad_v2.json"))
    odds, candidates = (original(golden_bert, 2, name) for name in ("null_odds", "nbest_predictions"))
    threshold = float(np.median(list(odds.values())))  # Half way between two of 36.
    options = SIZE | {"version_2_with_negative": True, "null_score_diff_threshold": threshold}
    (best,) = session(export_golden("ckpt_squad", "squad_half", **options), [("serving_default", asked(data))])
    for question, answer in zip(data.questions, best["answer"]):
        has_text = next(candidate["text"] for candidate in candidates[question.id] if candidate["text"])
        assert answer.decode() == ("" if odds[question.id] > threshold else has_text)
    assert (best["answer"] == b"").sum() == len(data.questions) // 2
    assert_places(best, data)


def assert_places(best, data):
    """The characters that an answer is said to stand at are it."""
    for row, question in enumerate(data.questions):
        text = data.contexts[question.context][best["start_char"][row] : best["end_char"][row]]
        assert " ".join(split_words(text)) == best["answer"][row].decode()


def assert_n_best(found, expected):
    """The same candidates with the same scores and probabilities; that of no answer stands apart."""
    for row, candidates in enumerate(expected):
        null = [candidate["probability"] for candidate in candidates if not candidate["text"]]
        if null:
            assert found["null_probability"][row] == pytest.approx(null[0], abs=1e-5)
        candidates = [candidate for candidate in candidates if candidate["text"]]
        count = found["num_answers"][row]
        answers = [answer.decode() for answer in found["answers"][row][:count]]
        assert answers == [candidate["text"] for candidate in candidates]
        probabilities = [candidate["probability"] for candidate in candidates]
        assert found["probabilities"][row][:count] == pytest.approx(probabilities, abs=1e-5)
        scores = [candidate["start_logit"] + candidate["end_logit"] for candidate in candidates]
        assert found["scores"][row][:count] == pytest.approx(scores, abs=2e-5)
