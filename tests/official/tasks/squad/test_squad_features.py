"""Windows on contexts are those of the original, however short, long or strange the texts."""

import subprocess
import sys
import time
from collections import Counter

import numpy as np
import published_squad as published
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from squad_texts import TEXTS, TOKENIZER

from data_prep import byte_level_bpe
from official.errors import InputError
from official.tasks.squad.squad_features import WindowSize, make_features, split_words, tokenize_contexts
from official.tasks.squad.squad_files import Question

PURE = ["alignment", "answers", "console", "features", "files", "scores", "targets", "threshold"]
SIZES = st.builds(
    lambda query, room, stride: WindowSize(query + 3 + room, stride, query),
    st.integers(0, 6),
    st.integers(1, 20),
    st.integers(1, 12),
)


def features_of(contexts, questions, size):
    """Of (text, context) pairs."""
    questions = [Question(str(number), text, context) for number, (text, context) in enumerate(questions)]
    return make_features(questions, tokenize_contexts(contexts, TOKENIZER), TOKENIZER, size)


def published_windows(context, question, size):
    words, _ = published.words_and_places(context)
    pieces = [TOKENIZER.tokenize(word) for word in words]
    sizes = size.max_seq_length, size.doc_stride, size.max_query_length
    return published.windows(TOKENIZER.tokenize(question), pieces, *sizes)


@settings(max_examples=150, deadline=None)
@given(contexts=st.lists(TEXTS, min_size=1, max_size=4), questions=st.lists(TEXTS, min_size=1, max_size=4), size=SIZES)
def test_windows_are_the_published_ones(contexts, questions, size):
    asked = [(text, context) for context in range(len(contexts)) for text in questions]
    features = features_of(contexts, asked, size)
    window = 0
    for number, (text, context) in enumerate(asked):
        for expected in published_windows(contexts[context], text, size):
            row = slice(*features.row_splits[window : window + 2])
            offset, shift = expected["offset"], expected["first"] - expected["offset"]
            tokens = TOKENIZER.convert_ids_to_tokens(features.input_ids[row])
            assert features.question[window] == number and tokens == expected["tokens"]
            assert features.segment_ids[row].tolist() == [0] * offset + [1] * (len(tokens) - offset)
            assert (features.context_start[window], features.first_token[window]) == (offset, expected["first"])
            assert set(range(*features.max_context[window])) == expected["best"]
            words = features.contexts.words_of(context)
            assert {p: words[p + shift] for p in range(offset, features.context_end[window])} == expected["words"]
            window += 1
    assert window == len(features.question)


@settings(max_examples=100, deadline=None)
@given(tokens=st.integers(0, 900), room=st.integers(1, 200), stride=st.integers(1, 200))
def test_of_many_windows_each_has_a_stretch_of_most_context(tokens, room, stride):
    size = WindowSize(room + 3, stride, 0)
    features = features_of(["a " * tokens], [("", 0)], size)
    spans = list(zip(features.first_token.tolist(), (features.context_end - features.context_start).tolist()))
    shift = (features.first_token - features.context_start)[:, np.newaxis]
    stretches = [range(*stretch) for stretch in (features.max_context + shift).tolist()]
    best = [published.best_window(spans, token) for token in range(0, tokens, 7)]
    assert best == [next(w for w, stretch in enumerate(stretches) if token in stretch) for token in range(0, tokens, 7)]
    assert sum(map(len, stretches)) == tokens


@settings(max_examples=100, deadline=None)
@given(context=TEXTS, size=SIZES, ends=st.tuples(st.integers(-1, 40), st.integers(0, 6)))
def test_answers_outside_of_a_window_are_at_cls(context, size, ends):
    start = ends[0]
    end = -1 if start < 0 else start + ends[1]
    features = features_of([context], [("the fox", 0)], size)
    starts, finishes = features.positions(np.array([start]), np.array([end]))
    windows = published_windows(context, "the fox", size)
    expected = [(0, 0) if start < 0 else published.positions(window, start, end) for window in windows]
    assert list(zip(starts.tolist(), finishes.tolist())) == expected


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ("", []),
        (" \t\r\n\u202f", []),
        ("one  two", ["one", "two"]),
        ("one\u202ftwo\u00a0three\u3000four", ["one", "two\u00a0three\u3000four"]),
    ],
)
def test_words_part_where_the_original_parts_them(context, words):
    assert split_words(context) == words == published.words_and_places(context)[0]


def test_a_context_of_a_hundred_thousand_characters_takes_no_time():
    contexts = ["the quick fox jumped over 1999. " * 3200, "中国" * 50_000, "a" * 100_000]
    started = time.monotonic()
    features = features_of(contexts, [("who?", 0), ("who?", 1), ("who?", 2)], WindowSize())
    assert time.monotonic() - started < 5
    assert np.bincount(features.question).tolist() == [274, 780, 1]  # 1 + ceil((tokens - 379) / 128)
    assert np.diff(features.row_splits).max() == 384


@pytest.mark.parametrize("module", [f"official.tasks.squad.squad_{name}" for name in PURE])
def test_files_windows_answers_and_scores_need_no_tensorflow(module):
    program = f"import sys, {module}; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("special", [3, 4], ids=["WordPiece", "byte-level BPE"])
def test_a_window_without_room_for_a_context_is_an_error(special):
    tokenizer = TOKENIZER if special == 3 else byte_level_bpe.learn_from_counts(Counter(" a b c".split()), 300, 1)
    contexts, questions = tokenize_contexts(["a b c"], tokenizer), [Question("1", "a b", 0)]
    make_features(questions, contexts, tokenizer, WindowSize(9 + special, 4, 8))
    with pytest.raises(InputError, match=f"--max_query_length=8 and {special} special tokens leave no room"):
        make_features(questions, contexts, tokenizer, WindowSize(8 + special, 4, 8))
