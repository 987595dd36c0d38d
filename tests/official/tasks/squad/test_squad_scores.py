"""The official scores: rules by hand, the figures of other implementations, and a plain second reading."""

import collections
import itertools
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from official.errors import InputError
from official.tasks.squad import squad_scores as scores
from official.tasks.squad.squad_files import Answer, Question, SquadFile
from official.tasks.squad.squad_threshold import best_threshold, stored_threshold

TEXTS = st.lists(st.sampled_from(["a", "The", "an", "fox", "Fox", "fox's", ",", "-", "", "quick fox"]), max_size=4).map(
    " ".join
)


def asked(name, *golds):
    return Question(name, "who?", 0, tuple(Answer(gold, 0) for gold in golds))


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("The  Quick\tFox.", "quick fox"),
        ("a an the", ""),
        ("theatre an-other", "theatre another"),
        ("U.S.", "us"),
        ("“the” fox", "“ ” fox"),
        ("the\u00a0fox", "fox"),
    ],
)
def test_texts_are_normalised(text, normal):
    assert scores.normalize(text) == normal


@pytest.mark.parametrize(
    ("prediction", "gold", "exact", "f1", "f1_with_empty"),
    [
        ("the fox", "Fox.", 1, 1, 1),
        ("quick fox", "fox", 0, 2 / 3, 2 / 3),
        ("fox fox", "fox", 0, 2 / 3, 2 / 3),
        ("over", "fox", 0, 0, 0),
        ("", "fox", 0, 0, 0),
        ("", "", 1, 0, 1),
        ("the", "a", 1, 0, 1),
    ],
)
def test_exact_match_and_f1_of_two_texts(prediction, gold, exact, f1, f1_with_empty):
    assert scores.exact_match(prediction, gold) == exact
    assert scores.f1(prediction, gold) == pytest.approx(f1)
    assert scores.f1_with_empty(prediction, gold) == pytest.approx(f1_with_empty)


