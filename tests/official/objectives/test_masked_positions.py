"""What came after BERT's rule: ALBERT's n-grams, RoBERTa's share, ELECTRA's draws; other shares of replacements."""

import numpy as np
import pytest
import tensorflow as tf

from official.errors import InputError
from official.objectives.masked_lm import Masking, electra_max_predictions, mask_tokens

PAD, CLS, SEP, MASK, UNK = SPECIAL = 0, 1, 2, 3, 4
WIDTH, VOCAB, ROWS = 128, 1000, 1500
RULES = {
    "bert": {},
    "whole words": {"do_whole_word_mask": True},
    "ngrams": {"max_ngram": 3},
    "ngrams of whole words": {"max_ngram": 3, "do_whole_word_mask": True},
    "roberta": {"rule": "roberta"},
    "roberta, whole words": {"rule": "roberta", "do_whole_word_mask": True},
    "electra": {"rule": "electra", "replace_with_mask_prob": 0.85, "keep_original_prob": 0.15},
}


def example(length=100):
    """[CLS] words [SEP] words [SEP] padding; about a third of the tokens continue a word, and some are [UNK]."""
    random = np.random.RandomState(0)
    ids = np.zeros(WIDTH, np.int32)
    ids[:length] = random.randint(10, VOCAB, length)
    ids[3:length:17] = UNK
    ids[0], ids[length // 2], ids[length - 1] = CLS, SEP, SEP
    starts = np.zeros(WIDTH, np.int32)
    starts[:length] = random.rand(length) > 0.35
    starts[[0, length // 2, length - 1]] = 0
    starts[[1, length // 2 + 1]] = 1
    return ids, starts


def rule_of(name, **changes):
    return Masking(vocab_size=VOCAB, cls_id=CLS, sep_id=SEP, mask_id=MASK, special_ids=SPECIAL, **RULES[name] | changes)


def mask_many(rule, length=100, rows=ROWS, seed=7, starts=None):
    """The text, and `rows` maskings of it: a dict of arrays."""
    ids, own_starts = example(length)
    starts = own_starts if starts is None else starts
    masks = tf.data.Dataset.range(rows).map(
        lambda n: mask_tokens(tf.constant(ids), tf.constant(starts), tf.constant(length), rule, tf.stack([n, seed]))
    )
    return ids, next(iter(masks.batch(rows).as_numpy_iterator()))


def chosen_by_row(masked):
    """Positions of each row, without padding."""
    counts = masked["masked_lm_weights"].sum(axis=1).astype(int)
    return [positions[:count] for positions, count in zip(masked["masked_lm_positions"], counts, strict=True)]


@pytest.mark.parametrize("name", RULES)
def test_no_rule_hides_special_tokens_or_changes_what_it_does_not_predict(name):
    ids, masked = mask_many(rule_of(name), rows=200)
    for row, positions in enumerate(chosen_by_row(masked)):
        assert not np.isin(ids[positions], [PAD, CLS, SEP]).any() and (positions < 100).all()
        np.testing.assert_array_equal(masked["masked_lm_ids"][row, : len(positions)], ids[positions])
        assert not masked["masked_lm_positions"][row, len(positions) :].any()
        assert not masked["masked_lm_ids"][row, len(positions) :].any()
        untouched = np.setdiff1d(np.arange(WIDTH), positions)
        np.testing.assert_array_equal(masked["input_ids"][row, untouched], ids[untouched])


@pytest.mark.parametrize("name", RULES)
def test_the_same_seed_hides_the_same_and_another_seed_other_tokens(name):
    _, first = mask_many(rule_of(name), rows=20)
    _, second = mask_many(rule_of(name), rows=20)
    _, other = mask_many(rule_of(name), rows=20, seed=8)
    for feature in first:
        np.testing.assert_array_equal(first[feature], second[feature])
    assert (first["input_ids"] != other["input_ids"]).any(axis=1).all()
    assert len({row.tobytes() for row in first["input_ids"]}) == 20


@pytest.mark.parametrize("length, limit", [(3, 20), (4, 2), (128, 5), (128, 128)])
@pytest.mark.parametrize("name", RULES)
def test_lengths_of_every_kind_are_masked_within_the_room_for_predictions(name, length, limit):
    _, masked = mask_many(rule_of(name, max_predictions_per_seq=limit, masked_lm_prob=0.9), length, rows=20)
    assert masked["masked_lm_positions"].shape == masked["masked_lm_weights"].shape == (20, limit)
    assert max(map(len, chosen_by_row(masked))) <= limit


# ALBERT's n-grams


def simulated_ngrams(words, wanted, shorter, rng):
    """Sizes of the n-grams that the published rule makes of `words` words of one piece each; and what they cover."""
    shares = np.array([6, 3, 2] if shorter else [2, 3, 6]) / 11
    covered = np.zeros(words, bool)
    for word in rng.permutation(words):
        left = wanted - covered.sum()
        if not left:
            break
        run = slice(word, min(word + min(1 + rng.choice(3, p=shares), left), words))
        if not covered[run].any():
            covered[run] = True
    return covered


def runs(covered):
    """How long the runs of True are."""
    edges = np.flatnonzero(np.diff([0, *covered.astype(int), 0]))
    return edges[1::2] - edges[::2]


@pytest.mark.parametrize("shorter", [True, False])
def test_runs_of_masked_tokens_are_as_long_as_in_a_simulation_of_the_published_rule(shorter):
    rule = rule_of("ngrams", favor_shorter_ngram=shorter, masked_lm_prob=0.06)
    _, masked = mask_many(rule)
    rng, ours, expected = np.random.default_rng(0), [], []
    for positions in chosen_by_row(masked):
        assert len(positions) == 6
        ours.extend(runs(np.isin(np.arange(WIDTH), positions)))
        # Text without the separator in its middle, over which an n-gram may reach: in two runs.
        covered = simulated_ngrams(97, 6, shorter, rng)
        expected.extend(runs(np.insert(covered, 49, False)))
    for length in (1, 2, 3):
        share = np.mean(np.array(expected) == length)
        assert np.mean(np.array(ours) == length) == pytest.approx(share, abs=0.025)
    assert len(ours) == pytest.approx(len(expected), rel=0.03)


def test_ngrams_of_whole_words_hide_words_together_and_fill_their_share():
    ids, starts = example()
    words, candidates = np.cumsum(starts), ~np.isin(ids, [PAD, CLS, SEP])
    _, masked = mask_many(rule_of("ngrams of whole words"), rows=300)
    counts = []
    for positions in chosen_by_row(masked):
        np.testing.assert_array_equal(np.flatnonzero(np.isin(words, words[positions]) & candidates), positions)
        counts.append(len(positions))
    assert max(counts) <= 15 and np.mean(counts) > 14


def test_one_gram_is_berts_own_rule_bit_for_bit():
    _, ours = mask_many(rule_of("ngrams", max_ngram=1), rows=20)
    _, berts = mask_many(rule_of("bert"), rows=20)
    np.testing.assert_array_equal(ours["input_ids"], berts["input_ids"])


# RoBERTa's share


@pytest.mark.parametrize("length", [5, 40, 100])
def test_roberta_predicts_the_share_without_rounding_on_average(length):
    _, masked = mask_many(rule_of("roberta"), length)
    counts, expected = masked["masked_lm_weights"].sum(axis=1), 0.15 * (length - 3)
    assert set(counts) <= {np.floor(expected), np.ceil(expected)}
    assert counts.mean() == pytest.approx(expected, abs=0.05)  # A standard deviation is at most 0.013.


def test_roberta_chooses_each_token_equally_often_and_draws_no_special_token():
    rule = rule_of("roberta", replace_with_mask_prob=0.0, keep_original_prob=0.0)
    ids, masked = mask_many(rule)
    positions = np.concatenate(chosen_by_row(masked))
    candidates = np.flatnonzero(~np.isin(ids, [PAD, CLS, SEP]))
    counts = np.bincount(positions, minlength=WIDTH)[candidates]
    assert counts.sum() == len(positions) and np.abs(counts - counts.mean()).max() < 5 * np.sqrt(counts.mean())
    rows = np.repeat(np.arange(ROWS), [len(one) for one in chosen_by_row(masked)])
    drawn = masked["input_ids"][rows, positions]
    assert not np.isin(drawn, SPECIAL).any() and drawn.min() == 5 and drawn.max() == VOCAB - 1
    assert np.abs(np.histogram(drawn, 5, (5, VOCAB))[0] / len(drawn) - 0.2).max() < 0.015


def test_bert_draws_special_tokens_too_as_published():
    rule = rule_of("bert", replace_with_mask_prob=0.0, keep_original_prob=0.0)
    _, masked = mask_many(rule)
    rows = np.repeat(np.arange(ROWS), 15)
    drawn = masked["input_ids"][rows, masked["masked_lm_positions"][:, :15].reshape(-1)]
    assert np.isin(drawn, SPECIAL).mean() == pytest.approx(5 / VOCAB, abs=0.003)


@pytest.mark.parametrize("special", [(0, 1, 2, 3, 4), (0, 1, 2, 3, 999), (10, 500, 3)])
def test_special_tokens_may_stand_anywhere_in_the_vocabulary(special):
    rule = Masking(
        vocab_size=VOCAB,
        cls_id=CLS,
        sep_id=SEP,
        mask_id=MASK,
        special_ids=special,
        rule="roberta",
        replace_with_mask_prob=0.0,
        keep_original_prob=0.0,
    )
    _, masked = mask_many(rule)
    rows = np.repeat(np.arange(ROWS), [len(one) for one in chosen_by_row(masked)])
    drawn = masked["input_ids"][rows, np.concatenate(chosen_by_row(masked))]
    assert not np.isin(drawn, special).any() and 0 <= drawn.min() and drawn.max() < VOCAB


def test_roberta_gives_the_pieces_of_a_word_one_fate():
    ids, starts = example()
    words = np.cumsum(starts)
    _, masked = mask_many(rule_of("roberta, whole words"), rows=300)
    counts = []
    for row, positions in enumerate(chosen_by_row(masked)):
        is_mask = masked["input_ids"][row, positions] == MASK
        for word in set(words[positions]):
            assert len(set(is_mask[words[positions] == word])) == 1
        counts.append(len(set(words[positions])))
    assert np.mean(counts) == pytest.approx(0.15 * len(set(words[~np.isin(ids, [PAD, CLS, SEP])])), abs=0.3)


# ELECTRA's draws


def test_electra_draws_with_replacement_and_hides_85_in_100_draws():
    ids, masked = mask_many(rule_of("electra"))
    candidates = np.flatnonzero(~np.isin(ids, [PAD, CLS, SEP]))
    positions = masked["masked_lm_positions"][:, :15]
    np.testing.assert_array_equal(masked["masked_lm_weights"].sum(axis=1), np.full(ROWS, 15))  # Of 100, as BERT's.
    counts = np.bincount(positions.reshape(-1), minlength=WIDTH)[candidates]
    assert counts.sum() == positions.size and np.abs(counts - counts.mean()).max() < 5 * np.sqrt(counts.mean())
    distinct = [len(set(row)) for row in positions]
    expected = 97 * (1 - (1 - 1 / 97) ** 15)  # Of 15 draws out of 97.
    assert np.mean(distinct) == pytest.approx(expected, abs=0.1)
    for times, share in ((1, 0.85), (2, 1 - 0.15**2)):
        hidden = [
            masked["input_ids"][row, position] == MASK
            for row in range(ROWS)
            for position in np.flatnonzero(np.bincount(positions[row]) == times)
        ]
        assert np.mean(hidden) == pytest.approx(share, abs=0.02)


def test_electra_puts_nothing_but_mask_in_the_place_of_a_token():
    ids, masked = mask_many(rule_of("electra"), rows=300)
    assert ((masked["input_ids"] == ids) | (masked["input_ids"] == MASK)).all()


@pytest.mark.parametrize(
    "length, prob, limit, expected",
    [(100, 0.15, 20, 15), (128, 0.25, 20, 20), (5, 0.15, 20, 1), (30, 0.15, 20, 4), (50, 0.15, 20, 8)],
)
def test_electra_rounds_to_even_and_predicts_at_least_one(length, prob, limit, expected):
    _, masked = mask_many(rule_of("electra", masked_lm_prob=prob, max_predictions_per_seq=limit), length, rows=3)
    np.testing.assert_array_equal(masked["masked_lm_weights"].sum(axis=1), [expected] * 3)


@pytest.mark.parametrize("prob, length, expected", [(0.15, 128, 19), (0.15, 512, 79), (0.25, 512, 130)])
def test_room_for_predictions_is_electras(prob, length, expected):
    assert electra_max_predictions(prob, length) == expected


# Other shares (Devlin et al. 2019, appendix C.2, table 8)


@pytest.mark.parametrize("mask, keep, replace", [(1, 0, 0), (0.8, 0, 0.2), (0.8, 0.2, 0), (0, 0.2, 0.8), (0, 0, 1)])
@pytest.mark.parametrize("name", ["bert", "ngrams", "roberta"])
def test_tokens_are_replaced_by_the_shares_of_the_ablation(name, mask, keep, replace):
    ids, masked = mask_many(rule_of(name, replace_with_mask_prob=float(mask), keep_original_prob=float(keep)), rows=600)
    positions = np.concatenate(chosen_by_row(masked))
    rows = np.repeat(np.arange(600), [len(one) for one in chosen_by_row(masked)])
    shown = masked["input_ids"][rows, positions]
    assert np.mean(shown == MASK) == pytest.approx(mask, abs=0.02)
    assert np.mean(shown == ids[positions]) == pytest.approx(keep, abs=0.02)
    assert np.mean((shown != MASK) & (shown != ids[positions])) == pytest.approx(replace, abs=0.02)


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"rule": "roberta", "max_ngram": 2}, "--masking_rule=roberta: knows no n-grams"),
        ({"rule": "electra", "max_ngram": 2}, "--masking_rule=electra: knows no n-grams"),
        ({"rule": "electra", "do_whole_word_mask": True}, "--masking_rule=electra: knows no words"),
        ({"rule": "electra"}, "--masking_rule=electra: knows no random tokens"),
    ],
)
def test_options_that_a_rule_does_not_know_are_refused(changes, message):
    with pytest.raises(InputError, match=message):
        Masking(vocab_size=VOCAB, cls_id=CLS, sep_id=SEP, mask_id=MASK, **changes)
