"""Objectives that compare two models, against numpy that is given what both models answer."""

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, rel_entr, softmax

from official.layers import Dense
from official.models.bert import Bert, BertConfig
from official.models.distilbert import DistilBert, DistilBertConfig
from official.objectives import distilled_pretraining
from official.objectives.distillation import DistilBertWeights

V, T, P, HEADS = 31, 9, 3, 2
SHAPE = {"vocab_size": V, "num_attention_heads": HEADS, "max_position_embeddings": 16, "initializer_range": 0.5}
LOOKED_AT = {"output_hidden_states": True, "output_attended": True, "output_attention_probs": True}
LENGTHS = (9, 5, 2)
MASK = (np.arange(T) < np.array(LENGTHS)[:, np.newaxis]).astype(np.int32)


def batch(seed=0):
    random = np.random.default_rng(seed)
    values = {
        "input_ids": random.integers(0, V, MASK.shape).astype(np.int32) * MASK,
        "input_mask": MASK,
        "segment_ids": (np.arange(T) > 3).astype(np.int32) * MASK,
        "masked_lm_positions": np.array([[1, 4, 7], [2, 3, 0], [1, 0, 0]], np.int32),
        "masked_lm_ids": random.integers(0, V, (3, P)).astype(np.int32),
        "masked_lm_weights": np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0]], np.float32),
    }
    return {name: tf.constant(value) for name, value in values.items()}


def bert(layers, width, **options):
    config = BertConfig(
        **SHAPE, num_hidden_layers=layers, hidden_size=width, intermediate_size=2 * width, type_vocab_size=2
    )
    return Bert(config, pooler=False, **LOOKED_AT, **options)


@pytest.fixture(scope="module")
def teacher():
    return bert(layers=4, width=12, heads=("mlm",))


def numbers(measures):
    return {name: float(mean.total / (mean.weight + mean.epsilon)) for name, mean in measures.losses.items()}


def over_real_tokens(values):
    """[B, T] → their mean over what is no padding."""
    return values[MASK == 1].mean()


def scores(attended, head_size):
    """Q·Kᵀ/√d + mask, from the projections alone: [B, N, T, T]."""
    query, key = (each.numpy().reshape(3, T, HEADS, head_size).transpose(0, 2, 1, 3) for each in attended[:2])
    return query @ key.transpose(0, 1, 3, 2) / np.sqrt(head_size) + (1 - MASK[:, None, None, :]) * -10_000.0


def relations(vectors, heads):
    parts = vectors.numpy().reshape(3, T, heads, -1).transpose(0, 2, 1, 3)
    products = parts @ parts.transpose(0, 1, 3, 2) / np.sqrt(parts.shape[-1])
    return softmax(np.where(MASK[:, None, None, :] == 1, products, -np.inf), axis=-1)


def divergence(teacher, student):
    """Over an example's real queries and heads, then over examples."""
    rows = rel_entr(teacher, student).sum(-1)
    return np.mean([rows[number][:, MASK[number] == 1].mean() for number in range(3)])


