"""BERT as a source of fixed features (Devlin et al. 2019, §5.3): chosen layers, a BiLSTM on them, a label a token."""

import keras
import tensorflow as tf

from official import layers
from official.models.bert import CLASSIFIER_DROPOUT, Bert

DEFAULT_LAYERS = "last_four_concat"  # The best of them.
LSTM_SIZE, LSTM_LAYERS = 768, 2  # "A randomly initialized two-layer 768-dimensional BiLSTM".
LARGEST_LSTM = 4_096
# The rows of table 7. States are numbered from 0, the embeddings; those of the blocks are 1 … L.
FEATURE_LAYERS = {
    "embeddings": lambda states: states[:1],
    "last": lambda states: states[-1:],
    "second_to_last": lambda states: states[-2:-1],
    "last_four_sum": lambda states: states[1:][-4:],
    "last_four_concat": lambda states: states[1:][-4:],
    "all_sum": lambda states: states[1:],
}


class LayerMix(keras.layers.Layer):
    """A weighted sum of layers, γ·Σ softmax(s)ᵢ·hᵢ, γ and s learnt scalars (Peters et al. 2018, equation 1)."""

    def __init__(self, num_layers: int, **kwargs):
        super().__init__(**kwargs)
        self.num_layers = num_layers

    def build(self, input_shape=None):
        self.scalars = self.add_weight(name="scalars", shape=(self.num_layers,), initializer="zeros", autocast=False)
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="ones", autocast=False)

    def call(self, states):
        """`num_layers` tensors [B, T, H] → [B, T, H]."""
        weights = self.gamma * tf.nn.softmax(tf.convert_to_tensor(self.scalars))
        return tf.add_n([tf.cast(weights[n], state.dtype) * state for n, state in enumerate(states)])


class FeatureBasedTagger(keras.Model):
    """A tagger on an encoder that stays as it is; only what stands on top of it is trainable.

    Called with a dict as `Bert` is; answers with `logits` float32 [B, T, labels].

    Args:
        encoder: a BERT that answers with `hidden_states`; it is frozen.
        labels: names of the classes.
        feature_layers: one of `FEATURE_LAYERS`.
        lstm_size: of each direction, in each of the layers.
    """

    def __init__(
        self,
        encoder: Bert,
        labels: tuple[str, ...],
        feature_layers: str = DEFAULT_LAYERS,
        lstm_size: int = LSTM_SIZE,
        name: str = "model",
    ):
        super().__init__(name=name)
        if not encoder.output_hidden_states:
            raise ValueError("the encoder has to answer with hidden_states")
        encoder.trainable = False
        self.encoder_model, self.config = encoder, encoder.config
        self.labels, self.feature_layers, self.lstm_size = labels, feature_layers, lstm_size
        num_states = len(FEATURE_LAYERS[feature_layers](range(encoder.config.num_hidden_layers + 1)))
        self.mix = LayerMix(num_states, name="layer_mix") if feature_layers.endswith("_sum") else None
        self.lstms = [
            keras.layers.Bidirectional(
                keras.layers.LSTM(lstm_size, return_sequences=True, name="lstm"), name=f"bilstm_{number}"
            )
            for number in range(LSTM_LAYERS)
        ]
        self.classifier = layers.ClassificationHead(
            len(labels), encoder.config.initializer_range, CLASSIFIER_DROPOUT, name="tagging"
        )
        self.build(num_states)

    def build(self, num_states: int):
        width = self.encoder_model.config.hidden_size * (num_states if self.feature_layers == "last_four_concat" else 1)
        if self.mix is not None:
            self.mix.build()
        for lstm in self.lstms:
            lstm.build((None, None, width))
            width = 2 * self.lstm_size
        self.classifier.build((None, None, width))
        self.built = True

    def call(self, inputs, training=False):
        states = self.encoder_model(inputs, training=False)["hidden_states"]
        states = [tf.stop_gradient(state) for state in FEATURE_LAYERS[self.feature_layers](states)]
        x = tf.concat(states, axis=-1) if self.mix is None else self.mix(states)  # [B, T, H or 4·H]
        mask = inputs.get("input_mask")
        for lstm in self.lstms:
            x = lstm(x, mask=None if mask is None else mask > 0, training=training)  # [B, T, 2·lstm_size]
            x = tf.identity(x)  # Keras fastens the mask to what an LSTM answers, and warns that the head ignores it.
        return {"logits": self.classifier(x, training=training)}
