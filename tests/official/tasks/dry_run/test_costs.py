"""Parameters, operations and memory of a step, against published counts and formulas and against the graph itself."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from official.layers import DropoutSeed, about_to_be_loaded, dropout_seed, fused_blocks, recomputed_blocks
from official.models.bert import PRESETS, Bert, BertConfig
from official.models.feature_based_tagger import FeatureBasedTagger
from official.objectives.bert_pretraining import bert_pretraining
from official.optimization import AdamWeightDecay
from official.tasks.dry_run import costs
from official.tasks.dry_run.costs import BatchShape, Storage
from official.tasks.dry_run.network import Network, count_parameters, network_of

SMALL = dict(
    vocab_size=1_000,
    hidden_size=64,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=192,
    max_position_embeddings=32,
    type_vocab_size=2,
)
SHAPE = BatchShape(rows=4, length=24, predictions=5)


# === Parameters ===


@pytest.mark.parametrize(
    ("preset", "encoder", "in_all"),  # Computed from the published shapes; base: of the released checkpoint.
    [
        ("bert-tiny", 4_385_920, 4_433_468),
        ("bert-mini", 11_170_560, 11_267_900),
        ("bert-base", 109_482_240, 110_106_428),
    ],
)
def test_parameters_are_those_of_the_published_shapes(preset, encoder, in_all):
    config = PRESETS[preset]
    with about_to_be_loaded():
        model = Bert(config, ("mlm", "nsp"))
    shapes = {variable.path: tuple(variable.shape) for variable in model.weights}
    counted = count_parameters(shapes, shapes, AdamWeightDecay({}).decays)
    assert counted.total == counted.trained == in_all
    assert counted.total - counted.parts["heads"] == encoder
    hidden, words = config.hidden_size, config.vocab_size
    biases = config.num_hidden_layers * (5 * hidden + config.intermediate_size) + 2 * hidden + words + 2
    norms = 2 * hidden * (2 * config.num_hidden_layers + 2)
    assert counted.total - counted.decayed == biases + norms


def test_of_a_frozen_encoder_nothing_is_trained():
    config = BertConfig(**SMALL)
    tagger = FeatureBasedTagger(Bert(config, pooler=False, output_hidden_states=True), ("O", "B"), "last", 16)
    shapes = {variable.path: tuple(variable.shape) for variable in tagger.weights}
    trained = [variable.path for variable in tagger.trainable_variables]
    counted = count_parameters(shapes, trained, lambda name: True)
    first, second = (2 * 4 * 16 * (width + 16 + 1) for width in (64, 32))
    assert counted.trained == counted.parts["heads"] == first + second + 2 * (32 + 1)
    assert set(counted.parts) == {"embeddings", "encoder", "heads"}


# === Operations ===


def inputs_of(shape):
    numbers = tf.TensorSpec([shape.rows, shape.length], tf.int32)
    inputs = {"input_ids": numbers, "input_mask": numbers, "segment_ids": numbers}
    if shape.predictions:
        inputs["masked_lm_positions"] = tf.TensorSpec([shape.rows, shape.predictions], tf.int32)
    return inputs


def operations(function, *inputs):
    """Of all matrix products that what a function answers with depends on: 2·m·n·k each."""
    return operations_of(tf.function(function, autograph=False).get_concrete_function(*inputs).graph)


def operations_of(graph):
    seen, ahead, total = set(), [tensor.op for tensor in graph.outputs], 0
    while ahead:
        operation = ahead.pop()
        if operation.name in seen:
            continue
        seen.add(operation.name)
        ahead += [tensor.op for tensor in operation.inputs]
        if operation.type in ("MatMul", "BatchMatMulV2"):
            flag = "transpose_a" if operation.type == "MatMul" else "adj_x"
            axis = -2 if operation.get_attr(flag) else -1
            total += 2 * math.prod(operation.outputs[0].shape) * operation.inputs[0].shape[axis]
        elif operation.type in ("PartitionedCall", "StatefulPartitionedCall"):
            total += operations_of(graph._get_function(operation.get_attr("f").name).graph)
    return total


def make_model(heads, labels=(), pooler=True, one_hot=False, **config):
    return Bert(BertConfig(**SMALL | config), heads, labels=labels, pooler=pooler, use_one_hot_embeddings=one_hot)


MODELS = {
    "pretraining": lambda: make_model(("mlm", "nsp")),
    "words looked up by a product": lambda: make_model(("mlm", "nsp"), one_hot=True),
    "classification": lambda: make_model(("sequence_classification",), ("a", "b", "c")),
    "tagging": lambda: make_model(("token_classification",), ("a", "b", "c"), pooler=False),
    "reading": lambda: make_model(("question_answering",), pooler=False),
}


@pytest.mark.parametrize("name", MODELS)
def test_operations_are_those_of_the_products_in_the_graph(name):
    model = MODELS[name]()
    shape = SHAPE if name in ("pretraining", "words looked up by a product") else BatchShape(SHAPE.rows, SHAPE.length)
    used = ("mlm_logits", "nsp_logits", "logits", "start_logits")

    def forward(batch):
        outputs = model(batch, training=True)
        return [outputs[logits] for logits in used if logits in outputs]

    def step(batch):
        with tf.GradientTape() as tape:
            loss = tf.add_n([tf.reduce_sum(tf.square(logits)) for logits in forward(batch)])
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, trained(model))]

    network = network_of(model)
    assert sum(costs.forward_flops(network, shape).values()) == operations(forward, inputs_of(shape))
    assert costs.step_flops(network, shape) == operations(step, inputs_of(shape))


def test_recomputed_blocks_make_the_products_of_the_forward_pass_twice():
    model = make_model(("mlm", "nsp"))

    def step(batch):
        with tf.GradientTape() as tape, dropout_seed(DropoutSeed(tf.constant([1, 2]))), recomputed_blocks():
            outputs = model(batch, training=True)
            loss = sum(tf.reduce_sum(tf.square(outputs[logits])) for logits in ("mlm_logits", "nsp_logits"))
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, trained(model))]

    assert costs.step_flops(network_of(model), SHAPE, recompute=True) == operations(step, inputs_of(SHAPE))


def trained(model):
    return [variable.value for variable in model.trainable_variables]


def test_blocks_do_what_the_published_formula_says():
    """Narayanan et al. 2021: 24·B·s·h²·(1 + s / 6h) forward for a layer, and three times that in a step."""
    config = PRESETS["bert-large"]
    shape = BatchShape(rows=8, length=512)
    flops = costs.training_flops(Network(config, ("mlm", "nsp")), shape)
    blocks = sum(flops[part] for part in ("attention, projections", "attention, scores and sums", "feed-forward"))
    published = 72 * 24 * 8 * 512 * 1024**2 * (1 + 512 / (6 * 1024))
    assert blocks == pytest.approx(published, rel=1e-12)


def test_the_published_recipe_is_a_million_steps_of_which_a_tenth_are_long():
    network = Network(PRESETS["bert-base"], ("mlm", "nsp"))
    short, long = (costs.step_flops(network, BatchShape(256, length, n)) for length, n in ((128, 20), (512, 77)))
    assert costs.published_flops(network) == 900_000 * short + 100_000 * long


def test_a_frozen_encoder_works_once_and_lstms_three_times():
    tagger = FeatureBasedTagger(
        Bert(BertConfig(**SMALL), pooler=False, output_hidden_states=True), ("O", "B"), "last", 16
    )
    flops = costs.training_flops(network_of(tagger), SHAPE)
    frozen = sum(costs.forward_flops(Network(BertConfig(**SMALL), ()), SHAPE).values())
    assert flops["encoder, frozen"] == frozen
    gates = 2 * 4 * 16  # Of both directions.
    assert flops["BiLSTM"] == 3 * 2 * SHAPE.tokens * gates * ((64 + 16) + (32 + 16))
    assert flops["head"] == 3 * 2 * SHAPE.tokens * 32 * 2


# === Memory ===


def test_with_16_bits_blocks_keep_what_the_published_formula_says():
    """Korthikanti et al. 2022, equation 1: s·b·h·(34 + 5·a·s / h) bytes a layer, 2 and 1 of them for masks."""
    network, rows, length = Network(PRESETS["bert-base"], ("mlm", "nsp")), 8, 128
    kept = costs.activation_bytes(network, BatchShape(rows, length, 20), Storage(width=2))["blocks"]
    assert kept == 12 * length * rows * 768 * (34 - 2 + (5 - 1) * 12 * length / 768)


def kept_for_the_backward_pass(config, storage):
    """Bytes of what the traced forward pass makes and the backward pass reads, apart from weights."""
    keras.mixed_precision.set_global_policy("float32" if storage.width == 4 else "mixed_bfloat16")
    model, made = Bert(config, ("mlm", "nsp")), set()
    masked = tf.TensorSpec([SHAPE.rows, SHAPE.predictions], tf.int32)
    batch = inputs_of(SHAPE) | {
        "masked_lm_ids": masked,
        "masked_lm_weights": tf.TensorSpec(masked.shape, tf.float32),
        "next_sentence_labels": tf.TensorSpec([SHAPE.rows, 1], tf.int32),
    }

    def step(batch):
        blocks = fused_blocks(storage.fused), recomputed_blocks(storage.recompute)
        seed = DropoutSeed(tf.constant([1, 2]), "counter" if storage.fused else "philox")  # As by default.
        with tf.GradientTape() as tape, dropout_seed(seed), blocks[0], blocks[1]:
            losses, _ = bert_pretraining(model, batch, training=True)
            loss = tf.add_n([loss.total for loss in losses.values()])
        made.update(operation.name for operation in loss.graph.get_operations())
        return [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, trained(model))]

    graph = tf.function(step, autograph=False).get_concrete_function(batch).graph
    backward = [operation for operation in graph.get_operations() if operation.name not in made]
    read = {tensor.name: tensor for operation in backward for tensor in operation.inputs if tensor.op.name in made}
    return sum(size_of(tensor) for tensor in {name_of_buffer(tensor): tensor for tensor in read.values()}.values())


def origin(tensor):
    """The tensor whose memory this one is: not what is only reshaped, or handed on by a recomputed block."""
    while tensor.op.type in ("Reshape", "Identity", "IdentityN", "ExpandDims"):
        tensor = tensor.op.inputs[tensor.value_index]
    if tensor.op.type != "StatefulPartitionedCall":
        return tensor
    graph = tensor.graph._get_function(tensor.op.get_attr("f").name).graph
    inside = origin(graph.outputs[tensor.value_index])
    given = dict(zip((inner.name for inner in graph.inputs), tensor.op.inputs, strict=True))
    return origin(given[inside.name]) if inside.name in given else inside


def name_of_buffer(tensor):
    """A compiled block hands on what it was given a second time."""
    tensor = origin(tensor)
    if tensor.op.type == "PartitionedCall" and tensor.name[-1] != "0":
        return f"{tensor.op.name}/given/{tensor.shape}"
    return id(tensor.graph), tensor.name


def size_of(tensor):
    """0 for weights, and for sizes and constants that are no activations."""
    tensor = origin(tensor)
    source = origin(tensor.op.inputs[0]).op if tensor.op.type == "Cast" else tensor.op
    if source.type in ("ReadVariableOp", "Placeholder", "Const") or tensor.dtype in (tf.resource, tf.int32, tf.int64):
        return 0
    return math.prod(tensor.shape) * tensor.dtype.size


@pytest.fixture
def float32_again():
    yield
    keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize("width", [4, 2])
@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("dropout", [0.1, 0.0])
def test_activations_are_what_the_backward_pass_reads(width, fused, dropout, float32_again):
    config = BertConfig(**SMALL, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout)
    storage = Storage(width, fused)
    estimate = costs.activation_bytes(Network(config, ("mlm", "nsp")), SHAPE, storage)
    # Of the logits' two tensors, one is gone before the backward pass.
    expected = sum(estimate.values()) - 4 * SHAPE.rows * SHAPE.predictions * config.vocab_size
    assert expected == pytest.approx(kept_for_the_backward_pass(config, storage), rel=0.05)


@pytest.mark.parametrize("width", [4, 2])
def test_of_recomputed_blocks_the_backward_pass_reads_what_went_into_them(width, float32_again):
    config, storage = BertConfig(**SMALL), Storage(width, recompute=True)
    network = Network(config, ("mlm", "nsp"))
    estimate = costs.activation_bytes(network, SHAPE, storage)
    assert 2 * estimate.pop("one block") == costs.activation_bytes(network, SHAPE, Storage(width))["blocks"]
    # Of the logits' two tensors, one is gone before the backward pass.
    expected = sum(estimate.values()) - 4 * SHAPE.rows * SHAPE.predictions * config.vocab_size
    assert expected == pytest.approx(kept_for_the_backward_pass(config, storage), rel=0.05)


def test_activations_grow_with_rows_and_scores_with_the_square_of_the_length():
    network = Network(PRESETS["bert-mini"], ("mlm", "nsp"))

    def kept(rows, length):
        return np.array(list(costs.activation_bytes(network, BatchShape(rows, length, 20), Storage()).values()))

    np.testing.assert_array_equal(kept(6, 64), 3 * kept(2, 64))
    assert kept(1, 512)[0] > 4 * kept(1, 128)[0]
