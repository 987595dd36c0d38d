"""What a run of pretraining would be."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from official.inputs.record_counts import RecordCount, count_records
from official.objectives.distilled_pretraining import DistilBertPretraining
from official.tasks.dry_run import costs, report
from official.tasks.dry_run.decoded import SEGMENTS, pretraining_example
from official.tasks.dry_run.pretraining_sample import PretrainingSample
from official.tasks.dry_run.trainable import Trainable
from official.tokenization.tokenizer import Tokenizer
from official.training.rehearsal import Rehearsal

EXAMPLES_SHOWN, EXAMPLES_SAMPLED = 3, 1_000
MANY_EPOCHS = 1_000  # Of records; those of a text that is written down ten times count as ten.
MUCH_UNKNOWN = 0.05  # Share of [UNK] from which on records and vocabulary may be of different languages.


def pretraining_report(
    trainable: Trainable,
    rehearsal: Rehearsal,
    paths: Sequence[str],
    batches: tf.data.Dataset,
    tokenizer: Tokenizer | None,
) -> str:
    """The report, in sections.

    Args:
        trainable: the model before its first step.
        rehearsal: of steps on `batches`.
        paths: the record files.
        batches: as a replica is given them, in the order of training.
        tokenizer: of the vocabulary; None: ids are shown.
    """
    records = count_records(paths)
    count = -(-min(EXAMPLES_SAMPLED, records.number) // (trainable.options.train_batch_size // trainable.replicas))
    sampled = [
        {name: values for name, values in batch.items() if name != "position"}
        for batch in itertools.islice(batches.as_numpy_iterator(), count)
    ]
    rows, length = sampled[0]["input_ids"].shape
    words = sampled[0]["masked_lm_positions"].shape[1]
    shape = costs.BatchShape(
        rows, length, length if isinstance(trainable.loop.objective, DistilBertPretraining) else words
    )
    sample = PretrainingSample.of(sampled, tokenizer)
    network = trainable.network
    of_segments = next((head for head in network.heads if head in SEGMENTS), None)
    return report.join([
        "A dry run of pretraining: nothing was written.",
        report.model_section(network.config, trainable.parameters()),
        report.section("Training", [*trainable.rows(), *_data_rows(trainable, records, len(paths))]),
        trainable.memory(shape),
        report.work_section(network, shape, trainable.loop.recompute, trainable.replicas),
        _speed_section(trainable, rehearsal, shape),
        report.batch_section("A batch, as each device is given it", sampled[0]),
        report.section(f"Data, by the first {sample.examples:,} examples", sample.lines(tokenizer, of_segments)),
        _examples(sampled[0], tokenizer, of_segments),
        *_notes(trainable, sample, records),
    ])  # fmt: skip


def _data_rows(trainable: Trainable, records: RecordCount, num_files: int) -> list[report.Row]:
    how = "counted" if records.counted else "estimated from the sizes of files"
    epochs, steps = report.in_figures(_epochs(trainable, records)), trainable.schedule.num_train_steps
    return [
        ("records", f"{records.number:,} in {num_files:,} file{'s' * (num_files > 1)} ({how})"),
        (
            "steps",
            f"{steps:,}, {trainable.steps_left:,} of them to go; {epochs} times all records",
        ),
    ]


def _epochs(trainable: Trainable, records: RecordCount) -> float:
    return trainable.schedule.num_train_steps * trainable.options.train_batch_size / records.number


def _speed_section(trainable: Trainable, rehearsal: Rehearsal, shape: costs.BatchShape) -> str:
    network = trainable.network
    flops = trainable.replicas * trainable.flops(shape)
    seconds = rehearsal.seconds_per_step
    words = math.log(network.config.vocab_size)
    guessing = {
        "masked_lm_loss": words,
        "generator_loss": words,
        "next_sentence_loss": math.log(2),
        "sentence_order_loss": math.log(2),
    }
    rows = [
        *report.speed_rows(rehearsal, trainable.replicas * shape.tokens, flops),
        report.loss_row(rehearsal, guessing),
        ("this run", f"{report.in_time(seconds * trainable.steps_left)} of steps; evaluation and saving come on top"),
    ]
    if set(network.heads) == {"mlm", "nsp"}:
        published = costs.published_flops(network, trainable.loop.recompute)
        said = (
            f"{report.in_time(published * seconds / flops)} at this FLOP/s: {costs.PUBLISHED_STEPS:,} steps of "
            f"{costs.PUBLISHED_BATCH}, 90 % at 128 tokens and 10 % at 512, {report.in_flops(published)}"
        )
        rows.append(("as published", said))
    return report.section("Speed, measured on these devices", rows)


def _examples(batch: dict[str, np.ndarray], tokenizer: Tokenizer | None, of_segments: str | None) -> str:
    vocabulary = None if tokenizer is None else tokenizer.tokens
    shown = min(EXAMPLES_SHOWN, len(batch["input_ids"]))
    examples = [{name: values[row] for name, values in batch.items()} for row in range(shown)]
    title = "The first examples, {what is read→what was there} where a word is masked"
    if tokenizer is None:
        title += "; as ids, since there is no --vocab_file"
    return report.examples_section(title, [pretraining_example(each, vocabulary, of_segments) for each in examples])


def _notes(trainable: Trainable, sample: PretrainingSample, records: RecordCount) -> list[str]:
    notes = trainable.notes()
    if _epochs(trainable, records) > MANY_EPOCHS:
        notes.append("each record is read very often: BERT went over its text about 40 times")
    if sample.unknown > MUCH_UNKNOWN * sample.real:
        notes.append("there is much [UNK]: is this the vocabulary that the records were made with?")
    return ["\n".join(f"note: {note}" for note in notes)] if notes else []
