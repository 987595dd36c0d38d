"""What fine-tuning learns from a teacher: soft losses, labels where there are any, agreement."""

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from official import layers
from official.objectives.distilled_tasks import (
    DistilledClassification,
    DistilledQuestionAnswering,
    DistilledTokenClassification,
    Imitation,
)

TEACHER = np.array([[2.0, 0.0, -1.0], [0.0, 0.5, 0.0], [-3.0, 1.0, 1.5]], np.float32)
STUDENT = np.array([[1.0, 0.5, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 2.0]], np.float32)


def answering(**outputs):
    return lambda batch, training: outputs


def means(measures):
    found = measures.losses | measures.metrics
    return {name: float(mean.total / (mean.weight + mean.epsilon)) for name, mean in found.items()}


def batch(**values):
    return {name: np.asarray(value) for name, value in values.items()}


def cross_entropy(teacher, student, axis=-1):
    return -(softmax(teacher, axis) * log_softmax(student, axis)).sum(axis)


def test_a_label_takes_its_share_from_the_teacher_and_elsewhere_the_teacher_is_all():
    labels = np.array([2, 0, 1], np.int32)
    given = batch(teacher_logits=TEACHER, label_ids=labels, labelled=np.array([1, 0, 1], np.float32))
    objective = DistilledClassification(Imitation(hard_label_weight=0.25))
    soft, hard = cross_entropy(TEACHER, STUDENT), -log_softmax(STUDENT, -1)[np.arange(3), labels]
    expected = {
        "soft_loss": (0.75 * soft[0] + soft[1] + 0.75 * soft[2]) / 3,
        "hard_loss": 0.25 * (hard[0] + hard[2]) / 3,
        "agreement": 2 / 3,
    }
    assert means(objective(answering(logits=STUDENT), given, True)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("label_type", "options", "expected"),
    [
        ("single", {"distillation_loss": "mse"}, ((STUDENT - TEACHER) ** 2).mean()),
        ("single", {"temperature": 2.0}, 4 * cross_entropy(TEACHER / 2, STUDENT / 2).mean()),
        ("single", {"temperature": 2.0, "scale_by_temperature": False}, cross_entropy(TEACHER / 2, STUDENT / 2).mean()),
        ("multi", {"distillation_loss": "mse"}, ((STUDENT - TEACHER) ** 2).mean()),
        ("multi", {}, np.mean(np.logaddexp(0, STUDENT) - STUDENT / (1 + np.exp(-TEACHER)))),
    ],
)
def test_how_logits_are_compared(label_type, options, expected):
    labels = np.zeros((3, 3), np.float32) if label_type == "multi" else np.zeros(3, np.int32)
    given = batch(teacher_logits=TEACHER, label_ids=labels, labelled=np.zeros(3, np.float32))
    measures = DistilledClassification(Imitation(**options), label_type)(answering(logits=STUDENT), given, True)
    assert means(measures)["soft_loss"] == pytest.approx(expected, rel=1e-5)
    assert "hard_loss" not in measures.losses


@pytest.mark.parametrize("loss", ["mse", "cross_entropy"])
def test_numbers_are_imitated(loss):
    given = batch(
        teacher_logits=np.array([[1.0], [3.0]], np.float32),
        label_ids=np.array([2.0, 0.0], np.float32),
        labelled=np.array([1.0, 0.0], np.float32),
    )
    objective = DistilledClassification(Imitation(distillation_loss=loss, hard_label_weight=0.5), "regression")
    found = means(objective(answering(logits=np.array([[1.5], [2.6]], np.float32)), given, True))
    assert found == pytest.approx({"soft_loss": (0.125 + 0.16) / 2, "hard_loss": 0.125 / 2, "agreement": 0.5}, rel=1e-5)


def test_choices_compete_with_each_other():
    rows = np.array([[1.0], [0.0], [2.0], [0.0]], np.float32)  # Two examples of two choices.
    teacher = np.array([[0.5, 1.0], [1.0, 0.0]], np.float32)
    given = batch(teacher_logits=teacher, label_ids=np.zeros(2, np.int32), labelled=np.zeros(2, np.float32))
    found = means(DistilledClassification(Imitation(), choices=2)(answering(logits=rows), given, True))
    expected = cross_entropy(teacher, rows.reshape(2, 2)).mean()
    assert found == pytest.approx({"soft_loss": expected, "agreement": 0.5}, rel=1e-5)


