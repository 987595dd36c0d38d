"""The compiled loops make the instances of the published algorithm, draw for draw."""

import collections

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_pretraining_data import Recipe, features, published_instances

from data_prep import formats, mersenne
from data_prep import instances as made
from data_prep.cursor import new_cursor
from data_prep.masking import predictions_by_length
from data_prep.streams import published_streams

VOCAB_SIZE, CLS, SEP, MASK, FIRST_WORD = 60, 2, 3, 4, 5
CONTINUATION = {k for k in range(FIRST_WORD, VOCAB_SIZE) if k % 3 == 0}


def recipe(**changes) -> Recipe:
    return Recipe(list(range(VOCAB_SIZE)), CONTINUATION, CLS, SEP, MASK, **changes)


def compiled_instances(documents, recipe, seed, at_a_time=3):
    """The same through `fill`, a few instances at a time."""
    documents = [document for document in documents if document]
    sentences = [sentence for document in documents for sentence in document]
    order, state = np.arange(len(documents), dtype=np.uint32), mersenne.seeded_state(seed)
    mersenne.shuffle(state, order)
    streams, dtype = published_streams(state), np.dtype(np.uint16)
    corpus = made.Corpus(
        np.array(sum(sentences, []), dtype),
        np.cumsum([0, *map(len, sentences)]),
        np.cumsum([0, *map(len, documents)]),
        order,
        0,
        len(documents),
    )
    vocabulary = made.Vocabulary(
        np.array(recipe.vocab_ids), np.isin(np.arange(VOCAB_SIZE), list(recipe.continuation)), CLS, SEP, MASK
    )
    packing = made.Packing(
        recipe.max_seq_length - 3, recipe.max_predictions_per_seq, recipe.short_seq_prob, recipe.dupe_factor
    )
    lengths = predictions_by_length(recipe.max_seq_length, recipe.masked_lm_prob, recipe.max_predictions_per_seq)
    masking = made.Masking(True, recipe.whole_words, lengths)
    cursor, counts, results = new_cursor(), made.new_counts(), []
    count = at_a_time
    while count == at_a_time:
        width = made.row_width(recipe.max_seq_length, recipe.max_predictions_per_seq, dtype)
        rows = np.zeros((at_a_time, width), dtype)
        count = formats.fill(streams, cursor, corpus, vocabulary, packing, masking, rows, counts)
        out = made.as_instances(rows, recipe.max_seq_length, recipe.max_predictions_per_seq)
        results += [_as_features(out, row, recipe) for row in range(count)]
    places = np.arange(len(results))
    mersenne.shuffle(state, places)
    return [results[k] for k in places], counts


def _as_features(out, row, recipe):
    predictions = out.num_predictions[row]
    return features(
        out.input_ids[row, : out.length[row]].tolist(),
        int(out.a_length[row]),
        out.pair_label[row],
        out.masked_lm_positions[row, :predictions].tolist(),
        out.masked_lm_ids[row, :predictions].tolist(),
        recipe,
    )


SENTENCES = st.lists(st.integers(FIRST_WORD, VOCAB_SIZE - 1), min_size=1, max_size=25)
DOCUMENTS = st.lists(st.lists(SENTENCES, max_size=8), min_size=1, max_size=6).filter(any)


@given(
    documents=DOCUMENTS,
    seed=st.integers(0, 2**40),
    whole_words=st.booleans(),
    max_seq_length=st.integers(5, 40),
    max_predictions_per_seq=st.integers(1, 8),
    masked_lm_prob=st.floats(0.01, 1),
    short_seq_prob=st.floats(0, 1),
    dupe_factor=st.integers(1, 3),
)
@settings(max_examples=300, deadline=None)
def test_instances_are_the_published_ones(documents, seed, **flags):
    flags_recipe = recipe(**flags)
    assert compiled_instances(documents, flags_recipe, seed)[0] == published_instances(documents, flags_recipe, seed)


@pytest.mark.parametrize("at_a_time", [1, 2, 1000])
def test_it_does_not_matter_how_many_are_made_at_a_time(at_a_time):
    documents = [[[k + 5] * (k + 1), [7, 8]] for k in range(20)]
    assert compiled_instances(documents, recipe(), 1, at_a_time)[0] == compiled_instances(documents, recipe(), 1)[0]


def test_a_single_document_is_its_own_random_text_and_is_counted():
    documents = [[[5, 6, 7], [8, 9], [10]]]
    results, counts = compiled_instances(documents, recipe(dupe_factor=50), 0)
    assert results == published_instances(documents, recipe(dupe_factor=50), 0)
    assert counts.same_document[0] == counts.pair_labels[1] > 0


def test_a_sentence_longer_than_many_sequences_is_truncated_at_both_ends():
    documents = [[list(range(5, 60)) * 20], [[5]]]
    assert compiled_instances(documents, recipe(), 3)[0] == published_instances(documents, recipe(), 3)


def test_shares_are_those_of_the_paper():
    rng = np.random.default_rng(0)
    sentences = [rng.integers(FIRST_WORD, VOCAB_SIZE, rng.integers(4, 30)).tolist() for _ in range(9000)]
    documents = [sentences[k : k + 30] for k in range(0, 9000, 30)]
    results, counts = compiled_instances(documents, recipe(max_seq_length=64, max_predictions_per_seq=20), 8, 256)
    shares = counts.fates / counts.fates.sum()
    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.01)
    assert counts.targets[1] / counts.targets.sum() == pytest.approx(0.1, abs=0.04)
    # Half, and those that are random because one sentence was all there was.
    assert 0.5 < counts.pair_labels[1] / len(results) < 0.6
    labels = collections.Counter(result["next_sentence_labels"][0] for result in results)
    assert [labels[0], labels[1]] == counts.pair_labels.tolist()
    assert counts.instances.sum() == len(results)
    assert counts.tokens[0] == sum(sum(result["input_mask"]) for result in results)


@pytest.mark.parametrize(
    "length, prob, most, expected",
    [
        (3, 0.15, 20, 1),
        (10, 0.15, 20, 2),
        (30, 0.15, 20, 4),
        (50, 0.15, 20, 8),
        (128, 0.15, 20, 19),
        (512, 0.15, 20, 20),
        (5, 0.5, 20, 2),
        (7, 0.5, 20, 4),
    ],
)  # 2.5 and 3.5 are rounded to even.
def test_number_of_predictions(length, prob, most, expected):
    assert predictions_by_length(512, prob, most)[length] == expected
