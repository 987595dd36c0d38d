"""bfloat16 where a model learns, float32 where it is looked at."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf

from official.models.bert import Bert, BertConfig
from official.objectives.bert_pretraining import bert_pretraining
from official.optimization import AdamWeightDecay, LinearDecayWithWarmup
from official.training.evaluation import Evaluation
from official.training.loop import device_iterator
from official.training.precision import about_precision, set_precision, training_dtype, training_precision
from official.training.step import TrainLoop
from official.training.strategy import make_strategy
from tests.golden import seeded

SHAPE = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 16,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
}
WEIGHTS = seeded.weights(SHAPE, seed=1)


@pytest.fixture(autouse=True)
def policy_of_other_tests():
    outer = keras.config.dtype_policy()
    yield
    keras.config.set_dtype_policy(outer)


@pytest.mark.parametrize(
    "mixed_precision, fastest, in_training, elsewhere, said",
    [
        ("auto", "bfloat16", "bfloat16", "float32", "bfloat16 in training, float32 elsewhere; weights in float32"),
        ("auto", "float32", "float32", "float32", "float32"),
        ("float32", "bfloat16", "float32", "float32", "float32"),
        ("bfloat16", "float32", "bfloat16", "bfloat16", "mixed bfloat16"),
        ("float16", "bfloat16", "float16", "float16", "mixed float16"),
    ],
)
def test_what_the_flag_makes_of_hardware(mixed_precision, fastest, in_training, elsewhere, said):
    set_precision(mixed_precision, fastest)
    layer = keras.layers.Dense(1)
    assert (training_dtype(), layer.compute_dtype, layer.variable_dtype) == (in_training, elsewhere, "float32")
    assert about_precision() == said


def test_a_step_that_is_traced_changes_nothing_in_another_thread():
    set_precision("auto", "bfloat16")
    layer, found = keras.layers.Dense(1), []
    with training_precision():
        other = threading.Thread(target=lambda: found.append(layer.compute_dtype))
        other.start()
        other.join()
        assert layer.compute_dtype == "bfloat16" and found == ["float32"]
    assert layer.compute_dtype == "float32"


def test_a_layer_that_is_made_of_the_description_of_another_follows():
    set_precision("auto", "bfloat16")
    layer = keras.layers.Bidirectional(keras.layers.LSTM(4))
    elsewhere = layer(tf.ones([2, 3, 5]))
    with training_precision():
        assert layer(tf.ones([2, 3, 5])).dtype == tf.bfloat16
    assert elsewhere.dtype == tf.float32 and {weight.dtype for weight in layer.weights} == {"float32"}


@pytest.mark.parametrize(
    "fusion, recompute",
    [("none", False), ("blocks", False), ("blocks", True), pytest.param("step", False, marks=pytest.mark.slow)],
)
def test_a_model_learns_as_in_bfloat16_and_is_evaluated_as_in_float32(fusion, recompute):
    automatic, evaluated = run(fusion, "auto", recompute=recompute)
    mixed, _ = run(fusion, "bfloat16", recompute=recompute)
    exact, _ = run(fusion, "float32", recompute=recompute)
    for name, value in automatic.items():
        np.testing.assert_array_equal(value, mixed[name], err_msg=name)
    assert any(np.any(value != exact[name]) for name, value in automatic.items())
    _, in_float32 = run(fusion, "float32", automatic, steps=0)
    assert evaluated == in_float32
    _, in_bfloat16 = run(fusion, "bfloat16", automatic, steps=0)
    assert evaluated != in_bfloat16


def run(
    fusion: str, mixed_precision: str, weights: dict[str, np.ndarray] = WEIGHTS, steps: int = 3, recompute: bool = False
):
    """What three steps make of the weights, and what is then measured, after a measurement before them."""
    set_precision(mixed_precision, "bfloat16")
    strategy = make_strategy("one_device")
    with strategy.scope():
        model = Bert(BertConfig(**SHAPE), heads=("mlm", "nsp"))
        variables = {variable.path.split("/", 1)[1]: variable.value for variable in model.trainable_variables}
        step = tf.Variable(0, dtype=tf.int64, trainable=False)
        optimizer = AdamWeightDecay(variables)
    for name, value in weights.items():
        variables[name].assign(value)
    schedule = LinearDecayWithWarmup(1e-3, 100, 1)
    options = {"seed": 1, "fusion": fusion, "recompute": recompute}
    loop = TrainLoop(strategy, model, bert_pretraining, optimizer, schedule, step, **options)
    columns = {name: tf.constant(value) for name, value in seeded.batch(SHAPE, seed=3, size=8).items()}
    batches = tf.data.Dataset.from_tensors(columns)
    evaluation = Evaluation(tf.distribute.get_strategy(), model, bert_pretraining)
    evaluation.run(batches)
    if steps:
        columns |= {"position": tf.zeros([8, 2], tf.int64)}
        repeated = tf.data.Dataset.from_tensors(columns).repeat()
        loop.run(device_iterator(strategy, lambda context: repeated), steps)
    return {name: variable.numpy() for name, variable in variables.items()}, evaluation.run(batches)
