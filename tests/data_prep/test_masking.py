"""Masks that are written into records: ALBERT's n-grams, and other shares of [MASK], kept and random tokens."""

import collections
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep import instances as made
from data_prep import masking, mersenne

CLS, SEP, MASK, FIRST_WORD, VOCAB_SIZE = 2, 3, 4, 5, 60
CONTINUATION = np.array([k >= FIRST_WORD and k % 3 == 0 for k in range(VOCAB_SIZE)])
VOCABULARY = made.Vocabulary(np.arange(VOCAB_SIZE), CONTINUATION, CLS, SEP, MASK)


def masked(tokens, wanted, seed, whole_words=True, max_ngram=3, favor_shorter=True, shares=(0.8, 0.5)):
    """`masking.mask` of one sequence: what is read, and what is to be predicted by position."""
    ids, size = np.array(tokens, np.uint16), len(tokens)
    rule = made.Masking(
        True, whole_words, np.full(size + 1, wanted), *shares, masking.ngram_shares(max_ngram, favor_shorter)
    )
    positions, labels, fates = np.zeros(wanted, np.uint16), np.zeros(wanted, np.uint16), np.zeros(3, np.int64)
    count = masking.mask(mersenne.seeded_state(seed), ids, size, VOCABULARY, rule, positions, labels, fates)
    predicted = dict(zip(positions[:count].tolist(), labels[:count].tolist(), strict=True))
    assert list(predicted) == sorted(predicted) and fates.sum() == count
    return ids.tolist(), predicted


def words_of(tokens, whole_words):
    words = []
    for place, token in enumerate(tokens):
        if token in (CLS, SEP):
            continue
        if whole_words and words and CONTINUATION[token]:
            words[-1].append(place)
        else:
            words.append([place])
    return words


def plainly_masked(tokens, wanted, seed, whole_words, shares):
    """Places in the order in which ALBERT's rule would cover them, lengths drawn as `shares` [longest] say."""
    rng, words, covered = random.Random(seed), words_of(tokens, whole_words), []
    order = list(range(len(words)))
    rng.shuffle(order)
    for word in order:
        if len(covered) >= wanted:
            break
        drawn = rng.random()
        n = next((n for n in range(1, len(shares)) if drawn < sum(shares[:n])), len(shares))
        options = [sum(words[word : word + m], []) for m in range(n, 0, -1)]
        fitting = [places for places in options if len(covered) + len(places) <= wanted]
        if fitting and not set(fitting[0]) & set(covered):
            covered += fitting[0]
            for _ in fitting[0]:
                if rng.random() >= 0.8 and rng.random() >= 0.5:
                    rng.randint(0, VOCAB_SIZE - 1)
    return set(covered)


TOKENS = st.lists(st.integers(FIRST_WORD, VOCAB_SIZE - 1), min_size=1, max_size=50)


@given(
    a=TOKENS,
    b=TOKENS,
    wanted=st.integers(1, 20),
    seed=st.integers(0, 2**20),
    whole=st.booleans(),
    shorter=st.booleans(),
)
@settings(max_examples=300)
def test_ngrams_are_those_of_the_published_rule(a, b, wanted, seed, whole, shorter):
    tokens, shares = [CLS, *a, SEP, *b, SEP], [6 / 11, 3 / 11, 2 / 11]
    _, predicted = masked(tokens, wanted, seed, whole, 3, shorter)
    assert set(predicted) == plainly_masked(tokens, wanted, seed, whole, shares if shorter else shares[::-1])
    assert all(tokens[place] == label for place, label in predicted.items())


@pytest.mark.parametrize("shorter, shares", [(True, [6, 3, 2]), (False, [2, 3, 6])])
def test_lengths_of_ngrams_have_shares_of_one_over_n(shorter, shares):
    """Of one n-gram in a sequence with room for it, which is all that is masked unless it is short."""
    tokens, lengths = [CLS, *[FIRST_WORD] * 400, SEP], collections.Counter()
    for seed in range(6_000):
        _, predicted = masked(tokens, 3, seed, favor_shorter=shorter)
        places = sorted(predicted)
        if places[-1] < 398 and places[2] - places[0] == 2:
            lengths[3] += 1
        elif places[1] - places[0] == 1 or places[2] - places[1] == 1:
            lengths[2] += 1
        else:
            lengths[1] += 1
    one, two, three = np.array(shares) / 11
    # Three are left for the first draw, and what it leaves is for the next one, which is shortened to fit: 3; 2 and 1;
    # 1 and 2 or more; 1, 1 and 1.
    expected = [one * one, two + one * (two + three), three]
    assert [lengths[n] / 6_000 for n in (1, 2, 3)] == pytest.approx(expected, abs=0.025)


@given(a=TOKENS, seed=st.integers(0, 2**20), wanted=st.integers(1, 20))
@settings(max_examples=100)
def test_whole_words_are_masked_together_and_no_special_token_is(a, seed, wanted):
    tokens = [CLS, *a, SEP, *a, SEP]
    ids, predicted = masked(tokens, wanted, seed)
    assert len(predicted) <= wanted
    assert all(set(word) <= set(predicted) or not set(word) & set(predicted) for word in words_of(tokens, True))
    assert all(ids[place] == token for place, token in enumerate(tokens) if place not in predicted)


@pytest.mark.parametrize("mask, keep, replace", [(1, 0, 0), (0.8, 0, 0.2), (0.8, 0.2, 0), (0, 0, 1), (0.6, 0.3, 0.1)])
def test_fates_have_the_shares_that_were_asked_for(mask, keep, replace):
    tokens, read = [CLS, *[FIRST_WORD] * 200, SEP], collections.Counter()
    keep_share = keep / (keep + replace) if keep + replace else 0.0
    for seed in range(100):
        ids, predicted = masked(tokens, 100, seed, max_ngram=1, shares=(float(mask), keep_share))
        read.update(min(ids[place], FIRST_WORD + 1) if ids[place] >= MASK else 0 for place in predicted)
    total = read.total()
    # A random token may be the same as before, or [MASK].
    assert read[MASK] / total == pytest.approx(mask + replace / VOCAB_SIZE, abs=0.015)
    assert read[FIRST_WORD] / total == pytest.approx(keep + replace / VOCAB_SIZE, abs=0.015)
