"""Several examples in a row of a fixed length, so that little of a batch is padding (Krell et al. 2021, §3.1).

A step has the examples that it has without packing; only their places differ. Rows are as many in every step, so that
all are computed by one program: as many as the fullest step of the run needs.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from official.inputs.tokenized import TokenizedExamples, TrainingOrder


def first_fit(lengths: np.ndarray, row_length: int) -> tuple[np.ndarray, np.ndarray]:
    """Puts each batch's examples into rows, the longest first, each into the first row with room for it.

    Args:
        lengths: int64 [batches, B], each at most `row_length`.
        row_length: of all rows.

    Returns:
        The row of each example, and where in it the example starts: int64 [batches, B] each.
    """
    batches, size = lengths.shape
    every = np.arange(batches)
    filled = np.zeros((batches, size), np.int64)  # Tokens of each row; there are never more rows than examples.
    rows, starts = np.empty_like(lengths), np.empty_like(lengths)
    for example in np.argsort(-lengths, axis=1, kind="stable").T:  # The longest of each batch, the second longest, …
        length = lengths[every, example]
        row = (filled + length[:, np.newaxis] <= row_length).argmax(axis=1)
        rows[every, example], starts[every, example] = row, filled[every, row]
        filled[every, row] += length
    return rows, starts


@dataclasses.dataclass(frozen=True)
class PackedRows:
    """The places of the examples of every step of a run; used as `Padding` is.

    Attributes:
        max_length: of a row.
        longest: tokens of the longest example.
        rows: rows of a micro-batch of a replica.
        micro_batches: of a replica's batch; each has rows of its own.
        places: int64 [steps, B · group, 2], the row of each within its micro-batch, and where in it it starts.
    """

    max_length: int
    longest: int
    rows: int
    micro_batches: int
    places: np.ndarray

    @classmethod
    def of(
        cls, examples: TokenizedExamples, order: TrainingOrder, max_length: int, replicas: int, micro_batches: int
    ) -> "PackedRows":
        """Looks for the places, of the whole run: a run that goes on has the shapes that it had.

        Args:
            examples: what the batches are made of.
            order: which of them each batch has.
            max_length: of a row.
            replicas: that share a batch.
            micro_batches: that a replica's share is computed in.
        """
        lengths = np.diff(examples.row_splits).reshape(-1, examples.group)  # [N, group]
        batches = lengths[order.batches()]  # [steps, B, group]
        steps = len(batches)
        rows, starts = first_fit(batches.reshape(steps * replicas * micro_batches, -1), max_length)
        places = np.stack([rows, starts], axis=-1).reshape(steps, -1, 2)
        return cls(max_length, int(batches.max()), int(rows.max()) + 1, micro_batches, places)

    def length(self, longest: np.ndarray) -> np.ndarray:
        """That of the rows, for each batch: int64, of the shape of `longest`."""
        return np.full_like(longest, self.max_length, dtype=np.int64)

    def rows_for(self, rows: int, replicas: int) -> int:
        """How many rows there are in place of so many, in a batch of all replicas."""
        del rows
        return self.rows * self.micro_batches * replicas

    def columns(self, longest: np.ndarray, start: int) -> dict[str, np.ndarray]:
        """What `make_batch` wants to know of each batch from step `start` on: int64 [steps, B · group, 2]."""
        del longest
        return {"places": self.places[start:]}

    def make_batch(self, examples: TokenizedExamples, column: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """A replica's batch: as `TokenizedExamples.batch` makes it, each of the longest example's length, but for

        `input_ids`, `segment_ids`: int32 [rows, max_length], and what `layers.Packing` asks for.
        """
        batch = examples.batch(column["examples"], self.longest)
        inside = batch["input_mask"] > 0  # [B, T]
        number = inside.shape[0]
        row, first = tf.unstack(column["places"], axis=-1)  # [B] each
        within = tf.range(self.longest, dtype=tf.int64)  # [T]
        places = tf.expand_dims(row * self.max_length + first, 1) + within  # [B, T], of the micro-batch's tokens
        shift = tf.range(number, dtype=tf.int64) // (number // self.micro_batches) * self.rows * self.max_length  # [B]
        target = tf.boolean_mask(places + tf.expand_dims(shift, 1), inside)  # [tokens]

        def packed(values: tf.Tensor) -> tf.Tensor:
            """[B, T] → [rows, max_length], 0 where there is nothing."""
            tokens = tf.boolean_mask(tf.broadcast_to(tf.cast(values, tf.int32), inside.shape), inside)
            shape = tf.constant([self.micro_batches * self.rows * self.max_length], tf.int64)
            return tf.reshape(tf.scatter_nd(tf.expand_dims(target, 1), tokens, shape), [-1, self.max_length])

        return batch | {
            "input_ids": packed(batch["input_ids"]),
            "segment_ids": packed(batch["segment_ids"]),
            "packed_examples": packed(tf.expand_dims(tf.range(1, number + 1), 1)),
            "packed_positions": packed(within),
            "packed_places": tf.where(inside, tf.cast(places, tf.int32), 0),
        }
