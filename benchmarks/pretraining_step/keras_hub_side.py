"""Steps of keras-hub's backbone and head under `fit`; `--variant=jit` compiles them."""

import argparse

import keras
import keras_hub
import tensorflow as tf

from benchmarks.pretraining_step import work
from official.inputs.untuned import untuned


def make_model(config: dict, arguments: argparse.Namespace) -> keras.Model:
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=config["vocab_size"],
        num_layers=config["num_hidden_layers"],
        num_heads=config["num_attention_heads"],
        hidden_dim=config["hidden_size"],
        intermediate_dim=config["intermediate_size"],
        dropout=config["hidden_dropout_prob"],
        max_sequence_length=config["max_position_embeddings"],
    )
    inputs = dict(backbone.input)
    positions = keras.Input((arguments.max_predictions_per_seq,), dtype="int32", name="mask_positions")
    encoded = backbone(inputs)
    head = keras_hub.layers.MaskedLMHead(token_embedding=backbone.token_embedding, intermediate_activation="gelu")
    words = head(encoded["sequence_output"], positions)
    pairs = keras.layers.Dense(2, dtype="float32")(encoded["pooled_output"])
    return keras.Model(inputs | {"mask_positions": positions}, [words, pairs])


def make(arguments: argparse.Namespace):
    """A function that makes a number of steps."""
    keras.mixed_precision.set_global_policy("float32" if arguments.precision == "float32" else "mixed_bfloat16")
    config = work.read_config(arguments)
    model = make_model(config, arguments)
    crossentropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.AdamW(1e-4, weight_decay=0.01, global_clipnorm=1.0)
    losses = [crossentropy, crossentropy]
    model.compile(optimizer=optimizer, loss=losses, jit_compile=arguments.variant == "jit")
    batch = work.random_batch(config["vocab_size"], arguments)
    features = {
        "token_ids": batch["input_ids"],
        "padding_mask": batch["input_mask"],
        "segment_ids": batch["segment_ids"],
        "mask_positions": batch["masked_lm_positions"],
    }
    labels = (batch["masked_lm_ids"], batch["next_sentence_labels"][:, 0])
    data = untuned(tf.data.Dataset.from_tensors((features, labels)).repeat())  # Else each `fit` ends in a wait.
    return lambda steps: model.fit(data, steps_per_epoch=steps, epochs=1, verbose=0)


def main():
    arguments = work.parse_arguments(__doc__)
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    work.take_turns(make(arguments), arguments.steps)


if __name__ == "__main__":
    main()
