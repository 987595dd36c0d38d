"""What a server answers to questions is what run_squad.py answers: the original's own files, to the last candidate."""

import json

import numpy as np
import pytest

from official.tasks.squad.squad_features import split_words
from official.tasks.squad.squad_files import read_squad
from tests.official.serving import programs


@pytest.mark.parametrize("version", [1, 2])
def test_answers_are_those_of_the_original(golden_bert, export_golden, program, version):
    data = read_squad(str(golden_bert / f"squad_v{version}.json"))
    golden = {
        name: json.loads((golden_bert / f"squad_v{version}_{name}.json").read_text())
        for name in ("predictions", "nbest_predictions", *["null_odds"] * (version == 2))
    }
    path = export_golden(
        "ckpt_squad",
        f"squad_v{version}",
        max_seq_length=64,
        doc_stride=24,
        max_query_length=20,
        version_2_with_negative=version == 2,
    )
    asked = {
        "question": programs.strings(*(question.text for question in data.questions)),
        "context": programs.strings(*(data.contexts[question.context] for question in data.questions)),
    }
    best, n_best = program(path, [("serving_default", asked), ("n_best", asked)])
    names = [question.id for question in data.questions]
    assert [answer.decode() for answer in best["answer"]] == [golden["predictions"][name] for name in names]
    for row, question in enumerate(data.questions):
        start, end = best["start_char"][row], best["end_char"][row]
        context = data.contexts[question.context]
        assert " ".join(split_words(context[start:end])) == best["answer"][row].decode()
    if version == 2:
        np.testing.assert_allclose(best["null_odds"], [golden["null_odds"][name] for name in names], atol=1e-5)
        np.testing.assert_array_equal(n_best["null_odds"], best["null_odds"])
    assert_n_best(n_best, [golden["nbest_predictions"][name] for name in names])


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
