"""Examples as token ids, kept flat, and batches of them in an order that is a function of (seed, step).

100,000 questions cost their tokens and no padding. A batch holds examples of about one length, padded to its longest,
where the device allows; on a TPU, whose programs are compiled for one shape, each is padded to the maximum.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import tensorflow as tf

from official.inputs.records import Share

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
        group: so many rows make one example: the choices of a question.
    """

    input_ids: np.ndarray
    row_splits: np.ndarray
    segment_ids: np.ndarray
    labels: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)
    token_labels: np.ndarray | None = None
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

    def __len__(self) -> int:
        """The number of examples, each of `group` rows."""
        return (len(self.row_splits) - 1) // self.group

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each example, of the longest of its rows: int64 [N]."""
        return np.diff(self.row_splits).reshape(-1, self.group).max(axis=1, initial=0)

    def batch(self, examples: np.ndarray, length: int) -> dict[str, np.ndarray]:
        """What the model is called with: `input_ids`, `input_mask`, `segment_ids`, int32 [B · group, length].

        Args:
            examples: int64 [B], which ones.
            length: at least that of the longest.

        Returns:
            Labels too, [B, …] each, and `token_labels` [B, length].
        """
        rows = (examples[:, np.newaxis] * self.group + np.arange(self.group)).reshape(-1)
        starts, ends = self.row_splits[rows], self.row_splits[rows + 1]
        places = starts[:, np.newaxis] + np.arange(length)  # [B · group, length]
        inside = places < ends[:, np.newaxis]
        places = np.where(inside, places, 0)
        batch = {
            "input_ids": np.where(inside, self.input_ids[places], 0).astype(np.int32),
            "input_mask": inside.astype(np.int32),
            "segment_ids": np.where(inside, self.segment_ids[places], 0).astype(np.int32),
        }
        if self.token_labels is not None:
            batch["token_labels"] = np.where(inside, self.token_labels[places], NO_LABEL).astype(np.int32)
        return batch | {name: values[examples] for name, values in self.labels.items()}


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

    def length(self, lengths: np.ndarray) -> int:
        """For a batch of examples of these lengths."""
        if self.fixed:
            return self.max_length
        return min(self.max_length, -(-int(lengths.max()) // self.multiple) * self.multiple)


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
        self._pool = (-1, np.zeros((0, batch_size), np.int64))

    def batch(self, step: int) -> np.ndarray:
        """The examples of the batch at this step, from 0: int64 [B]."""
        number = step // POOL_BATCHES
        if self._pool[0] != number:
            self._pool = number, self._make_pool(number)
        return self._pool[1][step % POOL_BATCHES]

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


def training_batches(
    examples: TokenizedExamples, order: TrainingOrder, padding: Padding, start: int = 0, share: Share = Share()
) -> tf.data.Dataset:
    """The batches from step `start` on, each replica's part of one after the other.

    Returns:
        Dataset of dicts; beside what `TokenizedExamples.batch` gives, `position` int64 [b, 2] holds (0, the step that
        follows) in every row.
    """
    replicas = share.hosts * share.replicas
    own = range(share.index * share.replicas, (share.index + 1) * share.replicas)

    def generate() -> Iterator[dict[str, np.ndarray]]:
        for step in range(start, order.num_steps):
            chosen = order.batch(step)
            length = padding.length(order.lengths[chosen])
            parts = np.split(chosen, replicas)
            for replica in own:
                position = np.tile(np.array([[0, step + 1]], np.int64), (len(parts[replica]), 1))
                yield examples.batch(parts[replica], length) | {"position": position}

    length = padding.max_length if padding.fixed else None
    signature = _signature(examples, order.batch_size // replicas, length)
    signature["position"] = tf.TensorSpec([order.batch_size // replicas, 2], tf.int64)
    return tf.data.Dataset.from_generator(generate, output_signature=signature).prefetch(4)


def _signature(examples: TokenizedExamples, rows: int, length: int | None) -> dict[str, tf.TensorSpec]:
    """What a batch looks like to TensorFlow."""
    some = examples.batch(np.zeros(1, np.int64), int(examples.lengths[0]))
    shapes = {name: [rows, *values.shape[1:]] for name, values in some.items()}
    for name in ("input_ids", "input_mask", "segment_ids"):
        shapes[name] = [rows * examples.group, length]
    if "token_labels" in some:
        shapes["token_labels"] = [rows, length]
    return {name: tf.TensorSpec(shape, some[name].dtype) for name, shape in shapes.items()}


def in_batches(
    examples: TokenizedExamples, batch_size: int, padding: Padding
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Each example once, those of one length together, the longest first so that memory runs out at once or never.

    Yields:
        Which examples, int64 [B], and their batch. The last is filled up with its first example, so that all batches
        have `batch_size`; what is given for the places beyond len(examples) has to be thrown away.
    """
    order = np.argsort(-examples.lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        filled = np.concatenate([chosen, np.repeat(chosen[:1], batch_size - len(chosen))])
        yield chosen, examples.batch(filled, padding.length(examples.lengths[chosen]))