def test_what_attention_came_from_gives_what_it_came_to(teacher):
    outputs = teacher(batch())
    for attended, probs in zip(outputs["attended"], outputs["attention_probs"], strict=True):
        expected = scores(attended, head_size=6)
        np.testing.assert_allclose(attended.scores(), expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(attended.probs(), softmax(expected, axis=-1), atol=1e-5)
        np.testing.assert_allclose(attended.probs(), probs, atol=1e-6)


@pytest.mark.parametrize("segments", [True, False], ids=["a BERT", "a DistilBERT"])
def test_distilbert_adds_up_soft_words_masked_words_and_directions(teacher, segments):
    if segments:
        student = bert(layers=2, width=12, heads=("mlm",))
    else:
        config = DistilBertConfig(**SHAPE, num_hidden_layers=2, hidden_size=12, intermediate_size=24)
        student = DistilBert(config, ("mlm",), **LOOKED_AT)
    weights = DistilBertWeights(soft=3.0, masked_lm=0.5, cosine=7.0)
    objective = distilled_pretraining.DistilBertPretraining(teacher, temperature=2.0, weights=weights)
    found = objective(student, batch(), training=False)

    text = {name: batch()[name] for name in ("input_ids", "input_mask")}
    text |= {"segment_ids": batch()["segment_ids"]} if segments else {}
    ours, theirs = student(text), teacher(text)
    p, q = (each["mlm_logits"].numpy() / 2.0 for each in (theirs, ours))
    soft = 4.0 * rel_entr(softmax(p, -1), softmax(q, -1)).sum(-1)
    u, v = (each["sequence_output"].numpy() for each in (ours, theirs))
    cosine = (u * v).sum(-1) / np.linalg.norm(u, axis=-1) / np.linalg.norm(v, axis=-1)
    likely = log_softmax(ours["mlm_logits"].numpy(), -1)
    masked = [
        -likely[row, position, word]
        for row, (positions, words, real) in enumerate(
            zip(batch()["masked_lm_positions"], batch()["masked_lm_ids"], batch()["masked_lm_weights"])
        )
        for position, word, counts in zip(positions.numpy(), words.numpy(), real.numpy())
        if counts
    ]
    expected = {
        "soft_loss": 3.0 * over_real_tokens(soft),
        "masked_lm_loss": 0.5 * np.mean(masked),
        "cosine_loss": 7.0 * over_real_tokens(1 - cosine),
    }
    assert numbers(found) == pytest.approx(expected, rel=1e-4)
    agree = p.argmax(-1) == q.argmax(-1)
    agreement = found.metrics["agreement"]
    assert float(agreement.total / agreement.weight) == pytest.approx(over_real_tokens(agree))


class Narrow:
    """A student with the layer that widens its hidden states."""

    def __init__(self):
        self.student = bert(layers=2, width=8)
        self.widen = Dense(12, name="fit_dense")
        self.widen.build((None, None, 8))


def test_tinybert_compares_scores_and_hidden_states_of_every_second_layer(teacher):
    model = Narrow()
    found = distilled_pretraining.TinyBertPretraining(teacher, [0, 2, 4])(model, batch(), training=False)
    text = {name: batch()[name] for name in ("input_ids", "input_mask", "segment_ids")}
    ours, theirs = model.student(text), teacher(text)
    attention = 0.0
    for number, block in enumerate(ours["attended"]):
        pair = scores(block, 4), scores(theirs["attended"][(1, 3)[number]], 6)
        first, second = (np.where(each <= -100, 0, each) for each in pair)
        attention += ((first - second) ** 2).mean()
    kernel, bias = (each.numpy() for each in model.widen.weights)
    hidden = sum(
        ((state.numpy() @ kernel + bias - theirs["hidden_states"][2 * number].numpy()) ** 2).mean()
        for number, state in enumerate(ours["hidden_states"])
    )
    assert numbers(found) == pytest.approx({"attention_loss": attention, "hidden_loss": hidden}, rel=1e-4)


def test_minilm_compares_the_last_blocks_attention_and_relations_of_values(teacher):
    student = bert(layers=2, width=8)
    found = distilled_pretraining.MiniLmPretraining(teacher)(student, batch(), training=False)
    text = {name: batch()[name] for name in ("input_ids", "input_mask", "segment_ids")}
    ours, theirs = student(text)["attended"][-1], teacher(text)["attended"][-1]
    attention = divergence(softmax(scores(theirs, 6), -1), softmax(scores(ours, 4), -1))
    values = divergence(relations(theirs.value, HEADS), relations(ours.value, HEADS))
    assert numbers(found) == pytest.approx({"attention_loss": attention, "value_loss": values}, rel=1e-3)


def test_minilm_v2_compares_relations_of_any_layer_with_any_number_of_heads(teacher):
    student = bert(layers=2, width=8)
    objective = distilled_pretraining.MiniLmV2Pretraining(teacher, teacher_layer=2, relation_heads=4)
    text = {name: batch()[name] for name in ("input_ids", "input_mask", "segment_ids")}
    ours, theirs = student(text)["attended"][-1], teacher(text)["attended"][2]
    expected = {
        f"{name}_loss": divergence(relations(getattr(theirs, name), 4), relations(getattr(ours, name), 4))
        for name in ("query", "key", "value")
    }
    assert numbers(objective(student, batch(), training=False)) == pytest.approx(expected, rel=1e-3)


def test_nothing_flows_into_the_teacher(teacher):
    student = bert(layers=2, width=8)
    with tf.GradientTape() as tape:
        measures = distilled_pretraining.MiniLmPretraining(teacher)(student, batch(), training=True)
        loss = sum(mean.total for mean in measures.losses.values())
    assert tape.gradient(loss, teacher.trainable_variables) == [None] * len(teacher.trainable_variables)
