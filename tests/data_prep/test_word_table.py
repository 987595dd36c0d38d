"""A table of words gives what the tokenizer gives, whatever is in it already."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep import word_table
from data_prep.word_table import LINE_IS_EMPTY, WordTable
from official.tokenization.wordpiece import WordPieceTokenizer

SIGNS = ".,'’‘“—‐‧†⁄§¿"  # Some are taken apart by the table, others by the tokenizer.
PIECES = ["[UNK]", "[CLS]", *"abcσςé日", *"##a ##b ##c ##σ ##ς ##日".split(), "ab", "abc", "##bc", *SIGNS]
SIGMA = "ΑΣ’Α ΑΣ.Α ΑΣ—α ΑΣ’ aΣ,Σ"  # Whether it is final depends on what is beyond the sign.


def tokenizer(lower_case: bool) -> WordPieceTokenizer:
    return WordPieceTokenizer({piece: index for index, piece in enumerate(PIECES)}, lower_case=lower_case)


TOKENIZERS = {lower_case: tokenizer(lower_case) for lower_case in (True, False)}
LETTERS = st.sampled_from(f"abcABΣσ日é\u0301\x0b\x7f\u2028\ud800\U00010400 \t{SIGNS}")
LINES = st.lists(st.one_of(st.just(""), st.text(LETTERS), st.text(st.characters(exclude_characters="\n"))), max_size=20)


def expected(lines, lower_case):
    encoded = [TOKENIZERS[lower_case].encode(line) for line in lines]
    lengths = [len(ids) for ids, line in zip(encoded, lines, strict=True) if ids or not line]
    return sum(encoded, []), lengths


def found(table, lines):
    ids, lengths = table.encode("\n".join([*lines, ""]).encode("utf-8", "surrogatepass"))
    assert ids.dtype == np.uint16
    return ids.tolist(), lengths.tolist()


@given(st.lists(LINES, max_size=4), st.booleans())
@settings(deadline=None, max_examples=300)
def test_any_lines_get_the_ids_of_the_tokenizer(batches, lower_case):
    table = WordTable(TOKENIZERS[lower_case], np.dtype(np.uint16))
    for lines in batches:
        assert found(table, lines) == expected(lines, lower_case)
        assert found(table, lines) == expected(lines, lower_case)  # Now from the table.


@pytest.mark.parametrize("lower_case", [True, False])
@pytest.mark.parametrize(
    "line",
    [SIGMA, "[CLS]", "it's", "a" * 1000, "日" * 300, "x—y—z", "…", "\x7f", "a\x00b", "a\ufffdb", "İ", "\ud800a", "é’é"],
)
def test_awkward_words_get_the_ids_of_the_tokenizer(line, lower_case):
    table = WordTable(TOKENIZERS[lower_case], np.dtype(np.uint16))
    for _ in range(2):
        assert found(table, [line, f"a {line}"]) == expected([line, f"a {line}"], lower_case)


@pytest.mark.parametrize("code_points", [range(0x2000, 0x2070), range(1, 0x300)])
def test_every_sign_parts_words_where_the_tokenizer_parts_them(code_points):
    table = WordTable(TOKENIZERS[True], np.dtype(np.uint16))
    lines = [f"a{chr(code)}b {chr(code)}a" for code in code_points if code != 0x0A]
    assert found(table, lines) == expected(lines, True)


def test_an_empty_line_is_told_from_one_without_tokens():
    assert found(WordTable(TOKENIZERS[True], np.dtype(np.uint16)), ["", "\x0b", "a"])[1] == [LINE_IS_EMPTY, 1]


@pytest.mark.parametrize(("limit", "value"), [("MAX_WORDS", 5), ("MAX_KEY_BYTES", 40)])
def test_a_table_that_is_full_begins_anew(monkeypatch, limit, value):
    monkeypatch.setattr(word_table, limit, value)
    table = WordTable(TOKENIZERS[True], np.dtype(np.uint16))
    for first in range(50):
        lines = [f"{'ab' * k} {'c' * k}, {'bc' * k}" for k in range(first, first + 3)]
        assert found(table, lines) == expected(lines, True)
