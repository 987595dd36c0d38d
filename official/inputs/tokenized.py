"""Examples as token ids, kept flat, and batches of them in an order that is a function of (seed, step).

100,000 questions cost their tokens and no padding. A batch holds examples of about one length, padded to its longest,
where the device allows; on a TPU, whose programs are compiled for one shape, each is padded to the maximum.
"""

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
import tensorflow as tf

from official.inputs.records import Share
from official.inputs.untuned import untuned

POOL_BATCHES = 50  # Batches are sorted by length within so many, and then come in random order.
NO_LABEL = -1


@dataclasses.dataclass(frozen=True)
class TokenizedExamples:
    """N rows of tokens with what is to be said of them.

    Attributes:
        input_ids: int32 [total], the rows one after the other.
        row_splits: int64 [N + 1], where each row begins, and the end.
        segment_ids: uint8 [total].
        labels: by name, an array [N, …] with a value for each row (each group of rows, where there are groups).
        token_labels: int32 [total], NO_LABEL where there is none; or None.
        token_values: by name, an array of float32 [total, …] with a value for each token; 0 for padding.
        group: so many rows make one example: the choices of a question.
    """

    input_ids: np.ndarray
    row_splits: np.ndarray
    segment_ids: np.ndarray
    labels: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    token_labels: np.ndarray | None = None
    token_values: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    group: int = 1

    @classmethod
    def from_rows(
        cls,
        rows: Iterable[tuple[Sequence[int], Sequence[int]]],
        labels: Mapping[str, np.ndarray] | None = None,
        token_labels: Iterable[Sequence[int]] | None = None,
        group: int = 1,
    ) -> "TokenizedExamples":
        """Makes them of (input_ids, segment_ids) for each row, and a sequence of token labels for each, if given."""
        ids, segments = [], []
        for input_ids, segment_ids in rows:
            ids.append(np.asarray(input_ids, np.int32))
            segments.append(np.asarray(segment_ids, np.uint8))
        return cls(
            input_ids=np.concatenate(ids) if ids else np.zeros(0, np.int32),
            row_splits=np.cumsum([0] + [len(row) for row in ids], dtype=np.int64),
            segment_ids=np.concatenate(segments) if segments else np.zeros(0, np.uint8),
            labels=dict(labels or {}),
            token_labels=None if token_labels is None else _concatenate(token_labels),
            group=group,
        )

    @classmethod
    def joined(cls, parts: Sequence["TokenizedExamples"]) -> "TokenizedExamples":
        """Examples of several sources one after the other: all with the same labels and values, and one `group`."""
        first, sizes = parts[0], [len(part.input_ids) for part in parts]
        starts = np.cumsum([0, *sizes[:-1]])
        splits = [part.row_splits[:-1] + start for part, start in zip(parts, starts)]

        def all_of(name: str) -> dict[str, np.ndarray]:
            return {key: np.concatenate([getattr(part, name)[key] for part in parts]) for key in getattr(first, name)}

        return cls(
            input_ids=np.concatenate([part.input_ids for part in parts]),
            row_splits=np.concatenate([*splits, [sum(sizes)]]).astype(np.int64),
            segment_ids=np.concatenate([part.segment_ids for part in parts]),
            labels=all_of("labels"),
            token_labels=None if first.token_labels is None else np.concatenate([part.token_labels for part in parts]),
            token_values=all_of("token_values"),
            group=first.group,
        )

    def __len__(self) -> int:
        """The number of examples, each of `group` rows."""
        return (len(self.row_splits) - 1) // self.group

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each example, of the longest of its rows: int64 [N]."""
        return np.diff(self.row_splits).reshape(-1, self.group).max(axis=1, initial=0)

    @functools.cached_property
    def _tensors(self) -> dict[str, tf.Tensor]:
        """All of it on the host, once: batches are made of these within TensorFlow."""
        with tf.init_scope(), tf.device("CPU:0"):
            named = {"input_ids": self.input_ids, "row_splits": self.row_splits, "segment_ids": self.segment_ids}
            if self.token_labels is not None:
                named["token_labels"] = self.token_labels
            return {name: tf.constant(values) for name, values in named.items()}

    @functools.cached_property
    def _values(self) -> dict[str, tf.Tensor]:
        with tf.init_scope(), tf.device("CPU:0"):
            return {name: tf.constant(values) for name, values in self.token_values.items()}

    @functools.cached_property
    def _labels(self) -> dict[str, tf.Tensor]:
        with tf.init_scope(), tf.device("CPU:0"):
            return {name: tf.constant(values) for name, values in self.labels.items()}

    def batch(self, examples: tf.Tensor, length: tf.Tensor | int) -> dict[str, tf.Tensor]:
        """What the model is called with: `input_ids`, `input_mask`, `segment_ids`, int32 [B · group, length].

        Args:
            examples: int64 [B], which ones.
            length: at least that of the longest.

        Returns:
            Labels too, [B, …] each, `token_labels` [B, length], and values of tokens [B, length, …].
        """
        flat = self._tensors
        rows = tf.reshape(tf.expand_dims(examples, 1) * self.group + tf.range(self.group, dtype=tf.int64), [-1])
        starts, ends = tf.gather(flat["row_splits"], rows), tf.gather(flat["row_splits"], rows + 1)
        places = tf.expand_dims(starts, 1) + tf.range(tf.cast(length, tf.int64))  # [B · group, length]
        inside = places < tf.expand_dims(ends, 1)
        places = tf.where(inside, places, 0)

        def padded(name: str, padding: int) -> tf.Tensor:
            return tf.where(inside, tf.cast(tf.gather(flat[name], places), tf.int32), padding)

        batch = {
            "input_ids": padded("input_ids", 0),
            "input_mask": tf.cast(inside, tf.int32),
            "segment_ids": padded("segment_ids", 0),
        }
        if self.token_labels is not None:
            batch["token_labels"] = padded("token_labels", NO_LABEL)
        for name, values in self._values.items():
            batch[name] = _where(inside, tf.gather(values, places))
        return batch | {name: tf.gather(values, examples) for name, values in self._labels.items()}


def _where(inside: tf.Tensor, values: tf.Tensor) -> tf.Tensor:
    """`values` [rows, length, …], 0 where `inside` [rows, length] says no."""
    for _ in range(values.shape.rank - 2):
        inside = tf.expand_dims(inside, -1)
    return tf.where(inside, values, 0.0)


def _concatenate(rows: Iterable[Sequence[int]]) -> np.ndarray:
    arrays = [np.asarray(row, np.int32) for row in rows]
    return np.concatenate(arrays) if arrays else np.zeros(0, np.int32)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Padding:
    """To which length a batch is padded.

    Attributes:
        max_length: of any example.
        multiple: its longest, rounded up to a multiple of this: each length is a shape for which blocks are compiled.
        fixed: always to `max_length`.
    """

    max_length: int
    multiple: int = 8
    fixed: bool = False

    def length(self, longest: np.ndarray) -> np.ndarray:
        """For batches whose longest examples have so many tokens: int64, of the shape of `longest`."""
        if self.fixed:
            return np.full_like(longest, self.max_length, dtype=np.int64)
        return np.minimum(self.max_length, -(-longest // self.multiple) * self.multiple)

    def rows_for(self, rows: int, replicas: int) -> int:
        """How many rows there are in place of so many: each has its own."""
        del replicas
        return rows

    def columns(self, longest: np.ndarray, start: int) -> dict[str, np.ndarray]:
        """What `make_batch` wants to know of the batches from step `start` on, given their longest: int64 [steps]."""
        del start
        return {"length": self.length(longest)}

    def make_batch(self, examples: TokenizedExamples, column: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The batch of `column["examples"]`."""
        return examples.batch(column["examples"], self.max_length if self.fixed else column["length"])


