"""full_sentences and doc_sentences: whole sentences in rows of one segment, and every token once."""

import plain_formats
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import SIZES, documents_of, make_rows

BOTH = ["full_sentences", "doc_sentences"]
LENGTHS = st.integers(5, 40)


@given(sizes=SIZES, length=LENGTHS, seed=st.integers(0, 99))
@settings(max_examples=200)
def test_full_sentences_are_the_rows_of_a_plain_reading_of_the_paper(sizes, length, seed):
    documents = documents_of(sizes)
    _, order = plain_formats.in_drawn_order(documents, seed)
    rows, _ = make_rows(documents, "full_sentences", length, seed)
    assert rows == plain_formats.full_sentences(order, length, crosses_documents=True)


@given(sizes=SIZES, length=LENGTHS, seed=st.integers(0, 99), per_document=st.booleans())
@settings(max_examples=200)
def test_doc_sentences_are_the_rows_of_a_plain_reading_of_the_paper(sizes, length, seed, per_document):
    documents = documents_of(sizes)
    order = documents if per_document else plain_formats.in_drawn_order(documents, seed)[1]
    rows, _ = make_rows(documents, "doc_sentences", length, seed, per_document=per_document)
    assert rows == plain_formats.full_sentences(order, length, crosses_documents=False)


@pytest.mark.parametrize("name", BOTH)
@given(sizes=SIZES, length=LENGTHS)
@settings(max_examples=100)
def test_no_token_is_lost_or_comes_twice_and_no_row_is_too_long(name, sizes, length):
    documents = documents_of(sizes)
    rows, counts = make_rows(documents, name, length)
    text = sum((sum(segments, []) for segments, _ in rows), [])
    assert sorted(text) == list(range(5, 5 + len(text))) and len(text) == sum(map(sum, sizes))
    assert all(1 + sum(len(part) + 1 for part in segments) <= length for segments, _ in rows)
    assert counts.tokens[0] == sum(1 + sum(len(part) + 1 for part in segments) for segments, _ in rows)
    assert counts.pair_labels.tolist() == [len(rows), 0]


@given(sizes=SIZES, length=LENGTHS)
@settings(max_examples=100)
def test_a_separator_stands_between_documents_and_nowhere_else(sizes, length):
    documents = documents_of(sizes)
    of_document = {token: k for k, document in enumerate(documents) for sentence in document for token in sentence}
    rows, _ = make_rows(documents, "full_sentences", length)
    for segments, _ in rows:
        owners = [{of_document[token] for token in part} for part in segments]
        assert all(len(owner) == 1 for owner in owners)
        assert all(one != other for one, other in zip(owners, owners[1:], strict=False))


@pytest.mark.parametrize("name", BOTH)
@given(sizes=SIZES, at_a_time=st.integers(1, 50), dupe_factor=st.integers(1, 3))
@settings(max_examples=50)
def test_every_pass_makes_the_same_rows_however_many_are_made_at_a_time(name, sizes, at_a_time, dupe_factor):
    documents = documents_of(sizes)
    once, _ = make_rows(documents, name, 16)
    again, _ = make_rows(documents, name, 16, at_a_time=at_a_time, dupe_factor=dupe_factor)
    assert again == once * dupe_factor


def test_examples_of_the_rule():
    """Four tokens of text a row: [CLS] and [SEP] take the other two."""
    documents = [[[10, 11]], [[12]], [[13, 14, 15]], [[20, 21, 22, 23, 24, 25, 26, 27, 28], [29, 30], [31]]]
    rows = plain_formats.full_sentences(documents, 6, crosses_documents=True)
    expected = [[[10, 11], [12]], [[13, 14, 15]], [[20, 21, 22, 23]], [[24, 25, 26, 27]], [[28, 29, 30, 31]]]
    assert [segments for segments, _ in rows] == expected
    made, _ = make_rows(documents[-1:], "full_sentences", 6)
    assert [segments for segments, _ in made] == expected[2:]
