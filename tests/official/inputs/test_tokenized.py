"""Examples kept flat, and the order and padding of their batches."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from official.inputs.records import Share
from official.inputs.tokenized import (
    NO_LABEL,
    Padding,
    TokenizedExamples,
    TrainingOrder,
    in_batches,
    training_batches,
)

ROWS = [([5, 6, 7], [0, 0, 1]), ([8], [0]), ([9, 10], [0, 1]), ([11, 12, 13, 14], [0, 0, 0, 1])]


def make_examples(**options):
    labels = {"label_ids": np.arange(4, dtype=np.int32)}
    return TokenizedExamples.from_rows(ROWS, **({"labels": labels} | options))


def test_a_batch_is_padded_and_carries_its_labels():
    batch = make_examples(token_labels=[[1, 2, 3], [4], [5, NO_LABEL], [6, 7, 8, 9]]).batch(
        tf.constant([2, 0], tf.int64), 4
    )
    np.testing.assert_array_equal(batch["input_ids"], [[9, 10, 0, 0], [5, 6, 7, 0]])
    np.testing.assert_array_equal(batch["input_mask"], [[1, 1, 0, 0], [1, 1, 1, 0]])
    np.testing.assert_array_equal(batch["segment_ids"], [[0, 1, 0, 0], [0, 0, 1, 0]])
    np.testing.assert_array_equal(batch["token_labels"], [[5, -1, -1, -1], [1, 2, 3, -1]])
    np.testing.assert_array_equal(batch["label_ids"], [2, 0])
    assert all(values.dtype == tf.int32 for values in batch.values())


def test_groups_of_rows_are_one_example():
    examples = make_examples(labels={"label_ids": np.array([1, 0], np.int32)}, group=2)
    assert len(examples) == 2
    np.testing.assert_array_equal(examples.lengths, [3, 4])
    batch = examples.batch(tf.constant([1], tf.int64), 4)
    np.testing.assert_array_equal(batch["input_ids"], [[9, 10, 0, 0], [11, 12, 13, 14]])
    np.testing.assert_array_equal(batch["label_ids"], [0])


@pytest.mark.parametrize(
    ("padding", "expected"),
    [
        (Padding(max_length=64), 16),
        (Padding(max_length=64, multiple=32), 32),
        (Padding(max_length=10), 10),
        (Padding(max_length=64, fixed=True), 64),
    ],
)
def test_padding_goes_to_the_longest_or_to_the_maximum(padding, expected):
    assert padding.length(np.array(9)) == expected


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 150), st.integers(0, 5), st.booleans())
def test_every_example_comes_once_an_epoch_in_an_order_of_the_seed(size, batch_size, num_steps, seed, by_length):
    lengths = np.random.RandomState(size).randint(1, 50, size)
    order = TrainingOrder(lengths, batch_size, num_steps, seed, by_length)
    batches = order.batches()
    assert batches.shape == (num_steps, batch_size)
    counts = np.bincount(batches.reshape(-1), minlength=size)
    assert counts.max() - counts.min() <= 1
    for start in (num_steps // 2, num_steps - 1):
        np.testing.assert_array_equal(order.batches(start), batches[start:])


def test_batches_by_length_need_less_padding():
    lengths = np.random.RandomState(0).randint(1, 200, 2_000)

    def padded(by_length):
        order = TrainingOrder(lengths, 16, 120, 0, by_length)
        return sum(lengths[order.batches()].max(axis=1) * 16)

    assert padded(True) < 0.62 * padded(False)
    assert padded(True) < 1.1 * lengths.sum() * 120 * 16 / 2_000


def test_training_goes_on_where_it_stopped_whatever_the_number_of_replicas():
    examples = make_examples()
    order = TrainingOrder(examples.lengths, 2, 7, seed=3)
    padding = Padding(max_length=4)
    whole = list(training_batches(examples, order, padding).as_numpy_iterator())
    rest = list(training_batches(examples, order, padding, start=4).as_numpy_iterator())
    assert len(whole) == 7
    for one, other in zip(whole[4:], rest, strict=True):
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name])
    assert whole[3]["position"].tolist() == [[0, 4], [0, 4]]
    halves = list(training_batches(examples, order, padding, share=Share(replicas=2)).as_numpy_iterator())
    for step, batch in enumerate(whole):
        joined = np.concatenate([halves[2 * step]["input_ids"], halves[2 * step + 1]["input_ids"]])
        np.testing.assert_array_equal(joined, batch["input_ids"])
    second = list(training_batches(examples, order, padding, share=Share(hosts=2, index=1)).as_numpy_iterator())
    np.testing.assert_array_equal(second[0]["input_ids"], halves[1]["input_ids"])


def test_prediction_sees_each_example_once_in_full_batches():
    seen = []
    for chosen, batch in in_batches(make_examples(), 3, Padding(max_length=4, multiple=1)):
        assert len(batch["input_ids"]) == 3
        seen.extend(chosen)
        np.testing.assert_array_equal(
            batch["input_mask"].numpy()[: len(chosen)].sum(1), make_examples().lengths[chosen]
        )
    assert sorted(seen) == [0, 1, 2, 3]
    assert seen[0] == 3


def test_a_pipeline_is_not_tuned_by_a_thread_that_its_end_would_wait_for():
    examples = make_examples()
    order = TrainingOrder(examples.lengths, batch_size=2, num_steps=3, seed=1)
    assert training_batches(examples, order, Padding(max_length=8)).options().autotune.enabled is False


def make_part(first, group=1):
    """The rows from `first` on, with all that can be said of them."""
    rows = ROWS[first : first + 2]
    total = sum(len(ids) for ids, _ in rows)
    labels = {"label_ids": np.arange(first, first + 2 // group, dtype=np.int32)}
    examples = TokenizedExamples.from_rows(rows, labels, [[first] * len(ids) for ids, _ in rows], group)
    values = np.arange(total * 2, dtype=np.float32).reshape(total, 2) + 1
    return dataclasses.replace(examples, token_values={"scores": values, "weights": values[:, 0]})


def test_values_of_tokens_go_with_them_and_padding_has_none():
    batch = make_part(0).batch(tf.constant([1, 0], tf.int64), 4)
    np.testing.assert_array_equal(batch["weights"], [[7, 0, 0, 0], [1, 3, 5, 0]])
    np.testing.assert_array_equal(batch["scores"][0], [[7, 8], [0, 0], [0, 0], [0, 0]])
    np.testing.assert_array_equal(batch["scores"][1], [[1, 2], [3, 4], [5, 6], [0, 0]])


@pytest.mark.parametrize("group", [1, 2])
def test_examples_of_several_sources_stand_one_after_the_other(group):
    parts = [make_part(0, group), make_part(2, group)]
    joined = TokenizedExamples.joined(parts)
    assert len(joined) == 4 // group and joined.group == group
    for number in range(len(joined)):
        part, within = divmod(number, 2 // group)
        expected = parts[part].batch(tf.constant([within], tf.int64), 5)
        found = joined.batch(tf.constant([number], tf.int64), 5)
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values, err_msg=name)
