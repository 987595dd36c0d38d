"""Pretraining that imitates a larger model on the same text: DistilBERT, TinyBERT, MiniLM and its second version.

Each is called as any objective is, and calls its teacher on the student's batch; what is compared is in
`distillation.py`. The teacher's weights are no part of what is trained.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf

from official.objectives import distillation
from official.objectives.distillation import DistilBertWeights
from official.objectives.masked_lm import masked_lm
from official.objectives.means import Measures, weighted_mean

Batch = dict[str, tf.Tensor]
INPUTS = ("input_ids", "input_mask", "segment_ids")


class ByTeacher:
    """What these objectives have in common.

    Args:
        teacher: a model that answers with what is compared.
    """

    def __init__(self, teacher: keras.Model):
        self.teacher = teacher

    def answers(self, student: keras.Model, batch: Batch, training: bool) -> tuple[dict, dict]:
        """What the student and the teacher say of the masked text, of all its tokens.

        Where the student knows no segments, the teacher is not told of them either, as published.
        """
        text = {name: batch[name] for name in INPUTS}
        ours = student(text, training=training)
        if not student.config.type_vocab_size:
            del text["segment_ids"]
        return ours, self.teacher(text, training=False)


class DistilBertPretraining(ByTeacher):
    """The teacher's distribution for each token, the masked words, the direction of the last hidden state (§3).

    Both models' logits are of all tokens, and so the memory that they need is T / P times that of BERT's.

    Args:
        teacher: with a masked LM head and as wide as the student.
        temperature: of the soft labels.
        weights: of the three losses.
    """

    def __init__(
        self, teacher: keras.Model, temperature: float = 2.0, weights: DistilBertWeights = DistilBertWeights()
    ):
        super().__init__(teacher)
        self.temperature, self.weights = temperature, weights

    def __call__(self, model: keras.Model, batch: Batch, training: bool) -> Measures:
        ours, theirs = self.answers(model, batch, training)
        logits, teacher_logits = ours["mlm_logits"], theirs["mlm_logits"]  # [B, T, V]
        masked_logits = tf.gather(logits, batch["masked_lm_positions"], batch_dims=1)  # [B, P, V]
        masked = masked_lm(masked_logits, batch["masked_lm_ids"], batch["masked_lm_weights"])
        losses = distillation.distilbert_losses(
            logits,
            teacher_logits,
            _float32(ours["sequence_output"]),
            _float32(theirs["sequence_output"]),
            masked.losses["masked_lm_loss"],
            batch["input_mask"],
            self.temperature,
            self.weights,
        )
        agrees = tf.argmax(logits, axis=-1) == tf.argmax(teacher_logits, axis=-1)  # [B, T]
        agreement = weighted_mean(tf.cast(agrees, tf.float32), tf.cast(batch["input_mask"], tf.float32))
        return Measures(losses, masked.metrics | {"agreement": agreement})


class TinyBertPretraining(ByTeacher):
    """The scores of attention, the hidden states and the embeddings of a teacher, layer by layer (§3.1, general).

    Args:
        teacher: with as many heads of attention.
        layer_map: as `distillation.uniform_layer_map`.
    """

    def __init__(self, teacher: keras.Model, layer_map: Sequence[int]):
        super().__init__(teacher)
        self.layer_map = tuple(layer_map)

    def __call__(self, model: keras.Model, batch: Batch, training: bool) -> Measures:
        """`model` has a `student`, and a `widen` that brings its hidden states to the teacher's width."""
        ours, theirs = self.answers(model.student, batch, training)
        return Measures(
            {
                "attention_loss": distillation.attention_score_mse(
                    [attended.scores() for attended in ours["attended"]],
                    [theirs["attended"][number - 1].scores() for number in self.layer_map[1:]],
                ),
                "hidden_loss": distillation.hidden_mse(
                    [_float32(model.widen(hidden)) for hidden in ours["hidden_states"]],
                    [_float32(theirs["hidden_states"][number]) for number in self.layer_map],
                ),
            },
            {},
        )


class MiniLmPretraining(ByTeacher):
    """How the last block attends, and the relations among its values (Wang et al. 2020, arXiv:2002.10957, §3)."""

    def __call__(self, model: keras.Model, batch: Batch, training: bool) -> Measures:
        ours, theirs = (each["attended"][-1] for each in self.answers(model, batch, training))
        mask, heads = batch["input_mask"], model.config.num_attention_heads
        return Measures(
            {
                "attention_loss": distillation.attention_divergence(
                    _float32(ours.probs()), _float32(theirs.probs()), mask
                ),
                "value_loss": distillation.relation_divergence(
                    _float32(ours.value), _float32(theirs.value), mask, heads
                ),
            },
            {},
        )


class MiniLmV2Pretraining(ByTeacher):
    """The relations among queries, among keys and among values (Wang et al. 2021, arXiv:2012.15828, §3).

    Args:
        teacher: any encoder.
        teacher_layer: whose relations are learnt by the student's last, from 0; −1 is the last.
        relation_heads: into so many parts the vectors of both are cut.
    """

    def __init__(self, teacher: keras.Model, teacher_layer: int = -1, relation_heads: int = 48):
        super().__init__(teacher)
        self.teacher_layer, self.relation_heads = teacher_layer, relation_heads

    def __call__(self, model: keras.Model, batch: Batch, training: bool) -> Measures:
        ours, theirs = (each["attended"] for each in self.answers(model, batch, training))
        student, teacher = ours[-1], theirs[self.teacher_layer]
        return Measures(
            {
                f"{name}_loss": distillation.relation_divergence(
                    _float32(getattr(student, name)),
                    _float32(getattr(teacher, name)),
                    batch["input_mask"],
                    self.relation_heads,
                )
                for name in ("query", "key", "value")
            },
            {},
        )


def _float32(x: tf.Tensor) -> tf.Tensor:
    return tf.cast(x, tf.float32)
