"""What a run of fine-tuning would be, whatever the task."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from official.inputs.records import Share
from official.inputs.tokenized import Layout, TokenizedExamples, TrainingOrder, training_batches
from official.tasks.dry_run import costs, decoded, report
from official.tasks.dry_run.label_shares import label_shares
from official.tasks.dry_run.trainable import Trainable
from official.tokenization.tokenizer import Tokenizer
from official.training.rehearsal import Rehearsal

EXAMPLES_SHOWN = 3


@dataclasses.dataclass(frozen=True)
class Batches:
    """The batches of a run from some step on.

    Attributes:
        examples: what they are made of.
        chosen: int64 [steps, B], the examples of each.
        lengths: int64 [steps], of the rows of each.
        rows: of a batch.
        typical_part: the part of one replica of the first whose length is nearest to the mean, `typical`.
    """

    examples: TokenizedExamples
    chosen: np.ndarray
    lengths: np.ndarray
    rows: int
    typical: int
    typical_part: dict[str, tf.Tensor]

    @classmethod
    def of(
        cls, examples: TokenizedExamples, order: TrainingOrder, layout: Layout, start: int, replicas: int
    ) -> "Batches":
        chosen = order.batches(start)
        lengths = layout.length(order.lengths[chosen].max(axis=1))
        typical = int(np.abs(lengths - lengths.mean()).argmin())
        part = next(iter(training_batches(examples, order, layout, start + typical, Share(replicas=replicas)).take(1)))
        del part["position"]
        rows = layout.rows_for(chosen.shape[1] * examples.group, replicas)
        return cls(examples, chosen, lengths, rows, typical, part)

    @property
    def padding(self) -> float:
        """Which share of all tokens of all batches is padding."""
        real = np.diff(self.examples.row_splits).reshape(-1, self.examples.group).sum(axis=1)  # [N]
        return 1 - real[self.chosen].sum() / (self.rows * self.lengths.sum())


def fine_tuning_report(
    trainable: Trainable,
    rehearsal: Rehearsal,
    batches: Batches,
    inputs: Sequence[report.Row],
    num_trials: int,
    tokenizer: Tokenizer,
) -> str:
    """The report, in sections.

    Args:
        trainable: the model before its first step.
        rehearsal: of steps on the typical one of `batches`.
        batches: that are still to come.
        inputs: what the task has to say of its examples.
        num_trials: how often all of it is done.
        tokenizer: of the model.
    """
    network, longest = trainable.network, int(batches.lengths.max())
    per_replica = batches.rows // trainable.replicas
    typical = costs.BatchShape(per_replica, int(batches.lengths[batches.typical]))
    row = {name: values.numpy() for name, values in batches.typical_part.items()}
    return report.join([
        "A dry run of fine-tuning: nothing was written.",
        report.model_section(network.config, trainable.parameters()),
        report.section("Training", [*trainable.rows(), *_data_rows(trainable, batches, inputs)]),
        trainable.memory(costs.BatchShape(per_replica, longest), "the longest batch, "),
        report.work_section(
            network,
            typical,
            trainable.loop.recompute,
            trainable.replicas,
            f", of a batch of the mean length, {typical.length}",
        ),
        _speed_section(trainable, rehearsal, batches, typical, num_trials),
        report.batch_section("A batch of the mean length, as each device is given it", row),
        report.examples_section("The first examples, as they are read", _examples(trainable, batches, tokenizer)),
        *(f"note: {note}" for note in trainable.notes()),
    ])  # fmt: skip


def _data_rows(trainable: Trainable, batches: Batches, inputs: Sequence[report.Row]) -> list[report.Row]:
    examples, lengths = batches.examples, batches.examples.lengths
    steps = trainable.schedule.num_train_steps
    epochs = steps * trainable.options.train_batch_size / len(examples)
    fixed = batches.lengths.min() == batches.lengths.max()
    to = f"{batches.lengths.max()}" if fixed else f"{batches.lengths.min()} to {batches.lengths.max()}"
    padded = f"batches of {to}, {'whatever is in them' if fixed else 'each as long as its longest example'}"
    return [
        *inputs,
        ("steps", f"{steps:,}, {trainable.steps_left:,} of them to go: {epochs:.3g} epochs"),
        ("lengths", f"{lengths.mean():.0f} tokens on average, {lengths.max()} at most; {padded}"),
        ("padding", f"{batches.padding:.1%} of the tokens"),
        ("labels", label_shares(examples, trainable.model.labels, getattr(trainable.model, "label_type", None))),
    ]


def _speed_section(
    trainable: Trainable, rehearsal: Rehearsal, batches: Batches, typical: costs.BatchShape, num_trials: int
) -> str:
    seconds, flops = rehearsal.seconds_per_step, trainable.flops(typical)
    values, counts = np.unique(batches.lengths, return_counts=True)
    shapes = (dataclasses.replace(typical, length=int(length)) for length in values)
    ahead = bool(trainable.steps_left) * sum(
        int(count) * trainable.flops(shape) for shape, count in zip(shapes, counts)
    )
    run = f"{report.in_time(ahead / flops * seconds)} of steps at this FLOP/s; scores and saving come on top"
    if len(values) > 1:
        run += f", and compiling for {len(values)} lengths of batches"
    if num_trials > 1:
        run += f"; {num_trials} trials: {report.in_time(num_trials * ahead / flops * seconds)}"
    return report.section("Speed, measured on these devices with a batch of the mean length", [
        *report.speed_rows(rehearsal, trainable.replicas * typical.tokens, trainable.replicas * flops),
        report.loss_row(rehearsal, {}),
        ("this run", run),
    ])  # fmt: skip


def _examples(trainable: Trainable, batches: Batches, tokenizer: Tokenizer) -> list[list[str]]:
    """The first examples of the file, each row of them."""
    examples, model = batches.examples, trainable.model
    shown = min(EXAMPLES_SHOWN, len(examples))
    length = int(examples.lengths[:shown].max())
    batch = {name: values.numpy() for name, values in examples.batch(tf.range(shown, dtype=tf.int64), length).items()}
    label = decoded.label_speller(getattr(model, "label_type", None), model.labels, examples.group)
    lines = []
    for number in range(shown):
        rows = [
            {name: values[number if name in examples.labels else number * examples.group + choice]
             for name, values in batch.items()}
            for choice in range(examples.group)
        ]  # fmt: skip
        lines.append([line for row in rows for line in _row(row, tokenizer.tokens, model.labels, label)])
    return lines


def _row(row: dict[str, np.ndarray], vocabulary: decoded.Vocabulary, labels: Sequence[str], label) -> list[str]:
    if "start_positions" in row:
        return decoded.answered_row(row, vocabulary)
    if "token_labels" in row:
        return decoded.tagged_row(row, vocabulary, labels)
    return decoded.classified_row(row, vocabulary, label(row["label_ids"]))
