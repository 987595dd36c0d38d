"""Whether reading starves a step of pretraining: records read for nothing, and steps that wait for them or do not.

    python -m benchmarks.record_reading --input_file=records.tfrecord --vocab_file=vocab.txt

First the records are read, parsed and, with --masking=dynamic, masked, as fast as two threads can; what each takes of
the processor is said. Then one model takes its steps by turns on batches as they are read, and on one batch again and
again: what the first take longer is the share of a step that reading costs, waiting included.
"""

import dataclasses
import statistics
import tempfile
import time

from absl import flags

from official import command_line, files
from official.training import flags as device_flags
from official.training import training_flags

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(device_flags)
flags.adopt_module_key_flags(training_flags)
flags.DEFINE_string("input_file", None, "Record files.")
flags.DEFINE_string("vocab_file", None, "Their vocabulary.")
flags.DEFINE_string("bert_config_file", "bert-mini", "A preset, or a bert_config.json.")
flags.DEFINE_enum("masking", "static", ["static", "dynamic"], "As of run_pretraining.py.")
flags.DEFINE_integer("train_batch_size", 32, "Examples in a step.", 1)
flags.DEFINE_integer("max_seq_length", 128, "Of the records.", 8)
flags.DEFINE_integer("max_predictions_per_seq", 20, "Of the records.", 1)
flags.DEFINE_integer("repetitions", 7, "Turns of each.", 3)
flags.DEFINE_integer("steps", 20, "Steps in a turn.", 1)
READ = 500  # Batches that are read for nothing.


def make_pretraining(output_dir: str):
    """A run on the records, with its loop."""
    from official.models.registry import read_config
    from official.tasks.pretraining.pretraining import Pretraining, PretrainingRun
    from official.tasks.shapes import for_vocabulary
    from official.tokenization.vocabulary_files import read_vocabulary_file
    from official.training.training import Training

    names = {field.name for field in dataclasses.fields(PretrainingRun)} & set(FLAGS)
    run = PretrainingRun(
        config=for_vocabulary(read_config(FLAGS.bert_config_file), read_vocabulary_file(FLAGS.vocab_file)),
        input_files=files.expand_patterns(FLAGS.input_file, "input_file"),
        output_dir=output_dir,
        **{name: FLAGS[name].value for name in names},
    )
    strategy = device_flags.strategy_of_flags()
    pretraining = Pretraining(run, strategy)
    schedule = run.schedule(1e-5, 1_000_000, 10)
    training = Training(
        run, strategy, pretraining.model, pretraining.objective, pretraining.weights, schedule, output_dir
    )
    return pretraining, training


def read_for_nothing(iterator) -> None:
    next(iterator)
    started, cpu_started = time.perf_counter(), time.process_time()
    for _ in range(READ):
        next(iterator)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu_started
    records = READ * FLAGS.train_batch_size
    print(
        f"{records / seconds:,.0f} records/s read for nothing, {1e6 * cpu / records:.1f} µs of the processor for each"
    )


def main():
    command_line.require(FLAGS, "input_file", "vocab_file")
    command_line.import_tensorflow()
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as output_dir:
        pretraining, training = make_pretraining(output_dir)
        dataset = pretraining.training_batches(tf.distribute.InputContext(), training.position)
        read_for_nothing(iter(dataset))
        sources = {"as they are read": iter(dataset), "one batch again": iter(dataset.take(1).cache().repeat())}
        seconds = {name: [] for name in sources}
        for turn in range(FLAGS.repetitions + 1):
            for name, iterator in sources.items():
                started = time.perf_counter()
                training.loop.run(iterator, FLAGS.steps).sums.numpy()
                if turn:  # The first is to trace and to compile.
                    seconds[name].append((time.perf_counter() - started) / FLAGS.steps)
    read, again = (statistics.median(values) for values in seconds.values())
    for name, values in seconds.items():
        median, least, most = (1e3 * each(values) for each in (statistics.median, min, max))
        print(f"{median:,.1f} ms a step, {name} ({least:,.1f} to {most:,.1f})")
    print(f"{1 - again / read:.1%} of a step is for reading")


if __name__ == "__main__":
    command_line.run(main)
