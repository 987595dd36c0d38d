"""electra: one or two segments of a document, cut to length, as in build_pretraining_dataset.py."""

import numpy as np
import plain_formats
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_rows import SIZES, documents_of, make_rows


@given(sizes=SIZES, length=st.integers(5, 60), seed=st.integers(0, 99))
@settings(max_examples=300)
def test_rows_are_those_of_the_published_algorithm(sizes, length, seed):
    documents = documents_of(sizes)
    assert make_rows(documents, "electra", length, seed)[0] == plain_formats.electra(documents, length, seed)


def test_shares_of_single_segments_and_random_lengths():
    documents = documents_of([[2] * 300] * 100)
    rows, counts = make_rows(documents, "electra", 24, at_a_time=256)
    single = np.mean([len(segments) == 1 for segments, _ in rows])
    # Of the rows that aim at less than the whole length some are too short for a second segment.
    assert single == pytest.approx(0.1, abs=0.03)
    assert counts.targets[1] / counts.targets.sum() == pytest.approx(0.05 * 19 / 20, abs=0.015)
    assert counts.targets.sum() == len(rows) > 2_500


@given(sizes=SIZES, length=st.integers(5, 60), seed=st.integers(0, 9))
@settings(max_examples=100)
def test_text_is_of_one_document_and_comes_once(sizes, length, seed):
    documents = documents_of(sizes)
    of_document = {token: k for k, document in enumerate(documents) for sentence in document for token in sentence}
    rows, _ = make_rows(documents, "electra", length, seed, per_document=True)
    tokens = [token for segments, _ in rows for part in segments for token in part]
    assert len(tokens) == len(set(tokens))
    for segments, label in rows:
        assert len({of_document[token] for part in segments for token in part}) == 1 and label == 0
        assert 1 + sum(len(part) + 1 for part in segments) <= length
