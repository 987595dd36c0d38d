"""What a student learns from its teacher: soft labels, and what the published distillations of encoders compare.

Pure functions of both models' tensors. Whatever is the teacher's is taken as given: no gradient goes there.

B batch, T tokens, C classes, H hidden, N heads, d width of a head.
"""

import dataclasses
import math
from collections.abc import Sequence

import tensorflow as tf

from official.objectives.means import Mean, weighted_mean

NO_ATTENTION = -1e2  # At or below, a score of attention is a mask's (TinyBERT/task_distill.py of its release).
MASKED = -1e9
SMALLEST = 1e-30  # Its logarithm is finite.


# === Soft labels ===


def logits_mse(student: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    """The mean squared difference of logits (Tang et al. 2019, arXiv:1903.12136, §3.2): [..., C] → [...]."""
    return tf.reduce_mean(tf.math.squared_difference(student, tf.stop_gradient(teacher)), axis=-1)


def soft_cross_entropy(
    student: tf.Tensor, teacher: tf.Tensor, temperature: float = 1.0, scale_by_temperature: bool = True
) -> tf.Tensor:
    """Cross-entropy against the teacher's probabilities, both at a temperature: [..., C] → [...].

    At temperature 1 it is what Turc et al. 2019 (arXiv:1908.08962, §2) train with.

    Args:
        student, teacher: logits.
        temperature: both are divided by it.
        scale_by_temperature: whether the result is multiplied by its square, since the gradients shrink with that
            (Hinton et al. 2015, arXiv:1503.02531, §2). TextBrewer's `kd_ce_loss` does not.
    """
    soft = tf.nn.softmax(tf.stop_gradient(teacher) / temperature)
    loss = -tf.reduce_sum(soft * tf.nn.log_softmax(student / temperature), axis=-1)
    return loss * temperature**2 if scale_by_temperature else loss


def soft_sigmoid_cross_entropy(
    student: tf.Tensor, teacher: tf.Tensor, temperature: float = 1.0, scale_by_temperature: bool = True
) -> tf.Tensor:
    """The same where any number of labels apply: a mean of C binary cross-entropies, [..., C] → [...]."""
    soft = tf.sigmoid(tf.stop_gradient(teacher) / temperature)
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=soft, logits=student / temperature)
    loss = tf.reduce_mean(each, axis=-1)
    return loss * temperature**2 if scale_by_temperature else loss


def soft_divergence(student: tf.Tensor, teacher: tf.Tensor, temperature: float = 1.0) -> tf.Tensor:
    """KL(teacher || student) of logits at a temperature, times its square: [..., C] → [...].

    The soft cross-entropy less the teacher's own entropy: another value, the same gradient.
    """
    teacher = tf.stop_gradient(teacher)
    return soft_cross_entropy(student, teacher, temperature) - soft_cross_entropy(teacher, teacher, temperature)


# === DistilBERT ===


@dataclasses.dataclass(frozen=True)
class DistilBertWeights:
    """What each of the three losses counts: the published command's `--alpha_ce --alpha_mlm --alpha_cos`."""

    soft: float = 5.0
    masked_lm: float = 2.0
    cosine: float = 1.0