class TrainingOrder:
    """Which examples make the batch of each step: every example once an epoch, reshuffled each epoch.

    Args:
        lengths: int64 [N], of the examples.
        batch_size: examples in a batch, over all devices.
        num_steps: of the whole run.
        seed: of the order.
        by_length: whether the examples of a batch should be of about one length.
    """

    def __init__(self, lengths: np.ndarray, batch_size: int, num_steps: int, seed: int, by_length: bool = True):
        self.lengths, self.batch_size, self.num_steps, self.seed = lengths, batch_size, num_steps, seed
        self.by_length = by_length

    def batches(self, start: int = 0) -> np.ndarray:
        """The examples of each batch from step `start` on: int64 [steps, B]."""
        first = start // POOL_BATCHES
        pools = [self._make_pool(number) for number in range(first, -(-self.num_steps // POOL_BATCHES))]
        return np.concatenate(pools)[start - first * POOL_BATCHES :]

    def _make_pool(self, number: int) -> np.ndarray:
        """The batches of steps number · POOL_BATCHES and on: [batches, B]."""
        first = number * POOL_BATCHES
        batches = min(POOL_BATCHES, self.num_steps - first)
        examples = self._stream(first * self.batch_size, batches * self.batch_size)
        if self.by_length:
            random = np.random.default_rng([self.seed, 1, number])
            examples = examples[np.argsort(self.lengths[examples], kind="stable")]
            return random.permutation(examples.reshape(batches, self.batch_size))
        return examples.reshape(batches, self.batch_size)

    def _stream(self, start: int, count: int) -> np.ndarray:
        """Part of the epochs' permutations, one after the other."""
        size = len(self.lengths)
        epochs = range(start // size, -(-(start + count) // size))
        orders = [np.random.default_rng([self.seed, 0, epoch]).permutation(size) for epoch in epochs]
        skipped = start - epochs[0] * size
        return np.concatenate(orders)[skipped : skipped + count]


class Layout(Protocol):
    """How the rows of a batch are laid out: `Padding`, or several examples in a row (`packing.PackedRows`)."""

    def length(self, longest: np.ndarray) -> np.ndarray: ...

    def rows_for(self, rows: int, replicas: int) -> int: ...

    def columns(self, longest: np.ndarray, start: int) -> dict[str, np.ndarray]: ...

    def make_batch(self, examples: TokenizedExamples, column: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]: ...


@tf.autograph.experimental.do_not_convert  # Conversion of the functions below would only take time.
def training_batches(
    examples: TokenizedExamples, order: TrainingOrder, layout: Layout, start: int = 0, share: Share = Share()
) -> tf.data.Dataset:
    """The batches from step `start` on, each replica's part of one after the other.

    Returns:
        Dataset of dicts; beside what `TokenizedExamples.batch` gives, `position` int64 [b, 2] holds (0, the step that
        follows) in every row.
    """
    replicas = share.hosts * share.replicas
    own = slice(share.index * share.replicas, (share.index + 1) * share.replicas)
    batches = order.batches(start)  # [steps, B]
    steps, rows = len(batches), order.batch_size // replicas

    def part(values: np.ndarray) -> np.ndarray:
        """What is known of each example goes to its replica: [steps, B, …] → [steps · own replicas, b, …]."""
        parts = values.reshape(steps, replicas, -1, *values.shape[2:])[:, own]  # [steps, own replicas, b, …]
        return parts.reshape(-1, *parts.shape[2:])

    known = layout.columns(order.lengths[batches].max(axis=1), start)
    columns = {"examples": part(batches), "next": np.repeat(np.arange(start + 1, start + steps + 1), share.replicas)}
    columns |= {
        name: np.repeat(values, share.replicas) if values.ndim == 1 else part(values) for name, values in known.items()
    }

    def make_batch(column: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        position = tf.tile(tf.stack([[tf.constant(0, tf.int64), column["next"]]]), [rows, 1])  # [b, 2]
        return layout.make_batch(examples, column) | {"position": position}

    numbers = tf.data.Dataset.from_tensor_slices(columns)
    return untuned(numbers.map(make_batch, num_parallel_calls=2, deterministic=True).prefetch(4))


def in_batches(
    examples: TokenizedExamples, batch_size: int, padding: Padding
) -> Iterator[tuple[np.ndarray, dict[str, tf.Tensor]]]:
    """Each example once, those of one length together, the longest first so that memory runs out at once or never.

    Yields:
        Which examples, int64 [B], and their batch. The last is filled up with its first example, so that all batches
        have `batch_size`; what is given for the places beyond len(examples) has to be thrown away.
    """
    order = np.argsort(-examples.lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        filled = np.concatenate([chosen, np.repeat(chosen[:1], batch_size - len(chosen))])
        yield chosen, examples.batch(tf.constant(filled), int(padding.length(examples.lengths[chosen].max())))
