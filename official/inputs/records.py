"""Batches of records in an order that is a function of (seed, position), so that a run can go on where one stopped.

The order does not depend on the number of hosts or replicas either: all of them walk the same stream of records, and
each parses only its own rows of every global batch.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import tensorflow as tf

from official import files
from official.errors import InputError
from official.inputs.untuned import untuned

FILES_READ_AT_ONCE = 4  # run_pretraining.py:371
SHUFFLE_BUFFER = 100  # run_pretraining.py:383; what create_pretraining_data writes is in random order already.
LAST_EPOCH = 2**40


@dataclasses.dataclass(frozen=True)
class Position:
    """The next record to be read: the index-th one of an epoch, both from 0."""

    epoch: int = 0
    index: int = 0


@dataclasses.dataclass(frozen=True)
class Share:
    """Which rows of every global batch are read here: those of host `index` of `hosts`, for `replicas` devices each."""

    hosts: int = 1
    index: int = 0
    replicas: int = 1


Features = Mapping[str, tf.io.FixedLenFeature]
# Makes tensors of a parsed example of given (epoch, index).
Transform = Callable[[dict[str, tf.Tensor], tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]


@tf.autograph.experimental.do_not_convert  # Conversion of the functions below would only take time.
def training_batches(
    paths: Sequence[str],
    transform: "ParseExample",
    batch_size: int,
    seed: int,
    start: Position = Position(),
    share: Share = Share(),
) -> tf.data.Dataset:
    """Endless batches, reshuffled each epoch.

    Args:
        paths: record files, plain or gzip.
        transform: makes tensors of one serialized record.
        batch_size: the global one, over all hosts and replicas.
        seed: of the order of files and records.
        start: the first record to be read.
        share: what part of every batch is wanted; batches come out by replica, one after the other.

    Returns:
        Dataset of dicts; beside the features, `position` int64 [b, 2] holds the (epoch, index) that follows the global
        batch, the same in every row.
    """
    source = _Files.at(paths)
    epochs = tf.data.Dataset.range(start.epoch, LAST_EPOCH)
    records = epochs.flat_map(lambda epoch: _epoch(source, epoch, seed, start))
    batches = records.batch(batch_size, drop_remainder=True)
    rows = batch_size // share.hosts

    def own_rows(serialized, epoch, index):
        mine = slice(share.index * rows, (share.index + 1) * rows)
        following = tf.stack([epoch[-1], index[-1] + 1])
        return serialized[mine], epoch[mine], index[mine], tf.tile(following[tf.newaxis], [rows, 1])

    own = batches.map(own_rows).unbatch()
    examples = own.map(
        lambda serialized, epoch, index, position: transform(serialized, epoch, index) | {"position": position},
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    )
    return untuned(examples.batch(rows // share.replicas, drop_remainder=True).prefetch(tf.data.AUTOTUNE))


@tf.autograph.experimental.do_not_convert
def evaluation_batches(
    paths: Sequence[str], transform: "ParseExample", batch_size: int, repeat: bool
) -> tf.data.Dataset:
    """Batches in the order of the files.

    Args:
        paths: record files, plain or gzip.
        transform: makes tensors of one serialized record.
        batch_size: rows of a batch.
        repeat: start over at the end, as the original does (run_pretraining.py:386-389); otherwise every record comes
            once, and the last batch may be smaller.
    """
    records = _read(_Files.at(paths)).enumerate()
    if repeat:
        records = records.repeat()
    examples = records.map(
        lambda index, serialized: transform(serialized, tf.constant(0, tf.int64), index),
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    return untuned(examples.batch(batch_size, drop_remainder=repeat).prefetch(tf.data.AUTOTUNE))


def _epoch(source, epoch, seed, start):
    """The records of one epoch, as (serialized, epoch, index), from `start` on."""
    seeds = tf.stack([tf.cast(seed, tf.int64), epoch])
    order = tf.random.experimental.stateless_shuffle(tf.range(len(source.paths)), seeds)
    records = _read(source, order, parallel=True)
    records = records.shuffle(
        SHUFFLE_BUFFER, seed=tf.reduce_sum(seeds * [1_000_003, 1]), reshuffle_each_iteration=False
    )
    skipped = tf.where(epoch == start.epoch, tf.constant(start.index, tf.int64), tf.constant(0, tf.int64))
    return records.enumerate().skip(skipped).map(lambda index, serialized: (serialized, epoch, index))


class _Files(NamedTuple):
    """Record files as the pipelines need to know them."""

    paths: list[str]
    sizes: list[int]  # in bytes; −1: not known, since compressed
    compression: str | None

    @classmethod
    def at(cls, paths: Sequence[str]) -> "_Files":
        compression = "GZIP" if is_gzip(paths[0]) else None
        return cls(list(paths), [-1 if compression else files.size(path) for path in paths], compression)


def _read(source: _Files, order=None, parallel=False):
    """The serialized records of all files; `order` is an integer tensor of their places, for another order."""
    named = tf.constant(source.paths), tf.constant(source.sizes, tf.int64)
    if order is not None:
        named = tuple(tf.gather(column, order) for column in named)
    return tf.data.Dataset.from_tensor_slices(named).interleave(
        lambda path, size: _read_whole(tf.data.TFRecordDataset(path, source.compression), path, size),
        cycle_length=min(FILES_READ_AT_ONCE, len(source.paths)) if parallel else 1,
        num_parallel_calls=tf.data.AUTOTUNE if parallel else None,
        deterministic=True if parallel else None,
    )


def serialized(paths: Sequence[str]) -> tf.data.Dataset:
    """The serialized records of all files, plain or gzip, in order; fails where one is cut short."""
    return _read(_Files.at(paths))


FRAMING = 16  # Bytes around a record: its length, and the checksums of both.


def _read_whole(records, path, size):
    """Fails at the end if the records of a file don't add up to its `size` (−1: unknown).

    Without this a file that is cut within the head of a record simply ends there: TensorFlow's reader says nothing.
    """
    end = tf.data.Dataset.from_tensors((tf.constant(""), tf.constant(True)))
    records = records.map(lambda record: (record, tf.constant(False))).concatenate(end)

    def add(read, element):
        record, ended = element
        length = tf.cast(tf.strings.length(record), tf.int64) + FRAMING
        read += tf.where(ended, tf.constant(0, tf.int64), length)
        whole = tf.logical_not(ended) | (size < 0) | (read == size)
        with tf.control_dependencies([tf.debugging.Assert(whole, ["cut short:", path])]):
            return read, (tf.identity(record), ended)

    checked = records.scan(tf.constant(0, tf.int64), add)
    return checked.filter(lambda record, ended: tf.logical_not(ended)).map(lambda record, ended: record)


def is_gzip(path: str) -> bool:
    """Whether a record file is compressed: its first bytes say so, and a record never starts like that."""
    with files.open_file(path, "rb") as file:
        return bytes(file.read(3)) == b"\x1f\x8b\x08"


ParseExample = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]


def parse_example(features: Features) -> ParseExample:
    """A transform that parses a serialized `tf.Example`; integers become int32, which TPUs need."""

    def parse(serialized, epoch, index):
        del epoch, index  # For transforms that draw random numbers.
        example = tf.io.parse_single_example(serialized, features)
        return {name: tf.cast(value, tf.int32) if value.dtype == tf.int64 else value for name, value in example.items()}

    return parse


def check_records(
    paths: Sequence[str], features: Features, flags: Mapping[str, str], lacking: Mapping[str, str] | None = None
) -> None:
    """Looks at the first record of every file.

    Args:
        paths: record files.
        features: what is expected of a record.
        flags: for a feature, the flag that says how long it is.
        lacking: for a feature, what it means that there is none.

    Raises:
        InputError: a file holds no record, is no record file, or its records lack a feature or have another length.
    """
    if len({is_gzip(path) for path in paths}) > 1:
        raise InputError("--input_file: some record files are compressed and others are not")
    for path in paths:
        found = _lengths(_first_record(path), path)
        for name, feature in features.items():
            if name not in found:
                held = ", ".join(sorted(found)) or "nothing"
                meant = f": {lacking[name]}" if lacking and name in lacking else ""
                raise InputError(f"{path}: its records have no feature {name!r} (they have {held}){meant}")
            expected = feature.shape[0]
            if found[name] != expected:
                hint = f"; --{flags[name]} is {expected}" if name in flags else ""
                raise InputError(f"{path}: its records have {found[name]} {name}, {expected} were expected{hint}")


def _first_record(path):
    records = _read(_Files.at([path]))
    try:
        for record in records.take(1):
            return record.numpy()
    except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
        raise InputError(f"{path}: not a TFRecord file, or cut short in its first record") from error
    raise InputError(f"{path}: holds no record")


def _lengths(record, path):
    try:
        example = tf.train.Example.FromString(record)
    except Exception as error:  # protobuf's DecodeError has no public home.
        raise InputError(f"{path}: its records are not tf.train.Example messages") from error
    kinds = ("int64_list", "float_list", "bytes_list")
    return {
        name: max(len(getattr(feature, kind).value) for kind in kinds)
        for name, feature in example.features.feature.items()
    }


def _parse_error(record, features):
    try:
        tf.io.parse_single_example(record, features)
    except (tf.errors.InvalidArgumentError, ValueError) as error:
        return " ".join(str(error).split())[:200]
    return None


def explain_read_error(error: tf.errors.OpError, paths: Sequence[str], features: Features) -> InputError:
    """Finds the record that made a pipeline fail, by reading every file again; returns what to tell the user."""
    for path in paths:
        count = 0
        try:
            for record in _read(_Files.at([path])):
                count += 1
                reason = _parse_error(record, features)
                if reason:
                    return InputError(f"{path}: record {count} is not what the flags promise: {reason}")
        except (tf.errors.DataLossError, tf.errors.InvalidArgumentError):
            return InputError(f"{path}: cut short or damaged behind record {count}: make it again")
    return InputError(f"reading records failed: {' '.join(str(error).split())[:300]}")
