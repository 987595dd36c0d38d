"""sentence_order: ALBERT's pairs, half of them exchanged."""

import plain_formats
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import SIZES, documents_of, make_rows


@given(sizes=SIZES, length=st.integers(5, 40), seed=st.integers(0, 99), short_seq_prob=st.sampled_from([0.0, 0.5]))
@settings(max_examples=200)
def test_pairs_are_those_of_the_published_algorithm(sizes, length, seed, short_seq_prob):
    documents = documents_of(sizes)
    rows, _ = make_rows(documents, "sentence_order", length, seed, short_seq_prob=short_seq_prob)
    assert rows == plain_formats.sentence_order(documents, length, short_seq_prob, seed)


def test_half_of_the_pairs_are_exchanged_and_all_are_consecutive():
    documents = documents_of([[1] * 500] * 100)  # Chunks end where rows do: nothing is cut off.
    rows, counts = make_rows(documents, "sentence_order", 19, at_a_time=256, short_seq_prob=0.1)
    assert counts.alone[0] <= 100
    for (a, b), label in rows:
        first, second = (b, a) if label else (a, b)
        is_alone = label and len(a) == 1 and first[-1] + 1 != second[0]
        assert is_alone or first + second == list(range(first[0], second[-1] + 1))
    share = (counts.pair_labels[1] - counts.alone[0]) / (len(rows) - counts.alone[0])
    assert abs(share - 0.5) < 0.04  # About 3,500: a standard deviation is 0.008.


def test_a_segment_that_stands_alone_gets_random_text_and_is_labelled_exchanged():
    documents = documents_of([[4], [5], [6]])
    rows, counts = make_rows(documents, "sentence_order", 32)
    assert [label for _, label in rows] == [1, 1, 1] and counts.alone[0] == 3
    assert all(b != a and b in [document[0] for document in documents] for (a, b), _ in rows)