@pytest.fixture(scope="module")
def golden(repository):
    return json.loads((repository / "tests" / "golden" / "squad_scores.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def golden_questions(golden):
    return [asked(name, *golds) for name, golds in golden["golds"].items()]


def test_v1_scores_are_those_of_torchmetrics(golden, golden_questions):
    asked_of_both = [question for question in golden_questions if question.id in golden["v1_questions"]]
    found = scores.score_v1(asked_of_both, golden["predictions"])
    assert {name: found[name] for name in golden["v1"]} == golden["v1"]


def test_v2_scores_and_thresholds_are_those_of_transformers(golden, golden_questions):
    found = scores.score_v2(golden_questions, golden["predictions"], golden["null_odds"])
    # Up to the last digit or two: since Python 3.12 `sum` rounds once, before at every step.
    assert found == pytest.approx(golden["v2"], rel=1e-14)


QUESTIONS = st.lists(st.tuples(st.lists(TEXTS, max_size=3), TEXTS, st.integers(-3, 3).map(float)), min_size=1)


def second_reading(rows):
    """v2.0 with one threshold after the other: (exact, F1) in per cent of what each leaves of the predictions."""

    def words(text):
        text = "".join(c for c in text.lower() if c not in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
        return [word for word in re.split(r"\s+", text) if word not in ("a", "an", "the", "")]

    def overlap(one, other):
        if not one or not other:
            return float(one == other)
        common = sum((collections.Counter(one) & collections.Counter(other)).values())
        return 2 * common / (len(one) + len(other))

    def score(threshold):
        exact = f1 = 0
        for golds, prediction, odds in rows:
            golds = [words(gold) for gold in golds if words(gold)] or [[]]
            found = words("" if odds > threshold else prediction)
            exact += found in golds
            f1 += max(overlap(found, gold) for gold in golds)
        return 100 * exact / len(rows), 100 * f1 / len(rows)

    return {threshold: score(threshold) for threshold in [-10.0, *(odds for _, _, odds in rows)]} | {None: score(1e9)}


@settings(max_examples=200, deadline=None)
@given(QUESTIONS)
def test_v2_scores_are_those_of_a_second_reading(rows):
    questions = [asked(str(number), *golds) for number, (golds, _, _) in enumerate(rows)]
    predictions = {str(number): prediction for number, (_, prediction, _) in enumerate(rows)}
    odds = {str(number): value for number, (_, _, value) in enumerate(rows)}
    expected = second_reading(rows)
    found = scores.score_v2(questions, predictions, odds)
    assert (found["exact"], found["f1"]) == pytest.approx(expected.pop(None))
    assert found["total"] == len(rows) == found.get("HasAns_total", 0) + found.get("NoAns_total", 0)
    threshold = best_threshold(questions, predictions, odds)
    assert threshold.score == pytest.approx(max(f1 for _, f1 in expected.values()))
    at = max((value for value in expected if value <= threshold.value), default=-10.0)
    assert threshold.score == pytest.approx(expected[at][1])


def test_predictions_that_are_missing():
    questions = [asked("a", "fox"), asked("b", "fox"), asked("c")]
    assert scores.score_v1(questions[:2], {"a": "fox"}) == {"exact_match": 50.0, "f1": 50.0, "total": 2}
    found = scores.score_v2(questions, {"a": "fox"}, {"a": 0.0})
    assert (found["exact"], found["total"]) == (100.0, 1) and "NoAns_total" not in found
    with pytest.raises(InputError, match="nothing to score"):
        scores.score_v2(questions, {"z": ""}, {})


def test_questions_without_answers_can_not_be_scored():
    file = SquadFile(
        "f.json", ["c"], [asked("a"), Question("b", "who?", 0, None, place="data[0].paragraphs[0].qas[1]")]
    )
    with pytest.raises(InputError, match=r"f.json: data\[0\].paragraphs\[0\].qas\[1\].answers is missing"):
        scores.require_answers(file)


def test_the_table_names_the_groups():
    found = scores.score_v2([asked("a", "fox"), asked("b")], {"a": "fox", "b": "fox"}, {"a": -1.5, "b": 2.0})
    table = scores.as_table(
        found | {"best_null_score_diff_threshold": -1.5, "best_null_score_diff_threshold_f1": 100.0}
    )
    assert [line.split() for line in table.splitlines()] == [
        ["exact", "F1", "number"],
        ["all", "questions", "50.00", "50.00", "2"],
        ["with", "answer", "100.00", "100.00", "1"],
        ["without", "answer", "0.00", "0.00", "1"],
        ["best", "threshold", "100.00", "--null_score_diff_threshold=-1.5"],
    ]
    assert "all questions" in scores.as_table(scores.score_v1([asked("a", "fox")], {"a": "fox"}))


PLACES = ["out", "trained", "trained/model", "trained/checkpoints"]


@pytest.mark.parametrize(
    ("place", "checkpoint"), list(itertools.product(PLACES, ["trained/model", "trained/checkpoints/ckpt-7"]))
)
def test_the_best_threshold_is_looked_for_where_the_run_and_its_weights_are(tmp_path, place, checkpoint):
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "squad_scores.json").write_text('{"best_null_score_diff_threshold": -2.5}')
    arguments = str(tmp_path / "out"), str(tmp_path / checkpoint)
    if place == "out" or place == "trained" or checkpoint.startswith(place):
        assert stored_threshold(*arguments) == -2.5
    else:
        with pytest.raises(InputError, match="--do_eval finds the best threshold"):
            stored_threshold(*arguments)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"best_null_score_diff_threshold": "x"}', '{"best_null_score_diff_threshold": NaN}']
)
def test_a_file_of_scores_without_threshold_is_named(tmp_path, content):
    (tmp_path / "squad_scores.json").write_text(content)
    with pytest.raises(InputError, match="squad_scores.json: holds no best_null_score_diff_threshold"):
        stored_threshold(str(tmp_path), None)
