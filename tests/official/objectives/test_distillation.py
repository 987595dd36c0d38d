"""What a student is compared by, against numpy and scipy; against PyTorch as the published code computes it."""

import subprocess

import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax, rel_entr, softmax

from official.objectives import distillation
from official.objectives.means import Mean
from tests.official.checkpoints.test_transformers_agree import oracle_python

B, T, H, HEADS, V = 3, 7, 12, 4, 11
MASK = np.array([[1] * 7, [1] * 4 + [0] * 3, [1] + [0] * 6], np.int32)


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape).astype(np.float32) * 2


def value(mean: Mean) -> float:
    return float(mean.total / (mean.weight + mean.epsilon))


def relations(vectors, heads):
    """[B, T, H] → [B, heads, T, T], what is masked left out by −inf."""
    width = vectors.shape[-1] // heads
    parts = vectors.reshape(B, T, heads, width).transpose(0, 2, 1, 3).astype(np.float64)
    scores = parts @ parts.transpose(0, 1, 3, 2) / np.sqrt(width)
    return softmax(np.where(MASK[:, None, None, :] == 1, scores, -np.inf), axis=-1)


def mean_divergence(teacher, student):
    """Over the real queries of each example and its heads, then over examples."""
    rows = rel_entr(teacher, student).sum(axis=-1)  # [B, N, T]
    return np.mean([rows[number][:, MASK[number] == 1].mean() for number in range(B)])


def attention():
    scores = np.where(MASK[:, None, None, :] == 1, normal(B, HEADS, T, T), -10_000.0)
    return softmax(scores.astype(np.float64), axis=-1).astype(np.float32)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
@pytest.mark.parametrize("scaled", [True, False])
def test_soft_labels_at_a_temperature(temperature, scaled):
    student, teacher = normal(B, V), normal(B, V, seed=1)
    found = distillation.soft_cross_entropy(student, teacher, temperature, scaled)
    expected = -(softmax(teacher / temperature, -1) * log_softmax(student / temperature, -1)).sum(-1)
    np.testing.assert_allclose(found, expected * (temperature**2 if scaled else 1), rtol=1e-5)


def test_gradients_keep_their_size_at_high_temperatures_if_scaled():
    """Hinton et al. 2015, eq. 4: at high temperatures, of logits whose mean is 0, 1/(N T²) of the difference."""
    student, teacher = (tf.constant(each - each.mean()) for each in (normal(V), normal(V, seed=1)))
    with tf.GradientTape() as tape:
        tape.watch(student)
        loss = distillation.soft_cross_entropy(student, teacher, temperature=1_000.0)
    np.testing.assert_allclose(tape.gradient(loss, student), (student - teacher) / V, rtol=0.02, atol=1e-3)


def test_any_number_of_labels_is_a_binary_cross_entropy_for_each():
    student, teacher = normal(B, V), normal(B, V, seed=1)
    p, q = 1 / (1 + np.exp(-teacher / 2.0)), 1 / (1 + np.exp(-student / 2.0))
    expected = 4.0 * -(p * np.log(q) + (1 - p) * np.log(1 - q)).mean(-1)
    np.testing.assert_allclose(distillation.soft_sigmoid_cross_entropy(student, teacher, 2.0), expected, rtol=1e-5)


def test_logits_and_divergence_and_cosine():
    student, teacher = normal(B, V), normal(B, V, seed=1)
    np.testing.assert_allclose(
        distillation.logits_mse(student, teacher), ((student - teacher) ** 2).mean(-1), rtol=1e-5
    )
    expected = 4 * rel_entr(softmax(teacher / 2, -1), softmax(student / 2, -1)).sum(-1)
    np.testing.assert_allclose(distillation.soft_divergence(student, teacher, 2.0), expected, rtol=1e-4)
    cosine = (student * teacher).sum(-1) / np.linalg.norm(student, axis=-1) / np.linalg.norm(teacher, axis=-1)
    np.testing.assert_allclose(distillation.cosine_distance(student, teacher), 1 - cosine, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "loss",
    [
        distillation.logits_mse,
        distillation.soft_cross_entropy,
        distillation.soft_sigmoid_cross_entropy,
        distillation.soft_divergence,
        distillation.cosine_distance,
        lambda student, teacher: distillation.hidden_mse([student], [teacher]).total,
        lambda student, teacher: distillation.attention_score_mse([student], [teacher]).total,
        lambda student, teacher: distillation.relation_divergence(student, teacher, MASK, 2).total,
        lambda student, teacher: distillation.attention_divergence(student[:, None], teacher[:, None], MASK).total,
    ],
)
def test_nothing_is_learnt_by_the_teacher(loss):
    student, teacher = tf.nn.softmax(normal(B, T, H)), tf.nn.softmax(normal(B, T, H, seed=1))
    with tf.GradientTape() as tape:
        tape.watch([student, teacher])
        found = loss(student, teacher)
    ours, theirs = tape.gradient(found, [student, teacher])
    assert theirs is None and float(tf.reduce_max(tf.abs(ours))) > 0


