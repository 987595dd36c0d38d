"""Words, pieces, windows: every word is labelled once, where it has most context."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from official.errors import InputError
from official.tasks.tagging.tagging_features import cut_windows, make_features
from official.tokenization.wordpiece import WordPieceTokenizer

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##b", "c", "."]
TOKENIZER = WordPieceTokenizer.from_tokens(TOKENS)
CLS, SEP, UNK = TOKENIZER.cls_id, TOKENIZER.sep_id, TOKENIZER.unk_id


def rows(features):
    examples = features.examples
    return [TOKENIZER.convert_ids_to_tokens(row) for row in np.split(examples.input_ids, examples.row_splits[1:-1])]


def label_rows(features, labels):
    examples = features.with_labels(labels)
    return [row.tolist() for row in np.split(examples.token_labels, examples.row_splits[1:-1])]


def test_the_label_sits_on_the_first_piece():
    features = make_features([["abb", "c"], ["b"]], TOKENIZER, 16)
    assert rows(features) == [["[CLS]", "a", "##b", "##b", "c", "[SEP]"], ["[CLS]", "b", "[SEP]"]]
    assert label_rows(features, [7, 8, 9]) == [[-1, 7, -1, -1, 8, -1], [-1, 9, -1]]
    assert features.examples.row_splits.tolist() == [0, 6, 9]
    assert features.examples.segment_ids.tolist() == [0] * 9


@pytest.mark.parametrize("word", ["", " ", "\u200b", "\x07", "\ufffd", "zzz", "x" * 1_000])
def test_a_word_of_which_nothing_is_left_or_known_is_unknown(word):
    features = make_features([["a", word, "b"]], TOKENIZER, 16)
    assert rows(features) == [["[CLS]", "a", "[UNK]", "b", "[SEP]"]]


def test_a_long_sentence_is_cut_into_windows_and_each_word_is_labelled_where_it_has_most_context():
    features = make_features([["a"] * 10], TOKENIZER, 6, doc_stride=2)
    # Windows of four: words 0-3, 2-5, 4-7, 6-9.
    assert [len(row) for row in rows(features)] == [6, 6, 6, 6]
    assert label_rows(features, range(10)) == [
        [-1, 0, 1, 2, -1, -1],
        [-1, -1, 3, 4, -1, -1],
        [-1, -1, 5, 6, -1, -1],
        [-1, -1, 7, 8, 9, -1],
    ]


def test_a_word_of_more_pieces_than_fit_is_cut_and_still_labelled():
    features = make_features([["c", "." * 50, "c"]], TOKENIZER, 8)
    assert rows(features) == [["[CLS]", "c", "[SEP]"], ["[CLS]", *"......", "[SEP]"], ["[CLS]", "c", "[SEP]"]]
    assert label_rows(features, [1, 2, 3]) == [[-1, 1, -1], [-1, 2] + [-1] * 6, [-1, 3, -1]]


def test_documents_are_read_as_a_whole_when_asked():
    sentences = [["a", "b"], ["c"], ["a"]]
    features = make_features(sentences, TOKENIZER, 16, context=[True, False, True])
    assert rows(features) == [["[CLS]", "a", "b", "c", "[SEP]"], ["[CLS]", "a", "[SEP]"]]
    assert features.token.tolist() == [1, 2, 3, 6]
    assert len(make_features(sentences, TOKENIZER, 16, context=[False] * 3).examples) == 1


def test_logits_of_windows_become_logits_of_words():
    features = make_features([["a"] * 10], TOKENIZER, 6, doc_stride=2)
    logits = [np.arange(6 * 2).reshape(6, 2) + 100 * window for window in range(4)]
    found = features.word_logits(logits)
    assert found.shape == (10, 2)
    assert found[:, 0].tolist() == [2, 4, 6, 104, 106, 204, 206, 304, 306, 308]


def test_lengths_and_strides_that_leave_gaps_are_refused():
    with pytest.raises(InputError, match="--max_seq_length is 2"):
        make_features([["a"]], TOKENIZER, 2)
    with pytest.raises(InputError, match="--doc_stride is 7: at most 6"):
        make_features([["a"]], TOKENIZER, 8, doc_stride=7)


def test_ten_thousand_words_are_all_labelled():
    features = make_features([["ab", "c"] * 5_000], TOKENIZER, 128)
    examples = features.with_labels(range(10_000))
    assert sorted(examples.token_labels[examples.token_labels >= 0].tolist()) == list(range(10_000))
    assert examples.lengths.max() == 128 or examples.lengths.max() == 127


def context(splits, window, word):
    return min(splits[word] - splits[window.first], splits[window.end] - 1 - splits[word])


@given(st.lists(st.integers(1, 8), min_size=1, max_size=60), st.integers(8, 30), st.data())
def test_windows_hold_what_fits_leave_no_gap_and_label_each_word_where_it_has_most_context(sizes, room, data):
    stride = data.draw(st.integers(1, room))
    splits = np.cumsum([0, *sizes])
    windows = cut_windows(splits, 0, len(sizes), room, stride)
    assert all(splits[window.end] - splits[window.first] <= room for window in windows)
    assert all(window.first <= window.labels_from <= window.labels_to <= window.end for window in windows)
    labelled = [word for window in windows for word in range(window.labels_from, window.labels_to)]
    assert labelled == list(range(len(sizes)))
    ends = [window.end for window in windows]
    assert ends == sorted(set(ends)), "a window that adds nothing"
    for window in windows:
        for word in range(window.labels_from, window.labels_to):
            others = [other for other in windows if other.first <= word < other.end]
            assert context(splits, window, word) == max(context(splits, other, word) for other in others)


@given(st.lists(st.lists(st.text(max_size=6), min_size=1, max_size=8), min_size=1, max_size=5), st.integers(3, 12))
def test_any_words_get_one_label_each_at_a_first_piece(sentences, length):
    features = make_features(sentences, TOKENIZER, length)
    words = [word for sentence in sentences for word in sentence]
    first_pieces = [(TOKENIZER.encode(word) or [UNK])[0] for word in words]
    assert features.examples.input_ids[features.token].tolist() == first_pieces
    assert len(set(features.token.tolist())) == len(words)
    assert features.examples.lengths.max() <= length
    starts, ends = features.examples.row_splits[:-1], features.examples.row_splits[1:] - 1
    assert set(features.examples.input_ids[starts].tolist()) == {CLS}
    assert set(features.examples.input_ids[ends].tolist()) == {SEP}
