"""Several examples in a row: where they are put, and what of a batch that changes."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from official.inputs.packing import PackedRows, first_fit
from official.inputs.records import Share
from official.inputs.tokenized import Padding, TokenizedExamples, TrainingOrder, training_batches

ROW_LENGTH = 16


def make_examples(count=40, group=1):
    random = np.random.RandomState(0)
    rows = [(random.randint(1, 90, random.randint(1, 12)), [0, 1]) for _ in range(count * group)]
    rows = [(ids, np.resize(segments, len(ids))) for ids, segments in rows]
    labels = {"label_ids": np.arange(count, dtype=np.int32)}
    tags = [random.randint(0, 5, len(ids)) for ids, _ in rows]
    return TokenizedExamples.from_rows(rows, labels, token_labels=tags, group=group)


@given(st.lists(st.lists(st.integers(1, 20), min_size=7, max_size=7), min_size=1, max_size=5))
def test_every_example_has_a_place_of_its_own(lengths):
    lengths = np.array(lengths)
    rows, starts = first_fit(lengths, 20)
    for batch in range(len(lengths)):
        taken = [
            (row, place)
            for row, start, length in zip(rows[batch], starts[batch], lengths[batch])
            for place in range(start, start + length)
        ]
        assert len(taken) == len(set(taken))
        assert max(place for _, place in taken) < 20
        # A row is begun only for what no row before it has room for: two neighbours hold more than one row's length.
        filled = np.bincount(rows[batch], weights=lengths[batch])
        assert (filled > 0).all()
        assert all(one + other > 20 for one, other in zip(filled, filled[1:]))


@pytest.mark.parametrize(
    ("replicas", "micro_batches", "group"), [(1, 1, 1), (2, 1, 1), (1, 4, 1), (2, 2, 1), (2, 2, 2)]
)
def test_a_packed_batch_is_the_padded_one_in_other_places(replicas, micro_batches, group):
    examples = make_examples(group=group)
    order = TrainingOrder(examples.lengths, batch_size=16, num_steps=9, seed=5, by_length=False)
    packed_rows = PackedRows.of(examples, order, ROW_LENGTH, replicas, micro_batches)
    share, start = Share(replicas=replicas), 3
    plain = training_batches(examples, order, Padding(max_length=packed_rows.longest, fixed=True), start, share)
    packed = training_batches(examples, order, packed_rows, start, share)
    assert packed_rows.rows < 16 * group // replicas // micro_batches
    assert packed.element_spec["input_ids"].shape == (packed_rows.rows * micro_batches, ROW_LENGTH)
    compared = 0
    for one, other in zip(plain.as_numpy_iterator(), packed.as_numpy_iterator(), strict=True):
        for name in set(one) - {"input_ids", "segment_ids"}:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)
        parts = zip(
            *(np.split(other[name], micro_batches) for name in ("input_ids", "segment_ids", "packed_positions"))
        )
        places = np.split(other["packed_places"], micro_batches)
        found = [[values.reshape(-1)[place] for values in part] for part, place in zip(parts, places)]
        ids, segments, positions = (np.concatenate(values) for values in zip(*found))
        mask = one["input_mask"]
        np.testing.assert_array_equal(ids * mask, one["input_ids"])
        np.testing.assert_array_equal(segments * mask, one["segment_ids"])
        np.testing.assert_array_equal(positions * mask, np.arange(mask.shape[1]) * mask)
        numbers = np.unique(other["packed_examples"])
        np.testing.assert_array_equal(numbers[numbers > 0], np.arange(len(mask)) + 1)
        assert (other["packed_examples"] > 0).sum() == mask.sum()
        compared += 1
    assert compared == 6 * replicas


def test_a_run_that_goes_on_has_the_shapes_that_it_had():
    examples = make_examples()
    order = TrainingOrder(examples.lengths, batch_size=8, num_steps=9, seed=5, by_length=False)
    packed_rows = PackedRows.of(examples, order, ROW_LENGTH, 1, 1)
    whole = list(training_batches(examples, order, packed_rows).as_numpy_iterator())
    rest = list(training_batches(examples, order, packed_rows, start=6).as_numpy_iterator())
    for one, other in zip(whole[6:], rest, strict=True):
        for name, values in one.items():
            np.testing.assert_array_equal(values, other[name], err_msg=name)


def test_labels_of_tokens_stay_with_their_examples():
    examples = make_examples()
    values = np.arange(len(examples.input_ids), dtype=np.float32)
    examples = dataclasses.replace(examples, token_values={"teacher_logits": values})
    order = TrainingOrder(examples.lengths, batch_size=4, num_steps=2, seed=1, by_length=False)
    packed_rows = PackedRows.of(examples, order, ROW_LENGTH, 1, 1)
    for batch, chosen in zip(training_batches(examples, order, packed_rows).as_numpy_iterator(), order.batches()):
        for row, example in enumerate(chosen):
            start, end = examples.row_splits[example : example + 2]
            np.testing.assert_array_equal(batch["teacher_logits"][row, : end - start], values[start:end])
            np.testing.assert_array_equal(batch["token_labels"][row, : end - start], examples.token_labels[start:end])
