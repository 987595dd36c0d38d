"""Scores of taggers, against hand-made counts, seqeval and scikit-learn."""

import json
import random
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from official.tasks.tagging import conll, tagging_scores
from official.tasks.tagging.tag_schemes import Scheme, convert
from official.tasks.tagging.tagging_scores import EntityCounts

TRUE = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG", "I-ORG"]]
PREDICTED = [["B-PER", "I-PER", "O", "O"], ["B-LOC", "B-ORG", "B-ORG"]]


def test_entities_are_counted_by_type_and_all_together():
    assert tagging_scores.count_entities(TRUE, PREDICTED) == {
        "LOC": EntityCounts(true=1, found=1, correct=0),
        "ORG": EntityCounts(true=1, found=2, correct=0),
        "PER": EntityCounts(true=1, found=1, correct=1),
        "all": EntityCounts(true=3, found=4, correct=1),
    }
    scores = tagging_scores.score_entities(TRUE, PREDICTED, Scheme.IOB1)
    assert scores == {"accuracy": 4 / 7, "precision": 1 / 4, "recall": 1 / 3, "f1": pytest.approx(2 / 7)}


def test_nothing_found_and_nothing_there_score_zero():
    assert tagging_scores.score_entities([["O"]], [["O"]], Scheme.IO) == {
        "accuracy": 1.0,
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
    }


def test_another_number_of_labels_than_words_is_an_error():
    with pytest.raises(ValueError, match="2 labels were predicted for a sentence of 1 words"):
        tagging_scores.count_entities([["O"]], [["O", "O"]])


SCHEMES = {"iob2": Scheme.IOB2, "bioes": Scheme.BIOES, "bilou": Scheme.BILOU}


def test_tags_score_to_the_last_digit_as_seqeval_scored_them(repository):
    cases = json.loads((repository / "tests" / "golden" / "tagging_scores.json").read_text("utf-8"))
    assert len(cases) == 120
    for case in cases:
        ours = tagging_scores.score_entities(case["true"], case["predicted"], SCHEMES[case["scheme"]])
        assert {name: ours[name] for name in case["scores"]} == case["scores"]


# Where seqeval is installed. It is no dependency of the tests, since it has no wheel and can't be built everywhere.


def seqeval_scores(true, predicted, scheme):
    metrics = pytest.importorskip("seqeval.metrics")
    from seqeval import scheme as schemes

    theirs = {Scheme.IOB2: schemes.IOB2, Scheme.BIOES: schemes.IOBES, Scheme.BILOU: schemes.BILOU}[scheme]
    functions = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score}
    with warnings.catch_warnings(action="ignore"):
        scores = {f"strict_{name}": f(true, predicted, mode="strict", scheme=theirs) for name, f in functions.items()}
        if scheme is not Scheme.BILOU:  # Its default mode doesn't know the letters.
            scores |= {name: f(true, predicted) for name, f in functions.items()}
        return scores | {"accuracy": metrics.accuracy_score(true, predicted)}


def assert_like_seqeval(true, predicted, scheme):
    ours, theirs = tagging_scores.score_entities(true, predicted, scheme), seqeval_scores(true, predicted, scheme)
    assert {name: ours[name] for name in theirs} == theirs


LETTERS = {Scheme.IOB2: "BI", Scheme.BIOES: "BIES", Scheme.BILOU: "BILU"}


@pytest.mark.parametrize("scheme", LETTERS)
@given(data=st.data())
def test_random_tags_score_as_in_seqeval_to_the_last_digit(scheme, data):
    tags = st.sampled_from(["O"] + [f"{letter}-{kind}" for letter in LETTERS[scheme] for kind in "xy"])
    lengths = data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4))
    true, predicted = (
        [data.draw(st.lists(tags, min_size=length, max_size=length)) for length in lengths] for _ in range(2)
    )
    assert_like_seqeval(true, predicted, scheme)


@pytest.mark.parametrize("scheme", [Scheme.IOB2, Scheme.BIOES])
def test_real_tags_with_mistakes_score_as_in_seqeval_to_the_last_digit(scheme, shared):
    file = conll.read(str(shared / "data" / "wnut17" / "emerging.dev.conll"))
    true = [convert(sentence.labels, scheme) for sentence in file.sentences]
    tags, draw = sorted({label for labels in true for label in labels}), random.Random(0)
    predicted = [[draw.choice(tags) if draw.random() < 0.1 else label for label in labels] for labels in true]
    assert_like_seqeval(true, predicted, scheme)


def test_plain_labels_have_accuracy_and_mean_f1():
    true, predicted = [["NOUN", "VERB"], ["NOUN", "X"]], [["NOUN", "NOUN"], ["NOUN", "X"]]
    # F1: NOUN 4/5, VERB 0, X 1.
    assert tagging_scores.score_labels(true, predicted) == {"accuracy": 0.75, "macro_f1": pytest.approx(0.6)}
    lines = tagging_scores.label_table(true, predicted).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["NOUN", "66.67%", "100.00%", "80.00%", "2", "3"],
        ["VERB", "0.00%", "0.00%", "0.00%", "1", "0"],
        ["X", "100.00%", "100.00%", "100.00%", "1", "1"],
    ]


def test_the_table_of_entities_has_a_line_a_type():
    lines = tagging_scores.entity_table(tagging_scores.count_entities(TRUE, PREDICTED)).splitlines()
    assert [line.split()[0] for line in lines] == ["entities", "LOC", "ORG", "PER", "all"]
    assert lines[-1].split() == ["all", "25.00%", "33.33%", "28.57%", "3", "4", "1"]
    assert len({len(line) for line in lines}) == 1


def test_a_run_that_says_one_label_only_has_collapsed():
    assert tagging_scores.collapse(TRUE, [["O"] * 4, ["O"] * 3]) == "O"
    assert tagging_scores.collapse(TRUE, PREDICTED) is None
    assert tagging_scores.collapse([["O"]], [["O"]]) is None
