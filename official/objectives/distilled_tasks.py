"""The tasks of fine-tuning, learnt from a teacher's logits, and from the labels of a file where it has them.

An example without a label of its own has the loss on the teacher's logits. One with a label has
(1 − w) of that and w of the task's own loss, where w is `hard_label_weight`.
"""

import dataclasses

import tensorflow as tf

from official.layers import MASKED_OUT, Packing
from official.objectives import distillation
from official.objectives.means import Measures, weighted_mean
from official.objectives.token_classification import NO_TOKEN

MSE, CROSS_ENTROPY = "mse", "cross_entropy"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Imitation:
    """How logits are compared, and what labels count beside them; each field is the flag of that name."""

    distillation_loss: str = CROSS_ENTROPY
    temperature: float = 1.0
    scale_by_temperature: bool = True
    hard_label_weight: float = 0.0

    def soft_loss(self, student: tf.Tensor, teacher: tf.Tensor, independent: bool = False) -> tf.Tensor:
        """Logits [..., C] → losses [...]; `independent` where any number of the C labels apply."""
        if self.distillation_loss == MSE:
            return distillation.logits_mse(student, teacher)
        compare = distillation.soft_sigmoid_cross_entropy if independent else distillation.soft_cross_entropy
        return compare(student, teacher, self.temperature, self.scale_by_temperature)

    def measures(
        self,
        soft: tf.Tensor,
        hard: tf.Tensor,
        labelled: tf.Tensor,
        counted: tf.Tensor,
        agrees: tf.Tensor,
        epsilon: float = 0.0,
    ) -> Measures:
        """Both losses, and `agreement`, how often the student decides as its teacher; all of one shape.

        Args:
            soft, hard: the losses of each example, or token.
            labelled: float32, 1 where there is a label.
            counted: float32, 1 for what is an example.
            agrees: whether both models say the same.
            epsilon: where it may be that nothing counts.
        """
        share = self.hard_label_weight * labelled
        losses = {"soft_loss": weighted_mean((1.0 - share) * soft, counted, epsilon)}
        if self.hard_label_weight:
            losses["hard_loss"] = weighted_mean(share * hard, counted, epsilon)
        return Measures(losses, {"agreement": weighted_mean(tf.cast(agrees, tf.float32), counted)})


@dataclasses.dataclass(frozen=True)
class DistilledClassification:
    """One label a text, any number of them, or a number; or the right one of several choices.

    Numbers are compared by their squared difference in any case: they are no scores of labels.

    Attributes:
        imitation: how both models are compared.
        label_type: `single`, `multi` or `regression`.
        choices: so many rows are one example, and each row has one logit.
    """

    imitation: Imitation
    label_type: str = "single"
    choices: int = 1

    def __call__(self, model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
        """`teacher_logits` float32 [B, C], `labelled` float32 [B], and `label_ids` as of the task, whatever they are
        where there is no label."""
        logits, teacher, labels = model(batch, training=training)["logits"], batch["teacher_logits"], batch["label_ids"]
        if self.choices > 1:
            logits = tf.reshape(logits, [-1, self.choices])  # [B, choices]
        if self.label_type == "regression":
            soft = distillation.logits_mse(logits, teacher)  # [B]
        else:
            soft = self.imitation.soft_loss(logits, teacher, independent=self.label_type == "multi")  # [B]
        hard, agrees = self._compare(logits, teacher, labels)
        return self.imitation.measures(soft, hard, batch["labelled"], tf.ones_like(soft), agrees)

    def _compare(self, logits: tf.Tensor, teacher: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The task's own loss [B], and whether both models say the same [B]."""
        if self.label_type == "regression":  # Within half of a grade.
            return tf.math.squared_difference(logits[:, 0], labels), tf.abs(logits[:, 0] - teacher[:, 0]) < 0.5
        if self.label_type == "multi":
            hard = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)  # [B, labels]
            return tf.reduce_mean(hard, axis=-1), tf.reduce_all((logits > 0) == (teacher > 0), axis=-1)
        hard = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        return hard, tf.argmax(logits, axis=-1) == tf.argmax(teacher, axis=-1)


@dataclasses.dataclass(frozen=True)
class DistilledTokenClassification:
    """A label for each word, at its first piece."""

    imitation: Imitation

    def __call__(self, model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
        """`token_labels` int32 [B, T], negative where no word begins, and for those that are none `teacher_logits`
        float32 [B, T, C] and `labelled` float32 [B, T]."""
        logits, teacher = model(batch, training=training)["logits"], batch["teacher_logits"]  # [B, T, C]
        labels = batch["token_labels"]
        soft = self.imitation.soft_loss(logits, teacher)  # [B, T]
        hard = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.maximum(labels, 0), logits=logits)
        agrees = tf.argmax(logits, axis=-1) == tf.argmax(teacher, axis=-1)
        counted = tf.cast(labels >= 0, tf.float32)
        return self.imitation.measures(soft, hard, batch["labelled"], counted, agrees, NO_TOKEN)


@dataclasses.dataclass(frozen=True)
class DistilledQuestionAnswering:
    """Where an answer starts and ends: two distributions over positions, whose losses are averaged.

    Padding competes too, as when a teacher is trained (run_squad.py:645-660): it is to have the lowest score that the
    teacher gives in the row. Where rows hold several windows it has no score of its own, and nothing is learnt of it.
    """

    imitation: Imitation

    def __call__(self, model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
        """`teacher_logits` float32 [B, T, 2], of start and end, `labelled` float32 [B], and `start_positions` and
        `end_positions` int32 [B], whatever they are where there is no label."""
        outputs = model(batch, training=training)
        of_padding = MASKED_OUT if Packing.of(batch) else None
        teachers = _with_padding(batch["teacher_logits"], batch["input_mask"], of_padding)  # 2 · [B, T]
        soft, hard, agrees = 0.0, 0.0, True
        for side, teacher in zip(("start", "end"), teachers):
            logits, positions = outputs[f"{side}_logits"], batch[f"{side}_positions"]
            soft += self.imitation.soft_loss(logits, teacher) / 2  # [B]
            hard += tf.nn.sparse_softmax_cross_entropy_with_logits(labels=positions, logits=logits) / 2
            agrees = agrees & (tf.argmax(logits, axis=-1) == tf.argmax(teacher, axis=-1))
        return self.imitation.measures(soft, hard, batch["labelled"], tf.ones_like(soft), agrees)


def _with_padding(teacher: tf.Tensor, input_mask: tf.Tensor, of_padding: float | None) -> list[tf.Tensor]:
    """[B, T, 2] → start and end, [B, T] each; with the lowest score where no other is given for padding."""
    real = tf.cast(input_mask, tf.bool)[:, :, tf.newaxis]
    if of_padding is None:
        of_padding = tf.reduce_min(tf.where(real, teacher, tf.float32.max), axis=1, keepdims=True)  # [B, 1, 2]
    return tf.unstack(tf.where(real, teacher, of_padding), axis=-1)
