"""How the masked language model corrupts text, and what it measures."""

import numpy as np
import pytest
import tensorflow as tf

from official.objectives.masked_lm import Masking, mask_tokens, masked_lm

CLS, SEP, MASK = 1, 2, 3
LENGTH, WIDTH, VOCAB = 100, 128, 1000


def example(length=LENGTH, seed=0):
    """[CLS] words [SEP] words [SEP] padding; about a third of the tokens continue a word."""
    random = np.random.RandomState(seed)
    ids = np.zeros(WIDTH, np.int32)
    ids[:length] = random.randint(10, VOCAB, length)
    ids[0], ids[length // 2], ids[length - 1] = CLS, SEP, SEP
    starts = np.zeros(WIDTH, np.int32)
    starts[:length] = random.rand(length) > 0.35
    starts[[0, length // 2, length - 1]] = 0
    starts[[1, length // 2 + 1]] = 1
    return ids, starts


def masking(**changes):
    return Masking(**(dict(vocab_size=VOCAB, cls_id=CLS, sep_id=SEP, mask_id=MASK) | changes))


def mask_many(rule, count, length=LENGTH):
    ids, starts = example(length)

    def mask(seed):
        return mask_tokens(tf.constant(ids), tf.constant(starts), tf.constant(length), rule, seed)

    seeds = tf.data.Dataset.range(count).map(lambda n: mask(tf.stack([n, 7])))
    columns = {name: [] for name in ("input_ids", "masked_lm_positions", "masked_lm_ids", "masked_lm_weights")}
    for row in seeds.as_numpy_iterator():
        for name, value in row.items():
            columns[name].append(value)
    return ids, starts, {name: np.stack(values) for name, values in columns.items()}


def test_the_same_seed_masks_the_same_tokens_and_another_seed_others():
    _, _, first = mask_many(masking(), 5)
    _, _, second = mask_many(masking(), 5)
    np.testing.assert_array_equal(first["input_ids"], second["input_ids"])
    assert len({tuple(row) for row in first["masked_lm_positions"]}) == 5


@pytest.mark.parametrize(
    ("length", "prob", "limit", "expected"),
    [(100, 0.15, 20, 15), (100, 0.15, 10, 10), (5, 0.15, 20, 1), (128, 0.15, 20, 19), (50, 0.05, 20, 2)],
)
def test_as_many_tokens_are_predicted_as_the_original_would(length, prob, limit, expected):
    rule = masking(masked_lm_prob=prob, max_predictions_per_seq=limit)
    _, _, masked = mask_many(rule, 3, length)
    assert masked["masked_lm_weights"].shape == (3, limit)
    np.testing.assert_array_equal(masked["masked_lm_weights"].sum(axis=1), [expected] * 3)


def test_predictions_name_the_hidden_tokens_in_order_and_the_rest_is_untouched():
    ids, _, masked = mask_many(masking(), 20)
    for row in range(20):
        count = int(masked["masked_lm_weights"][row].sum())
        positions = masked["masked_lm_positions"][row, :count]
        assert (np.diff(positions) > 0).all()
        np.testing.assert_array_equal(masked["masked_lm_ids"][row, :count], ids[positions])
        assert not masked["masked_lm_positions"][row, count:].any()
        assert not masked["masked_lm_ids"][row, count:].any()
        untouched = np.setdiff1d(np.arange(WIDTH), positions)
        np.testing.assert_array_equal(masked["input_ids"][row, untouched], ids[untouched])
        assert not np.isin(ids[positions], [0, CLS, SEP]).any()


def test_hidden_tokens_are_replaced_eighty_ten_ten():
    ids, _, masked = mask_many(masking(), 1500)
    rows = np.repeat(np.arange(1500), 15)
    positions = masked["masked_lm_positions"][:, :15].reshape(-1)
    shown = masked["input_ids"][rows, positions]
    share_mask, share_kept = (shown == MASK).mean(), (shown == ids[positions]).mean()
    assert share_mask == pytest.approx(0.8, abs=0.01)  # 22,500 draws: one standard deviation is 0.003.
    assert share_kept == pytest.approx(0.1, abs=0.01)


def test_every_token_is_chosen_equally_often():
    ids, _, masked = mask_many(masking(), 1500)
    chosen = np.bincount(masked["masked_lm_positions"][:, :15].reshape(-1), minlength=WIDTH)[:LENGTH]
    candidates = ~np.isin(ids[:LENGTH], [CLS, SEP])
    assert not chosen[~candidates].any()
    expected = 1500 * 15 / candidates.sum()
    assert np.abs(chosen[candidates] - expected).max() < 5 * np.sqrt(expected)


def test_whole_words_are_hidden_together():
    ids, starts, masked = mask_many(masking(do_whole_word_mask=True), 50)
    candidates = ~np.isin(ids, [CLS, SEP, 0])
    words = np.cumsum(starts)
    for row in range(50):
        count = int(masked["masked_lm_weights"][row].sum())
        chosen = masked["masked_lm_positions"][row, :count]
        touched = np.isin(words, words[chosen]) & candidates
        np.testing.assert_array_equal(np.flatnonzero(touched), chosen)
        assert count <= 15


def test_loss_is_the_published_weighted_mean():
    random = np.random.RandomState(1)
    logits = random.randn(2, 3, 7).astype("float32")
    ids = random.randint(0, 7, (2, 3)).astype("int32")
    weights = np.float32([[1, 1, 0], [1, 0, 0]])
    log_probs = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    nll = -np.take_along_axis(log_probs, ids[..., None], -1)[..., 0]
    measures = masked_lm(tf.constant(logits), tf.constant(ids), tf.constant(weights))
    total, weight, epsilon = measures.losses["masked_lm_loss"]
    np.testing.assert_allclose(total / (weight + epsilon), (nll * weights).sum() / (weights.sum() + 1e-5), rtol=1e-5)
    correct, weight, _ = measures.metrics["masked_lm_accuracy"]
    assert float(correct) == ((logits.argmax(-1) == ids) * weights).sum() and float(weight) == 3
