"""Texts of a megabyte and sentences of 200,000 words are answered, and memory is bounded."""

import pytest

from tests.official.serving import programs
from tests.official.serving.test_odd_requests import of_texts

pytestmark = pytest.mark.slow

MEGABYTE = 1_000_000
HUGE = programs.strings("x" * MEGABYTE, "a " * (MEGABYTE // 2), "\u0301" * (MEGABYTE // 2), "中" * (MEGABYTE // 3))
MOST_MEGABYTES = 3_000  # Of which TensorFlow itself takes 1,000.


def test_a_megabyte_in_one_text_is_answered_in_little_memory(exported, session):
    """Of every kind, but for vectors of tokens and choices, which are of sentences and pairs as elsewhere."""
    kinds = ("classifier", "regression", "tagger", "questions_v1", "questions_v2", "encoder", "fill_mask")
    asked = {exported(kind): of_texts(kind, HUGE, HUGE[::-1].copy()) for kind in kinds}
    answers, megabytes = session.exchange(asked)
    for path in asked:
        for error, answer in answers[path]:
            assert not error, path
            assert all(len(values) == len(HUGE) for values in answer.values())
    assert megabytes < MOST_MEGABYTES


def test_two_hundred_thousand_words_all_have_a_label(exported, session):
    count = 200_000
    words = programs.column([b"fox", b"x" * 40] * (count // 2)).reshape(1, count)
    requests = [
        ("serving_words", {"words": words}),
        ("serving_default", {"text": programs.column([b" ".join(words[0])])}),
    ]
    answers, megabytes = session.exchange({exported("tagger"): requests})
    for error, answer in answers[exported("tagger")]:
        assert not error and answer["num_words"].tolist() == [count]
        assert set(answer["labels"][0]) <= {b"O", b"B-LOC", b"I-LOC"}
    assert megabytes < MOST_MEGABYTES