def test_only_tokens_that_begin_a_word_count():
    logits, teacher = np.stack([STUDENT, STUDENT[::-1]]), np.stack([TEACHER, TEACHER[::-1]])  # [2, 3, 3]
    tags, marks = np.array([[-1, 0, -1], [2, 1, -1]], np.int32), np.array([[0, 1, 0], [0, 0, 0]], np.float32)
    given = batch(teacher_logits=teacher, token_labels=tags, labelled=marks)
    found = means(DistilledTokenClassification(Imitation(hard_label_weight=0.5))(answering(logits=logits), given, True))
    soft = cross_entropy(teacher, logits)
    expected = {
        "soft_loss": (0.5 * soft[0, 1] + soft[1, 0] + soft[1, 1]) / 3,
        "hard_loss": 0.5 * -log_softmax(logits, -1)[0, 1, 0] / 3,
        "agreement": 1 / 3,
    }
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_padding_is_to_have_the_lowest_score_of_its_row(loss):
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], np.int32)
    teacher = np.array([[[3, 0], [1, 1], [0, 2], [-2, -1]], [[2, 1], [-1, 4], [9, 9], [9, 9]]], np.float32)
    aim = teacher.copy()
    aim[1, 2:] = [-1, 1]
    start, end = (np.random.default_rng(seed).normal(size=(2, 4)).astype(np.float32) for seed in (0, 1))
    given = batch(
        input_mask=mask,
        teacher_logits=teacher,
        start_positions=np.array([0, 1], np.int32),
        end_positions=np.array([2, 1], np.int32),
        labelled=np.array([1, 0], np.float32),
    )
    objective = DistilledQuestionAnswering(Imitation(distillation_loss=loss, hard_label_weight=0.5))
    found = means(objective(answering(start_logits=start, end_logits=end), given, True))
    sides = [(aim[..., 0], start), (aim[..., 1], end)]
    each = [cross_entropy(*side) if loss == "cross_entropy" else ((side[0] - side[1]) ** 2).mean(-1) for side in sides]
    soft = (each[0] + each[1]) / 2
    hard = -(log_softmax(start, -1)[0, 0] + log_softmax(end, -1)[0, 2]) / 2
    agrees = np.mean((aim[..., 0].argmax(-1) == start.argmax(-1)) & (aim[..., 1].argmax(-1) == end.argmax(-1)))
    expected = {"soft_loss": (0.5 * soft[0] + soft[1]) / 2, "hard_loss": 0.5 * hard / 2, "agreement": agrees}
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_of_padding_of_packed_windows_nothing_is_learnt(loss):
    random = np.random.default_rng(2)
    mask = np.array([[1, 1, 1, 0, 0]], np.int32)
    teacher = random.normal(size=(1, 5, 2)).astype(np.float32)
    start, end = np.where(mask, random.normal(size=(2, 1, 5)), layers.MASKED_OUT).astype(np.float32)
    places = np.arange(5, dtype=np.int32)[np.newaxis]
    given = batch(
        input_mask=mask,
        teacher_logits=teacher,
        start_positions=np.zeros(1, np.int32),
        end_positions=np.zeros(1, np.int32),
        labelled=np.zeros(1, np.float32),
        packed_examples=mask,
        packed_positions=places,
        packed_places=places,
    )
    objective = DistilledQuestionAnswering(Imitation(distillation_loss=loss))
    found = means(objective(answering(start_logits=start, end_logits=end), given, True))
    sides = [(teacher[:, :3, 0], start[:, :3]), (teacher[:, :3, 1], end[:, :3])]
    if loss == "cross_entropy":
        expected = np.mean([cross_entropy(*side) for side in sides])
    else:  # A mean over all five.
        expected = np.mean([((side[0] - side[1]) ** 2).sum(-1) / 5 for side in sides])
    assert found["soft_loss"] == pytest.approx(expected, rel=1e-5)
