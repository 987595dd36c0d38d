"""From logits to answers as the original's loops have it, ties and oddities too; every answer stands in its context."""

import json

import numpy as np
import published_squad as published
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from squad_texts import TEXTS, TOKENIZER

from official.tasks.squad.squad_alignment import find_in_words, join_pieces
from official.tasks.squad.squad_answers import (
    CERTAIN_ODDS,
    NOTHING,
    NBest,
    SearchOptions,
    best_positions,
    find_answers,
)
from official.tasks.squad.squad_features import WindowSize, make_features, split_words, tokenize_contexts
from official.tasks.squad.squad_files import Question

SIZE = WindowSize(max_seq_length=20, doc_stride=5, max_query_length=4)
PADDED = 24
OPTIONS = st.builds(SearchOptions, st.integers(1, 25), st.integers(1, 12), st.booleans())


def features_of(context, *texts):
    questions = [Question(str(number), text, 0) for number, text in enumerate(texts)]
    return questions, make_features(questions, tokenize_contexts([context], TOKENIZER), TOKENIZER, SIZE)


def drawn_logits(seed, windows, levels=None):
    """Starts and ends; with few levels there are many ties."""
    random = np.random.default_rng(seed)
    logits = random.standard_normal((2, windows, PADDED)) * 3
    return (logits if levels is None else np.round(logits * levels) / levels).astype(np.float32)


def answers_of(context, logits_seed, options, levels=None):
    questions, features = features_of(context, "the fox", "quick")
    logits = drawn_logits(logits_seed, len(features.question), levels)
    return list(find_answers(questions, [context], features, tuple(logits), TOKENIZER, options)), features, logits


def published_answers(context, features, logits, options):
    words, _ = published.words_and_places(context)
    pieces = [TOKENIZER.tokenize(word) for word in words]
    for number, question in enumerate(("the fox", "quick")):
        sizes = SIZE.max_seq_length, SIZE.doc_stride, SIZE.max_query_length
        windows = published.windows(TOKENIZER.tokenize(question), pieces, *sizes)
        rows = np.flatnonzero(features.question == number)
        starts, ends = (logits[side][rows].tolist() for side in (0, 1))
        limits = options.n_best_size, options.max_answer_length, options.version_2_with_negative
        yield published.n_best(context, windows, starts, ends, TOKENIZER.basic.tokenize, *limits)


@settings(max_examples=250, deadline=None)
@given(context=TEXTS, seed=st.integers(0, 1 << 30), options=OPTIONS, levels=st.sampled_from([None, 1, 0.25]))
def test_candidates_are_those_of_the_published_loops(context, seed, options, levels):
    answers, features, logits = answers_of(context, seed, options, levels)
    for answer, (expected, odds) in zip(answers, published_answers(context, features, logits, options), strict=True):
        assert list(zip(answer.texts, answer.start_logits, answer.end_logits)) == expected
        assert answer.probabilities() == published.softmax([start + end for _, start, end in expected])
        if options.version_2_with_negative:
            assert answer.null_odds == (CERTAIN_ODDS if odds is None else odds)


def solid(text):
    return "".join(character for character in text if not character.isspace())


@settings(max_examples=250, deadline=None)
@given(context=TEXTS | st.text(max_size=60), seed=st.integers(0, 1 << 30), options=OPTIONS)
def test_every_candidate_is_a_part_of_its_context_white_space_aside(context, seed, options):
    answers, _, _ = answers_of(context, seed, options)
    for answer in answers:
        assert all(solid(text) in solid(context) for text in answer.texts)
        assert len(set(answer.texts)) == len(answer.texts) <= options.n_best_size + 1


STRANGE = [
    "ß",
    "İ",
    "e\u0301",
    "\u0301",
    "\U0001f98a",
    "\U00020000",
    "\u2028",
    "\u00a0",
    "\x0b",
    "\ufeff",
    "\r\n",
    "\ud800",
]


@settings(max_examples=250, deadline=None)
@given(
    context=TEXTS | st.text(max_size=60) | st.lists(st.sampled_from(["fox", "the", *STRANGE, " "])).map("".join),
    seed=st.integers(0, 1 << 30),
    options=OPTIONS,
)
def test_every_candidate_is_what_stands_at_its_place_each_run_of_white_space_a_blank(context, seed, options):
    answers, _, _ = answers_of(context, seed, options)
    for answer in answers:
        assert len(answer.places) == len(answer.texts)
        for text, place in zip(answer.texts, answer.places):
            assert (place is None) == (text == "")
            if place is not None:
                part = context[slice(*place)]
                assert text == " ".join(split_words(part)) and not {part[0], part[-1]} & set(published.WHITE_SPACE)


