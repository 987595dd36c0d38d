"""A tagger on frozen features: what it reads, what it learns, and that the encoder stays as it is."""

import numpy as np
import pytest
import tensorflow as tf

from official.models.bert import Bert, BertConfig
from official.models.feature_based_tagger import FEATURE_LAYERS, FeatureBasedTagger, LayerMix
from official.objectives.token_classification import token_classification

CONFIG = BertConfig(
    vocab_size=20,
    hidden_size=16,
    num_hidden_layers=5,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=16,
    type_vocab_size=2,
)


def make(feature_layers):
    encoder = Bert(CONFIG, pooler=False, output_hidden_states=True)
    return FeatureBasedTagger(encoder, ("O", "B-x", "I-x"), feature_layers, lstm_size=8)


@pytest.fixture
def batch():
    mask = np.array([[1] * 7, [1] * 4 + [0] * 3], np.int32)
    return {"input_ids": np.random.RandomState(0).randint(1, 20, (2, 7)).astype(np.int32) * mask, "input_mask": mask}


# Of states numbered 0 (embeddings) to 5.
READ = {
    "embeddings": [0],
    "last": [5],
    "second_to_last": [4],
    "last_four_sum": [2, 3, 4, 5],
    "last_four_concat": [2, 3, 4, 5],
    "all_sum": [1, 2, 3, 4, 5],
}


@pytest.mark.parametrize("feature_layers", READ)
def test_every_choice_of_layers_reads_them_and_answers_with_logits(feature_layers, batch):
    assert list(FEATURE_LAYERS[feature_layers](range(6))) == READ[feature_layers]
    model = make(feature_layers)
    logits = model(batch)["logits"].numpy()
    assert logits.shape == (2, 7, 3) and logits.dtype == np.float32
    kernel = model.lstms[0].forward_layer.cell.kernel
    assert kernel.shape[0] == (64 if feature_layers == "last_four_concat" else 16)


def test_padding_changes_nothing(batch):
    model = make("last_four_concat")
    short = {name: values[1:, :4] for name, values in batch.items()}
    np.testing.assert_allclose(model(batch)["logits"][1:, :4], model(short)["logits"], atol=1e-6)


def test_a_mix_starts_as_the_mean_and_its_scalars_are_learnt():
    states = [tf.constant([[[1.0, 2.0]]]), tf.constant([[[3.0, 6.0]]])]
    mix = LayerMix(2)
    mix.build()
    np.testing.assert_allclose(mix(states), [[[2.0, 4.0]]])
    mix.scalars.assign([np.log(3.0), 0.0])
    mix.gamma.assign(2.0)
    np.testing.assert_allclose(mix(states), [[[3.0, 6.0]]], rtol=1e-6)


@pytest.mark.parametrize("feature_layers", ["all_sum", "last_four_concat"])
def test_training_moves_everything_but_the_encoder(feature_layers, batch):
    model = make(feature_layers)
    batch["token_labels"] = batch["input_ids"] % 3
    assert not any("bert/" in variable.path for variable in model.trainable_variables)
    before = [variable.numpy() for variable in model.encoder_model.weights]
    optimizer, losses = tf.keras.optimizers.Adam(0.03), []
    for _ in range(30):
        with tf.GradientTape() as tape:
            mean = token_classification(model, batch, training=True).losses["loss"]
            loss = mean.total / mean.weight
        gradients = tape.gradient(loss, model.trainable_variables)
        assert all(gradient is not None for gradient in gradients)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))
        losses.append(float(loss))
    assert losses[-1] < 0.5 * losses[0]
    for old, variable in zip(before, model.encoder_model.weights):
        np.testing.assert_array_equal(old, variable.numpy())


def test_an_encoder_without_hidden_states_is_refused():
    with pytest.raises(ValueError, match="hidden_states"):
        FeatureBasedTagger(Bert(CONFIG, pooler=False), ("O", "B-x"))
