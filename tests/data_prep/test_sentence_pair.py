"""sentence_pair: single sentences with the following one or one of another document."""

import plain_formats
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import SIZES, documents_of, make_rows


@given(sizes=SIZES, length=st.integers(5, 40), seed=st.integers(0, 99))
@settings(max_examples=200)
def test_pairs_are_those_of_a_plain_reading_of_the_paper(sizes, length, seed):
    documents = documents_of(sizes)
    assert make_rows(documents, "sentence_pair", length, seed)[0] == plain_formats.sentence_pairs(
        documents, length, seed
    )


@given(sizes=SIZES, seed=st.integers(0, 99), per_document=st.booleans())
@settings(max_examples=100)
def test_every_sentence_is_read_once_beside_random_ones_and_labels_are_right(sizes, seed, per_document):
    documents = documents_of(sizes)
    following = {tuple(a): b for document in documents for a, b in zip(document, document[1:], strict=False)}
    rows, counts = make_rows(documents, "sentence_pair", 60, seed, per_document=per_document)
    read = []
    for (a, b), label in rows:
        read += [a] if label else [a, b]
        assert label or following[tuple(a)] == b
    assert sorted(read) == sorted(sentence for document in documents for sentence in document)
    assert counts.pair_labels[1] == sum(label for _, label in rows)


def test_half_of_the_pairs_that_could_follow_do():
    documents = documents_of([[3] * 200] * 40)
    of_document = {token: k for k, document in enumerate(documents) for sentence in document for token in sentence}
    rows, counts = make_rows(documents, "sentence_pair", 16, at_a_time=256)
    random = [(a, b) for (a, b), label in rows if label]
    could = len(rows) - counts.alone[0]
    assert abs((len(random) - counts.alone[0]) / could - 0.5) < 0.03  # About 5,300: a standard deviation is 0.007.
    assert all(of_document[a[0]] != of_document[b[0]] for a, b in random)
