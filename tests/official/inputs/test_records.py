"""The order of records, how a run finds its place again, and what is said of bad files."""

import os

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from official.errors import InputError
from official.inputs import records
from official.inputs.records import Position, Share
from official.training import training as training_of_a_run
from official.training.strategy import make_strategy
from official.training.training import TrainingOptions

FEATURES = {"number": tf.io.FixedLenFeature([1], tf.int64)}


def write(path, numbers, compression=""):
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for number in numbers:
            feature = tf.train.Feature(int64_list=tf.train.Int64List(value=[number]))
            example = tf.train.Example(features=tf.train.Features(feature={"number": feature}))
            writer.write(example.SerializeToString())
    return str(path)


@pytest.fixture
def paths(tmp_path):
    return [write(tmp_path / f"{n}.tfrecord", range(100 * n, 100 * n + 37 + n)) for n in range(3)]


def training(paths, count, batch_size=8, seed=1, **where):
    parse = records.parse_example(FEATURES)
    batches = records.training_batches(paths, parse, batch_size, seed, **where).take(count)
    rows = list(batches.as_numpy_iterator())
    return np.concatenate([row["number"][:, 0] for row in rows]), [tuple(row["position"][-1]) for row in rows]


def test_an_epoch_holds_every_record_once(paths):
    numbers, positions = training(paths, 15)
    assert sorted(numbers[:114]) == sorted([*range(37), *range(100, 138), *range(200, 239)])
    assert positions[0] == (0, 8) and positions[13] == (0, 112)


def test_epochs_and_seeds_differ_in_order_and_the_same_seed_does_not(paths):
    numbers, _ = training(paths, 28)
    again, _ = training(paths, 28)
    other, _ = training(paths, 28, seed=2)
    np.testing.assert_array_equal(numbers, again)
    assert (numbers[:114] != other[:114]).any() and (numbers[:100] != numbers[114:214]).any()


@pytest.mark.parametrize("seed", [0, 2**31 - 1, 2**32 - 1])
def test_any_seed_orders_the_records_of_a_run(paths, seed):
    training_of_a_run.prepare(TrainingOptions(train_batch_size=8, seed=seed), make_strategy("one_device"))
    numbers, _ = training(paths, 15, seed=seed)
    assert sorted(numbers[:114]) == sorted([*range(37), *range(100, 138), *range(200, 239)])


@pytest.mark.parametrize("stop", [1, 5, 13, 14, 15, 27])
def test_a_run_goes_on_with_the_records_that_it_had_not_seen(paths, stop):
    numbers, positions = training(paths, 30)
    rest, rest_positions = training(paths, 30 - stop, start=Position(*map(int, positions[stop - 1])))
    np.testing.assert_array_equal(rest, numbers[8 * stop :])
    assert rest_positions == positions[stop:]


@pytest.mark.parametrize(("hosts", "replicas"), [(2, 1), (1, 2), (2, 2), (4, 1)])
def test_hosts_and_replicas_share_the_batches_of_one(paths, hosts, replicas):
    numbers, positions = training(paths, 10)
    parts = []
    for index in range(hosts):
        share = Share(hosts=hosts, index=index, replicas=replicas)
        part, part_positions = training(paths, 10 * replicas, share=share)
        assert part_positions[replicas - 1 :: replicas] == positions
        parts.append(part.reshape(10, -1))
    np.testing.assert_array_equal(np.concatenate(parts, axis=1).reshape(-1), numbers)


def test_compressed_records_are_recognised_by_their_content(tmp_path):
    plain = [write(tmp_path / "a", range(20))]
    packed = [write(tmp_path / "b", range(20), "GZIP")]
    np.testing.assert_array_equal(training(plain, 5)[0], training(packed, 5)[0])


@pytest.mark.parametrize(("repeat", "expected"), [(False, [8, 8, 4]), (True, [8, 8, 8, 8])])
def test_evaluation_sees_every_record_once_or_starts_over(tmp_path, repeat, expected):
    path = write(tmp_path / "a", range(20))
    batches = records.evaluation_batches([path], records.parse_example(FEATURES), 8, repeat).take(4)
    rows = [batch["number"][:, 0] for batch in batches.as_numpy_iterator()]
    assert [len(row) for row in rows] == expected
    np.testing.assert_array_equal(np.concatenate(rows)[:20], range(20))


def cut(path, size):
    with open(path, "rb+") as file:
        file.truncate(size)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: cut(path, os.path.getsize(path) - 5), "cut short or damaged behind record 36"),
        (lambda path: cut(path, 40), "cut short or damaged behind record 1"),
    ],
)
def test_a_record_file_that_is_cut_short_is_named(paths, damage, message):
    damage(paths[0])
    with pytest.raises(tf.errors.OpError) as error:
        training(paths, 30)
    told = records.explain_read_error(error.value, paths, FEATURES)
    assert isinstance(told, InputError) and paths[0] in str(told) and message in str(told)


def test_what_a_file_holds_is_checked_before_training(tmp_path):
    number = write(tmp_path / "number", [1])
    empty = write(tmp_path / "empty", [])
    text = tmp_path / "text"
    text.write_text("No records here, just a sentence or two.\n" * 10)
    two = {"number": tf.io.FixedLenFeature([2], tf.int64)}
    other = {"other": tf.io.FixedLenFeature([1], tf.int64)}
    cases = [
        ([number], two, "have 1 number, 2 were expected; --max_seq_length is 2"),
        ([number], other, "have no feature 'other' (they have number): are another's"),
        ([empty], FEATURES, "holds no record"),
        ([str(text)], FEATURES, "not a TFRecord file"),
    ]
    for paths, features, message in cases:
        with pytest.raises(InputError) as error:
            records.check_records(paths, features, {"number": "max_seq_length"}, {"other": "are another's"})
        assert message in str(error.value) and paths[0] in str(error.value)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_message_that_names_the_file(tmp_path, content):
    path = tmp_path / "random"
    path.write_bytes(content)
    with pytest.raises(InputError, match="random"):
        records.check_records([str(path)], FEATURES, {})


def test_no_pipeline_is_tuned_by_a_thread_that_its_end_would_wait_for(paths):
    parse = records.parse_example(FEATURES)
    training_batches = records.training_batches(paths, parse, batch_size=8, seed=1)
    evaluation_batches = records.evaluation_batches(paths, parse, batch_size=8, repeat=True)
    for batches in (training_batches, evaluation_batches.take(1)):
        assert batches.options().autotune.enabled is False
