"""Odd texts have defined answers, and what makes no sense is refused in words."""

import numpy as np
import pytest

from official.serving.servable import as_examples
from tests.official.serving import programs, small_models
from tests.official.serving.test_independence import assert_same_rows, requests_for

# Undecodable bytes are left out: what is on the left is what is on the right.
UNDECODABLE = [
    (b"the \xffquick\xc3 fox", "the quick fox"),
    (b"\xed\xa0\x80a\xf4\x90\x80\x80b", "ab"),
    (b"\x80\x81\xfe", ""),
    (b"caf\xc3\xa9 \xc3", "café "),
    (b"\xc0\xafx \xe4\xb8", "x "),
]


def of_texts(kind: str, texts: np.ndarray, others: np.ndarray) -> list[programs.Request]:
    """To the signatures that tokenize."""
    requests = requests_for(kind, texts, others)
    return [request for request in requests if request[0] not in ("serving_tokens", "serving_examples")]


@pytest.mark.slow
def test_bytes_that_are_no_utf_8_are_left_out(exported, session):
    with_bytes, without = (programs.strings(*texts) for texts in zip(*UNDECODABLE))
    asked = {
        exported(kind): [
            request
            for texts in (with_bytes, without)
            for request in of_texts(kind, texts, texts)
            if request[0] != "serving_words"  # There it is the client who says what a word is.
        ]
        for kind in small_models.KINDS
    }
    answers, _ = session.exchange(asked)
    for path, requests in asked.items():
        half = len(requests) // 2
        for (signature, _), (error, found), (_, expected) in zip(requests, answers[path][:half], answers[path][half:]):
            assert not error, (path, signature)
            assert_same_rows(found, expected, (path, signature))


def tokens(**changes) -> dict[str, np.ndarray]:
    """Two rows of five tokens, but for `changes`."""
    ids = np.array([[2, 7, 8, 9, 3]] * 2, np.int32)
    return {"input_ids": ids, "input_mask": np.ones_like(ids), "segment_ids": np.zeros_like(ids)} | changes


def example(**features) -> np.ndarray:
    return as_examples({name: np.array([values]) for name, values in features.items()})


WRONG = {
    "a token id beyond the vocabulary": (
        ("serving_tokens", tokens(input_ids=np.full((2, 5), small_models.CONFIG.vocab_size, np.int32))),
        "input_ids: numbers from 0 to {last} were expected",
    ),
    "a negative token id": (
        ("serving_tokens", tokens(input_ids=np.full((2, 5), -1, np.int32))),
        "input_ids: numbers from 0 to {last} were expected",
    ),
    "a third segment": (
        ("serving_tokens", tokens(segment_ids=np.full((2, 5), 2, np.int32))),
        "segment_ids: numbers from 0 to 1 were expected",
    ),
    "more tokens than the model has positions": (
        ("serving_tokens", {name: np.ones((2, 65), np.int32) for name in tokens()}),
        "input_ids: more than 64 tokens, the model's positions",
    ),
    "a mask of another shape": (
        ("serving_tokens", tokens(input_mask=np.ones((2, 4), np.int32))),
        "input_mask: the shape of input_ids was expected",
    ),
    "segments for fewer rows": (
        ("serving_tokens", tokens(segment_ids=np.zeros((1, 5), np.int32))),
        "segment_ids: the shape of input_ids was expected",
    ),
    "more token ids in a record": (
        ("serving_examples", {"examples": example(input_ids=[1] * 65)}),
        "input_ids: more than 64 tokens, the model's positions",
    ),
    "no record": (("serving_examples", {"examples": programs.strings("nonsense")}), "Could not parse example input"),
    "a feature of another type": (
        ("serving_examples", {"examples": example(input_ids=[b"a"])}),
        "input_ids",
    ),
    "a record without token ids": (
        ("serving_examples", {"examples": example(input_mask=[1, 1])}),
        "input_ids: token ids were expected in each record",
    ),
    "a record without a text": (("classify", {"inputs": example(title=[b"a"])}), "text"),
}


def test_what_makes_no_sense_is_refused_in_words(exported, session):
    errors = session.errors(exported("classifier"), [request for request, _ in WRONG.values()])
    for (name, (_, expected)), error in zip(WRONG.items(), errors):
        told = error.replace("\\'", "'")
        assert expected.format(last=small_models.CONFIG.vocab_size - 1) in told, f"{name}: {error}"


def test_a_record_of_token_ids_alone_is_one_of_real_tokens_of_the_first_segment(exported, session):
    requests = [
        ("serving_tokens", tokens()),
        ("serving_examples", {"examples": as_examples({"input_ids": tokens()["input_ids"]})}),
    ]
    expected, found = session(exported("classifier"), requests)
    assert_same_rows(found, expected, "serving_examples")


def test_records_of_different_lengths_are_padded(exported, session):
    rows = [[2, 7, 8, 9, 3], [2, 3], [2, 7, 3]]
    records = np.concatenate([example(input_ids=row) for row in rows])
    asked = [("serving_examples", {"examples": records})]
    asked += [("serving_examples", {"examples": example(input_ids=row)}) for row in rows]
    together, *alone = session(exported("classifier"), asked)
    for number, expected in enumerate(alone):
        assert_same_rows({name: values[number : number + 1] for name, values in together.items()}, expected, number)


@pytest.mark.parametrize("kind", ["questions_v1", "questions_v2"])
def test_a_context_without_words_has_no_answer(exported, session, kind):
    asked = {"question": programs.strings("who", "", "who"), "context": programs.strings("", " \n", "\u200b")}
    best, n_best = session(exported(kind), [("serving_default", asked), ("n_best", asked)])
    assert best["answer"].tolist() == [b""] * 3 and (best["score"] == -1_000_000).all()
    assert not best["start_char"].any() and not best["end_char"].any()
    assert not n_best["num_answers"].any() and not n_best["probabilities"].any()
    if kind == "questions_v2":
        assert (best["null_odds"] == 1_000_000).all() and (n_best["null_probability"] == 1).all()


def test_no_words_have_no_labels(exported, session):
    words = np.array([[b"", b""], [b"fox", b""], [b"", b"fox"]], object)
    asked = [("serving_words", {"words": words}), ("serving_default", {"text": programs.strings("", " ", "\u3000")})]
    of_words, of_texts = session(exported("tagger"), asked)
    assert of_words["num_words"].tolist() == [0, 1, 2]  # "" before a word is one: it is [UNK].
    assert of_words["labels"].shape == (3, 2) and (of_words["labels"] == b"").sum() == 3
    assert not of_texts["num_words"].any() and of_texts["labels"].shape == (3, 0)