@pytest.mark.parametrize("context", ["", " \n", "\u200b", "\ufffd \x00"])
@pytest.mark.parametrize("negative", [False, True])
def test_a_context_without_tokens_has_no_answer(context, negative):
    answers, _, _ = answers_of(context, 1, SearchOptions(version_2_with_negative=negative))
    for answer in answers:
        assert answer.best_text == ""
        if negative:
            assert (answer.texts, answer.text(1e9), answer.null_odds) == (("",), "", CERTAIN_ODDS)
        else:  # What the original writes here.
            assert answer.text() == NOTHING
            assert answer.as_json() == [{"text": "empty", "probability": 1.0, "start_logit": 0.0, "end_logit": 0.0}]


@pytest.mark.parametrize("negative", [False, True])
def test_where_all_candidates_are_invalid_there_is_no_crash(negative):
    questions, features = features_of("the quick fox", "who?")
    logits = np.zeros((2, 1, PADDED), np.float32)
    logits[:, :, 1] = 9.0  # In the question.
    options = SearchOptions(n_best_size=1, version_2_with_negative=negative)
    (answer,) = find_answers(questions, ["the quick fox"], features, tuple(logits), TOKENIZER, options)
    assert answer.text() == ("" if negative else NOTHING)
    assert json.loads(json.dumps(answer.as_json()))


def test_padding_takes_places_among_the_best_as_in_the_original():
    questions, features = features_of("the quick fox", "who?")
    logits = np.zeros((2, 1, PADDED), np.float32)
    logits[:, :, 4] = 1.0
    logits[:, :, 15:] = 5.0
    for length, found in ((PADDED, ()), (features.row_splits[1], ("the",))):
        cut = tuple(logits[:, :, :length])
        options = SearchOptions(n_best_size=1)
        (answer,) = find_answers(questions, ["the quick fox"], features, cut, TOKENIZER, options)
        assert answer.texts == found


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=30), st.integers(1, 35))
def test_the_best_positions_come_in_the_order_of_a_stable_sort(logits, count):
    assert best_positions(np.array(logits), count).tolist() == published.best(logits, count)


@pytest.mark.parametrize(
    ("odds", "threshold", "text"),
    [(1.0, 0.0, ""), (0.0, 0.0, "fox"), (-1.0, 0.0, "fox"), (-1.0, -2.0, ""), (CERTAIN_ODDS, 5.0, "")],
)
def test_above_the_threshold_there_is_no_answer(odds, threshold, text):
    assert NBest(("", "fox", "the"), (2.0, 1.0, 0.0), (2.0, 1.0, 0.0), odds).text(threshold) == text


@pytest.mark.parametrize(
    ("pieces", "words", "text"),
    [
        ("steve smith", "Steve Smith's", "Steve Smith"),
        ("1895", "(1895-1943).", "1895"),
        ("s", "the fox's", "s"),
        ("cafe", "(CAFÉ),", "CAFÉ"),
        ("cafe", "CAFE\u0301", None),  # Normalisation takes a character away.
        ("[UNK]", "zebra", None),
        ("", "##", None),
        ("o", "foo boo", "o"),  # The first of several places.
        ("a b", "a\u00a0b", None),  # A no-break space is a character of the words.
    ],
)
def test_pieces_are_found_in_the_words_they_come_from(pieces, words, text):
    place = find_in_words(pieces, words, TOKENIZER.basic)
    assert (None if place is None else words[slice(*place)]) == text
    assert published.final_text(pieces, words, TOKENIZER.basic.tokenize) == (words if text is None else text)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [(["jump", "##ed", "over"], "jumped over"), (["##ed", "the"], "ed the"), (["##"], ""), (["[UNK]"], "[UNK]")],
)
def test_pieces_are_joined_to_words(tokens, text):
    assert join_pieces(tokens) == text


def test_spans_that_are_not_found_in_their_words_are_told():
    questions, features = features_of("zebra", "who?")
    told = []
    logits = tuple(np.zeros((2, 1, PADDED), np.float32))
    list(find_answers(questions, ["zebra"], features, logits, TOKENIZER, unaligned=lambda *span: told.append(span)))
    assert told == [("[UNK]", "zebra")]
