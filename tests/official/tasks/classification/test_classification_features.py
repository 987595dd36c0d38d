"""[CLS] a [SEP] b [SEP], cut as the original cuts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from official.tasks.classification.classification_examples import Example
from official.tasks.classification.classification_features import kept_lengths, token_rows
from official.tokenization.wordpiece import WordPieceTokenizer

TOKENS = ["[UNK]", "a", "b", "[SEP]", "c", "[CLS]", "##x"]
UNK, A, B, SEP, C, CLS, X = range(7)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_pairs_lose_the_last_token_of_the_longer_one_until_they_fit(a, b, max_length):
    expected_a, expected_b = a, b
    while expected_a + expected_b > max_length:
        if expected_a > expected_b:
            expected_a -= 1
        else:
            expected_b -= 1
    assert kept_lengths(a, b, max_length) == (expected_a, expected_b)


@pytest.mark.parametrize(
    "text_a, text_b, max_seq_length, ids, segments",
    [
        ("a b", None, 128, [CLS, A, B, SEP], [0, 0, 0, 0]),
        ("a b", "c", 128, [CLS, A, B, SEP, C, SEP], [0, 0, 0, 0, 1, 1]),
        ("a b", "", 128, [CLS, A, B, SEP], [0, 0, 0, 0]),
        ("a b", " \u200b", 128, [CLS, A, B, SEP], [0, 0, 0, 0]),
        ("", None, 128, [CLS, SEP], [0, 0]),
        ("", "c", 128, [CLS, SEP, C, SEP], [0, 0, 1, 1]),
        ("ax \0b\tz", None, 128, [CLS, A, X, B, UNK, SEP], [0] * 6),
        ("a b c", None, 4, [CLS, A, B, SEP], [0] * 4),
        ("a b c", "c b a", 7, [CLS, A, B, SEP, C, B, SEP], [0, 0, 0, 0, 1, 1, 1]),
        ("a b c", "c b a", 6, [CLS, A, B, SEP, C, SEP], [0, 0, 0, 0, 1, 1]),
        ("a b c", "c b a", 3, [CLS, SEP, SEP], [0, 0, 1]),
    ],
)
def test_texts_become_tokens_and_segments(text_a, text_b, max_seq_length, ids, segments):
    example = Example("dev-1", ((text_a, text_b),), None, "dev.tsv", 1)
    assert list(token_rows([example], WordPieceTokenizer.from_tokens(TOKENS), max_seq_length)) == [(ids, segments)]


def test_each_choice_is_a_row():
    example = Example("dev-1", (("a", "b"), ("a", "c")), None, "dev.csv", 1)
    rows = list(token_rows([example], WordPieceTokenizer.from_tokens(TOKENS), 9))
    assert [ids for ids, _ in rows] == [[CLS, A, SEP, B, SEP], [CLS, A, SEP, C, SEP]]
