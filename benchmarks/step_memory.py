"""What a step of pretraining takes in memory, beside what --dry_run estimates; on Linux, on a CPU.

    python benchmarks/step_memory.py --bert_config_file=bert-tiny --train_batch_size=128

Two processes make steps, with a batch of the given size and with one of an eighth. What the larger takes more is
compared with what it is estimated to take more: so TensorFlow itself, and what it compiles, are left out. Then all of
it is compared with what the process has taken since it had TensorFlow and no model. --recompute, --mixed_precision,
--gradient_accumulation_steps and the other flags of training are understood.
"""

import dataclasses
import pathlib
import subprocess
import sys

from absl import flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from official import command_line  # noqa: E402
from official.training import flags as device_flags  # noqa: E402
from official.training import training_flags  # noqa: E402

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(device_flags)
flags.adopt_module_key_flags(training_flags)

flags.DEFINE_string("bert_config_file", "bert-tiny", "A preset, or a bert_config.json.")
flags.DEFINE_integer("train_batch_size", 128, "Examples in a step; eight at least.", 1)
flags.DEFINE_integer("max_seq_length", 128, "Tokens of an example.", 8)
flags.DEFINE_integer("max_predictions_per_seq", 20, "Masked tokens of an example.", 1)
flags.DEFINE_bool("child", False, "Make steps of this size, and print the bytes taken and those estimated.")

SMALLER = 8


def status(field):
    """A line of /proc/self/status, in bytes."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return 1_024 * int(line.split()[1])
    raise KeyError(field)


def make_steps():
    """Prints: taken at most in a step above the process without a model, estimate of activations, and of all."""
    import tempfile

    import tensorflow as tf

    from official.models.bert import Bert
    from official.models.registry import read_config
    from official.objectives.bert_pretraining import bert_pretraining
    from official.optimization import LinearDecayWithWarmup
    from official.tasks.dry_run.costs import BatchShape
    from official.tasks.dry_run.trainable import Trainable
    from official.training.training import Training, TrainingOptions, prepare

    strategy = device_flags.strategy_of_flags()
    names = {field.name for field in dataclasses.fields(TrainingOptions)} & set(FLAGS)
    options = TrainingOptions(**{name: FLAGS[name].value for name in names})
    prepare(options, strategy)
    tf.matmul(tf.ones([64, 64]), tf.ones([64, 64])).numpy()
    before = status("VmRSS")
    with strategy.scope():
        model = Bert(read_config(FLAGS.bert_config_file), heads=("mlm", "nsp"))
    weights = {v.path: v.value for v in model.trainable_variables}
    schedule = LinearDecayWithWarmup(1e-4, 10_000, 100)
    training = Training(options, strategy, model, bert_pretraining, weights, schedule, tempfile.gettempdir())
    iterator = iter(tf.data.Dataset.from_tensors(random_batch(model.config.vocab_size)).repeat())
    training.loop.run(iterator, 2)
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # The peak is that of now.
    training.loop.run(iterator, 3).sums.numpy()
    shape = BatchShape(FLAGS.train_batch_size, FLAGS.max_seq_length, FLAGS.max_predictions_per_seq)
    sizes = Trainable.of(training, options, None).memory_sizes(shape)
    activations = sum(sizes.get(name, 0) for name in ("activations", "words by row"))
    print(status("VmHWM") - before, activations, sum(sizes.values()))


def random_batch(vocab_size):
    import numpy as np
    import tensorflow as tf

    random = np.random.default_rng(0)
    rows, length, predictions = FLAGS.train_batch_size, FLAGS.max_seq_length, FLAGS.max_predictions_per_seq
    batch = {
        "input_ids": random.integers(0, vocab_size, (rows, length)),
        "input_mask": np.ones((rows, length)),
        "segment_ids": random.integers(0, 2, (rows, length)),
        "masked_lm_positions": np.sort(random.random((rows, length)).argsort(axis=1)[:, :predictions], axis=1),
        "masked_lm_ids": random.integers(0, vocab_size, (rows, predictions)),
        "next_sentence_labels": random.integers(0, 2, (rows, 1)),
    }
    batch = {name: tf.constant(values, tf.int32) for name, values in batch.items()}
    batch["masked_lm_weights"] = tf.ones([rows, predictions])
    return batch | {"position": tf.zeros([rows, 2], tf.int64)}


def measure(batch_size):
    """What a process of its own prints, in bytes."""
    given = [argument for argument in sys.argv[1:] if not argument.startswith("--train_batch_size")]
    command = [sys.executable, __file__, *given, "--child", f"--train_batch_size={batch_size}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [int(number) for number in done.stdout.split()]


def main():
    if FLAGS.child:
        command_line.import_tensorflow()
        make_steps()
        return
    taken, activations, total = measure(FLAGS.train_batch_size)
    less_taken, less_activations, _ = measure(FLAGS.train_batch_size // SMALLER)
    given = " ".join(sys.argv[1:])
    print(f"{FLAGS.bert_config_file}, batch {FLAGS.train_batch_size} × {FLAGS.max_seq_length}; {given}; MB")
    print(f"{'':34}{'measured':>9}{'estimate':>9}{'error':>8}")
    rows = (
        ("activations of 7/8 of the batch", taken - less_taken, activations - less_activations),
        ("all, with what is compiled", taken, total),
    )
    for name, measured, estimated in rows:
        print(f"{name:34}{measured / 1e6:>9,.0f}{estimated / 1e6:>9,.0f}{estimated / measured - 1:>8.0%}")


if __name__ == "__main__":
    command_line.run(main)