def cosine_distance(student: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    """1 − cos of the angle between two vectors: [..., H] → [...]."""
    teacher = tf.stop_gradient(teacher)
    cosine = tf.reduce_sum(tf.nn.l2_normalize(student, axis=-1) * tf.nn.l2_normalize(teacher, axis=-1), axis=-1)
    return 1.0 - cosine


def distilbert_losses(
    student_logits: tf.Tensor,
    teacher_logits: tf.Tensor,
    student_hidden: tf.Tensor,
    teacher_hidden: tf.Tensor,
    masked_lm: Mean,
    input_mask: tf.Tensor,
    temperature: float = 2.0,
    weights: DistilBertWeights = DistilBertWeights(),
) -> dict[str, Mean]:
    """The three losses of DistilBERT (Sanh et al. 2019, arXiv:1910.01108, §3), whose sum is minimised.

    As the released code computes them (examples/distillation/distiller.py of transformers): the divergence times T²
    and the cosine over all real tokens, the masked words' loss over those that were masked.

    Args:
        student_logits, teacher_logits: of the masked language model, [B, T, V].
        student_hidden, teacher_hidden: what leaves the last block, [B, T, H], of one width.
        masked_lm: the student's own loss.
        input_mask: int32 [B, T].
        temperature: of the soft labels.
        weights: of the three.
    """
    real = tf.cast(input_mask, tf.float32)
    soft = soft_divergence(student_logits, teacher_logits, temperature)  # [B, T]
    cosine = cosine_distance(student_hidden, teacher_hidden)  # [B, T]
    return {
        "soft_loss": weighted_mean(weights.soft * soft, real),
        "masked_lm_loss": masked_lm._replace(total=weights.masked_lm * masked_lm.total),
        "cosine_loss": weighted_mean(weights.cosine * cosine, real),
    }


# === TinyBERT ===


def uniform_layer_map(student_layers: int, teacher_layers: int) -> list[int]:
    """Which of the teacher's hidden states each of the student's is compared with: every k-th, of L + 1.

    Number 0 is what enters the first block; so the attention of the student's block n learns from that of the teacher's
    block map[n + 1] − 1, the last of its k (Jiao et al. 2020, arXiv:1909.10351, §3.1 and task_distill.py).

    Raises:
        ValueError: the teacher's layers are no multiple of the student's.
    """
    if teacher_layers % student_layers:
        raise ValueError(f"{student_layers} layers can't share {teacher_layers} evenly")
    step = teacher_layers // student_layers
    return [step * number for number in range(student_layers + 1)]


def attention_score_mse(student: Sequence[tf.Tensor], teacher: Sequence[tf.Tensor]) -> Mean:
    """TinyBERT's attention loss (eq. 7): the mean squared difference of scores before softmax, summed over layers.

    Padding counts as well, as in the released code; what a mask pushed to −100 and below counts as 0.

    Args:
        student, teacher: for each layer of the student the scores of both, [B, N, T, T].
    """
    pairs = zip(student, teacher, strict=True)
    return _mean_of_examples([_example_mse(_without_masks(ours), _without_masks(theirs)) for ours, theirs in pairs])


def hidden_mse(student: Sequence[tf.Tensor], teacher: Sequence[tf.Tensor]) -> Mean:
    """TinyBERT's loss on hidden states and embeddings (eqs. 8 and 9), summed over what is compared.

    Args:
        student: [B, T, H'] each, after the one projection to the teacher's width that all of them share.
        teacher: [B, T, H'], those that the layer map names.
    """
    return _mean_of_examples([_example_mse(*pair) for pair in zip(student, teacher, strict=True)])


def _without_masks(scores: tf.Tensor) -> tf.Tensor:
    return tf.where(scores <= NO_ATTENTION, 0.0, scores)


def _example_mse(student: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    """[B, …] → [B]."""
    difference = tf.math.squared_difference(student, tf.stop_gradient(teacher))
    return tf.reduce_mean(difference, axis=list(range(1, difference.shape.rank)))


def _mean_of_examples(parts: Sequence[tf.Tensor]) -> Mean:
    """The mean over the batch of a sum of [B] each."""
    loss = tf.add_n(parts)
    return weighted_mean(loss, tf.ones_like(loss))


# === MiniLM ===


def attention_divergence(student: tf.Tensor, teacher: tf.Tensor, input_mask: tf.Tensor) -> Mean:
    """How far attention is from the teacher's (Wang et al. 2020, arXiv:2002.10957, eq. 5).

    KL(teacher || student) of the distribution of every head at every real token, of the last block each.

    Args:
        student, teacher: probabilities, [B, N, T, T]; the models have as many heads.
        input_mask: int32 [B, T].
    """
    teacher = tf.stop_gradient(teacher)
    difference = tf.math.log(tf.maximum(teacher, SMALLEST)) - tf.math.log(tf.maximum(student, SMALLEST))
    return _mean_over_queries(tf.reduce_sum(teacher * difference, axis=-1), input_mask)


def relation_divergence(student: tf.Tensor, teacher: tf.Tensor, input_mask: tf.Tensor, relation_heads: int) -> Mean:
    """How far the relations among tokens are from the teacher's, whatever the widths (arXiv:2002.10957, eqs. 6 to 8).

    A relation is the scaled dot product of each two tokens' vectors, softmaxed. Of values, with the model's own heads,
    it is MiniLM's value relation. Of queries, keys and values with any number of heads it is what MiniLMv2 learns from
    (arXiv:2012.15828, §3.1): the sum of three.

    Args:
        student, teacher: vectors of all heads beside each other, [B, T, H] and [B, T, H'].
        input_mask: int32 [B, T].
        relation_heads: into so many parts both are cut.
    """
    theirs = _log_relations(tf.stop_gradient(teacher), input_mask, relation_heads)
    ours = _log_relations(student, input_mask, relation_heads)
    return _mean_over_queries(tf.reduce_sum(tf.exp(theirs) * (theirs - ours), axis=-1), input_mask)


def _log_relations(vectors: tf.Tensor, input_mask: tf.Tensor, heads: int) -> tf.Tensor:
    """[B, T, H] → logarithms of probabilities, [B, heads, T, T]."""
    length, width = tf.shape(vectors)[1], vectors.shape[-1] // heads
    parts = tf.reshape(vectors, [-1, length, heads, width])
    scores = tf.einsum("bfhd,bthd->bhft", parts, parts) / math.sqrt(width)
    real = tf.cast(input_mask, tf.bool)[:, tf.newaxis, tf.newaxis]  # [B, 1, 1, T]
    return tf.nn.log_softmax(tf.where(real, scores, MASKED))


def _mean_over_queries(divergence: tf.Tensor, input_mask: tf.Tensor) -> Mean:
    """[B, N, T]: the mean over heads and real tokens of each example, then over examples."""
    real = tf.cast(input_mask, tf.float32)
    by_token = tf.reduce_mean(divergence, axis=1)  # [B, T]
    loss = tf.reduce_sum(by_token * real, axis=-1) / tf.reduce_sum(real, axis=-1)  # [B]
    return weighted_mean(loss, tf.ones_like(loss))
