"""What a step of pretraining costs here, beside keras-hub's BERT in the same process, taking turns.

    python benchmarks/pretraining_step.py --bert_config_file=bert-mini --train_batch_size=32

Prints a table and, with --json, writes the same numbers. Both train masked language model and next sentence on the same
batch, with dropout, AdamW and clipping, gathering masked positions before the vocabulary projection.
"""

import json
import pathlib
import statistics
import sys
import time

from absl import flags

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from official import command_line  # noqa: E402

FLAGS = flags.FLAGS

flags.DEFINE_string("bert_config_file", "bert-mini", "A preset, or a bert_config.json.")
flags.DEFINE_integer("train_batch_size", 32, "Examples in a step.", 1)
flags.DEFINE_integer("max_seq_length", 128, "Tokens of an example.", 8)
flags.DEFINE_integer("max_predictions_per_seq", 20, "Masked tokens of an example.", 1)
flags.DEFINE_integer("repetitions", 5, "How often each takes its turn.", 3)
flags.DEFINE_integer("steps", 3, "Steps in a turn.", 1)
flags.DEFINE_string("json", None, "Where to write the numbers.")


def random_batch(vocab_size):
    import numpy as np

    random = np.random.RandomState(0)
    examples, length, predictions = FLAGS.train_batch_size, FLAGS.max_seq_length, FLAGS.max_predictions_per_seq
    positions = np.sort(np.argsort(random.rand(examples, length), axis=1)[:, :predictions], axis=1)  # [B, P]
    batch = {
        "input_ids": random.randint(0, vocab_size, (examples, length)),
        "input_mask": np.ones((examples, length)),
        "segment_ids": random.randint(0, 2, (examples, length)),
        "masked_lm_positions": positions,
        "masked_lm_ids": random.randint(0, vocab_size, (examples, predictions)),
        "next_sentence_labels": random.randint(0, 2, (examples, 1)),
    }
    batch = {name: values.astype("int32") for name, values in batch.items()}
    return batch | {"masked_lm_weights": np.ones((examples, predictions), "float32")}


def ours(config, batch, precision, fusion="blocks"):
    """A function that makes a number of steps with this project."""
    import keras
    import tensorflow as tf

    from official.models.bert import Bert
    from official.objectives.bert_pretraining import bert_pretraining
    from official.optimization import AdamWeightDecay, LinearDecayWithWarmup
    from official.training.step import TrainLoop
    from official.training.strategy import make_strategy

    keras.mixed_precision.set_global_policy(precision)
    strategy = make_strategy("one_device")
    with strategy.scope():
        model = Bert(config, heads=("mlm", "nsp"))
        optimizer = AdamWeightDecay({v.path: v.value for v in model.trainable_variables})
        step = tf.Variable(0, dtype=tf.int64, trainable=False)
    schedule = LinearDecayWithWarmup(1e-4, 10_000, 100)
    generator = "philox" if fusion == "none" else "counter"  # As by default.
    loop = TrainLoop(
        strategy, model, bert_pretraining, optimizer, schedule, step, 1, fusion, dropout_generator=generator
    )
    columns = batch | {"position": tf.zeros([len(batch["input_ids"]), 2], tf.int64)}
    iterator = iter(strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensors(columns).repeat()))
    return lambda steps: float(loop.run(iterator, steps).gradient_norm)


def keras_hub_fit(config, batch, precision):
    """The same with keras-hub's backbone and head under `fit`."""
    import keras
    import keras_hub
    import tensorflow as tf

    keras.mixed_precision.set_global_policy(precision)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=config.vocab_size,
        num_layers=config.num_hidden_layers,
        num_heads=config.num_attention_heads,
        hidden_dim=config.hidden_size,
        intermediate_dim=config.intermediate_size,
        dropout=config.hidden_dropout_prob,
        max_sequence_length=config.max_position_embeddings,
    )
    inputs = dict(backbone.input)
    positions = keras.Input((FLAGS.max_predictions_per_seq,), dtype="int32", name="mask_positions")
    encoded = backbone(inputs)
    head = keras_hub.layers.MaskedLMHead(token_embedding=backbone.token_embedding, intermediate_activation="gelu")
    words = head(encoded["sequence_output"], positions)
    pairs = keras.layers.Dense(2, dtype="float32")(encoded["pooled_output"])
    model = keras.Model(inputs | {"mask_positions": positions}, [words, pairs])
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.AdamW(1e-4, weight_decay=0.01, global_clipnorm=1.0)
    model.compile(optimizer=optimizer, loss=[crossentropy, crossentropy], jit_compile=False)
    features = {
        "token_ids": batch["input_ids"],
        "padding_mask": batch["input_mask"],
        "segment_ids": batch["segment_ids"],
        "mask_positions": batch["masked_lm_positions"],
    }
    labels = (batch["masked_lm_ids"], batch["next_sentence_labels"][:, 0])
    data = tf.data.Dataset.from_tensors((features, labels)).repeat()
    return lambda steps: model.fit(data, steps_per_epoch=steps, epochs=1, verbose=0).history["loss"]


def main():
    command_line.import_tensorflow()
    from official.models.bert import read_config

    config = read_config(FLAGS.bert_config_file)
    batch = random_batch(config.vocab_size)
    runs = {
        "this project, float32": ours(config, batch, "float32"),
        "this project, float32, blocks not compiled": ours(config, batch, "float32", "none"),
        "this project, bfloat16": ours(config, batch, "mixed_bfloat16"),
        "this project, bfloat16, blocks not compiled": ours(config, batch, "mixed_bfloat16", "none"),
        "keras-hub fit, float32": keras_hub_fit(config, batch, "float32"),
        "keras-hub fit, bfloat16": keras_hub_fit(config, batch, "mixed_bfloat16"),
    }
    seconds = {name: [] for name in runs}
    for run in runs.values():
        run(2)  # Traced and compiled.
    for _ in range(FLAGS.repetitions):
        for name, run in runs.items():
            started = time.perf_counter()
            run(FLAGS.steps)
            seconds[name].append((time.perf_counter() - started) / FLAGS.steps)
    report(seconds)


def report(seconds):
    tokens = FLAGS.train_batch_size * FLAGS.max_seq_length
    rate = {name: tokens / statistics.median(times) for name, times in seconds.items()}
    reference = rate["keras-hub fit, float32"]
    print(f"{FLAGS.bert_config_file}, batch {FLAGS.train_batch_size} × {FLAGS.max_seq_length}")
    print(f"{'':46}{'ms a step':>10}{'spread':>14}{'tokens/s':>10}{'ratio':>7}")
    for name, times in seconds.items():
        spread = f"{1e3 * min(times):,.0f}–{1e3 * max(times):,.0f}"
        median = 1e3 * statistics.median(times)
        print(f"{name:46}{median:>10,.0f}{spread:>14}{rate[name]:>10,.0f}{rate[name] / reference:>7.2f}")
    if FLAGS.json:
        pathlib.Path(FLAGS.json).write_text(json.dumps({"tokens_per_second": rate, "seconds": seconds}, indent=1))


if __name__ == "__main__":
    command_line.run(main)
