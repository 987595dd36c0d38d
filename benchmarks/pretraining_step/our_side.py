"""Steps of this project; `--variant` is a fusion (auto, blocks, step, none), or `recompute` for less memory."""

import argparse

import keras
import tensorflow as tf

from benchmarks.pretraining_step import work
from official.models.bert import Bert
from official.models.registry import read_config
from official.objectives.bert_pretraining import bert_pretraining
from official.optimization import LinearDecayWithWarmup
from official.training.loop import device_iterator
from official.training.strategy import make_strategy
from official.training.training import Training, TrainingOptions, prepare


def make(arguments: argparse.Namespace):
    """A function that makes a number of steps."""
    config = read_config(arguments.config)
    recompute = arguments.variant == "recompute"
    options = TrainingOptions(
        train_batch_size=arguments.batch_size,
        mixed_precision=arguments.precision,
        fusion="auto" if recompute else arguments.variant,
        recompute=recompute,
    )
    strategy = make_strategy("one_device")
    prepare(options, strategy)
    with strategy.scope():
        model = Bert(config, heads=("mlm", "nsp"))
    weights = {variable.path: variable.value for variable in model.trainable_variables}
    schedule = LinearDecayWithWarmup(1e-4, 10_000, 100)
    training = Training(options, strategy, model, bert_pretraining, weights, schedule, "/nonexistent")
    columns = work.random_batch(config.vocab_size, arguments)
    columns |= {"position": tf.zeros([arguments.batch_size, 2], tf.int64)}
    iterator = device_iterator(strategy, lambda context: tf.data.Dataset.from_tensors(columns).repeat())
    return lambda steps: float(training.loop.run(iterator, steps).gradient_norm)


def main():
    arguments = work.parse_arguments(__doc__)
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    keras.utils.set_random_seed(0)
    work.take_turns(make(arguments), arguments.steps)


if __name__ == "__main__":
    main()