def test_distilberts_three_losses_are_weighted_and_leave_padding_out():
    logits, hidden = [normal(B, T, V, seed=seed) for seed in (0, 1)], [normal(B, T, H, seed=seed) for seed in (0, 1)]
    losses = distillation.distilbert_losses(*logits, *hidden, Mean(tf.constant(6.0), tf.constant(3.0)), MASK)
    real = MASK == 1
    student, teacher = (each[real] for each in logits)
    soft = 4 * rel_entr(softmax(teacher / 2, -1), softmax(student / 2, -1)).sum(-1).mean()
    ours, theirs = (each[real] for each in hidden)
    cosine = ((ours * theirs).sum(-1) / np.linalg.norm(ours, axis=-1) / np.linalg.norm(theirs, axis=-1)).mean()
    expected = {"soft_loss": 5 * soft, "masked_lm_loss": 2 * 2.0, "cosine_loss": 1 - cosine}
    assert {name: value(mean) for name, mean in losses.items()} == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("student", "teacher", "expected"),
    [(4, 12, [0, 3, 6, 9, 12]), (6, 12, [0, 2, 4, 6, 8, 10, 12]), (3, 3, [0, 1, 2, 3])],
)
def test_every_kth_layer_is_compared(student, teacher, expected):
    assert distillation.uniform_layer_map(student, teacher) == expected


def test_layers_that_can_not_be_shared_evenly_are_refused():
    with pytest.raises(ValueError, match="5 layers can't share 12 evenly"):
        distillation.uniform_layer_map(5, 12)


def test_tinyberts_losses_are_means_summed_over_layers_and_masks_count_as_nothing():
    ours, theirs = ([normal(B, HEADS, T, T, seed=seed + layer) for layer in range(2)] for seed in (0, 5))
    masked = [np.where(MASK[:, None, None, :] == 1, each, each - 10_000.0) for each in ours]
    zero = [[np.where(MASK[:, None, None, :] == 1, each, 0) for each in side] for side in (ours, theirs)]
    found = distillation.attention_score_mse(masked, zero[1])
    assert value(found) == pytest.approx(sum(((a - b) ** 2).mean() for a, b in zip(*zero)), rel=1e-5)
    states = [[normal(B, T, H, seed=seed + layer) for layer in range(3)] for seed in (0, 5)]
    expected = sum(((a - b) ** 2).mean() for a, b in zip(*states))
    assert value(distillation.hidden_mse(*states)) == pytest.approx(expected, rel=1e-5)


def test_attention_diverges_as_minilm_measures_it():
    student, teacher = attention(), np.ascontiguousarray(attention()[:, ::-1])
    found = distillation.attention_divergence(student, teacher, MASK)
    assert value(found) == pytest.approx(
        mean_divergence(teacher.astype(np.float64), student.astype(np.float64)), rel=1e-4
    )


@pytest.mark.parametrize("heads", [1, 2, 4])
def test_relations_need_not_be_of_one_width(heads):
    student, teacher = normal(B, T, H), normal(B, T, 2 * H, seed=1)
    found = distillation.relation_divergence(student, teacher, MASK, heads)
    expected = mean_divergence(relations(teacher, heads), relations(student, heads))
    assert value(found) == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
def test_pytorch_computes_the_same(repository, tmp_path):
    """tests/oracle/distillation_losses.py has the calls of the published code."""
    arrays = {
        "student_logits": normal(B, T, V), "teacher_logits": normal(B, T, V, seed=1),
        "student_hidden": normal(B, T, H), "teacher_hidden": normal(B, T, H, seed=1),
        "student_scores": normal(2, B, HEADS, T, T), "teacher_scores": normal(2, B, HEADS, T, T, seed=1), "mask": MASK,
    }  # fmt: skip
    hidden = np.where(MASK[None, :, None, None, :] == 1, 0, -10_000.0).astype(np.float32)
    arrays |= {name: arrays[name] + hidden for name in ("student_scores", "teacher_scores")}
    np.savez(tmp_path / "inputs.npz", **arrays)
    script = repository / "tests" / "oracle" / "distillation_losses.py"
    done = subprocess.run([oracle_python(repository), str(script), str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2_000:]
    with np.load(tmp_path / "losses.npz") as theirs:
        logits, states = (
            [arrays[f"{side}_{what}"] for side in ("student", "teacher")] for what in ("logits", "hidden")
        )
        none = Mean(tf.constant(0.0), tf.constant(1.0))
        losses = distillation.distilbert_losses(*logits, *states, none, MASK)
        attention_loss = distillation.attention_score_mse(
            list(arrays["student_scores"]), list(arrays["teacher_scores"])
        )
        found = {
            "soft": value(losses["soft_loss"]) / 5,
            "cosine": value(losses["cosine_loss"]),
            "hidden_mse": value(distillation.hidden_mse(states[:1], states[1:])),
            "attention_mse": value(attention_loss),
            "soft_cross_entropy": float(tf.reduce_mean(distillation.soft_cross_entropy(*logits))),
        }
        assert found == pytest.approx({name: float(theirs[name]) for name in theirs.files}, rel=1e-5)
