"""Replaced token detection (Clark et al. 2020, §2): which tokens are not those that were written?

Two halves: a generator fills masks with tokens that it finds likely (`replace_tokens`), and a discriminator says of
every token whether it was replaced. The variants of the paper's efficiency study (§3.4) are options.
"""

import dataclasses

import tensorflow as tf

from official.layers import current_dropout_seed
from official.objectives.masked_lm import masked_lm
from official.objectives.means import Measures, weighted_mean

VARIANTS = ("electra", "electra_15", "replace_mlm", "all_tokens_mlm")
# What the second network answers with, for each of them.
DISCRIMINATOR_HEADS = {
    "electra": ("rtd",),
    "electra_15": ("rtd",),
    "replace_mlm": ("mlm",),
    "all_tokens_mlm": ("mlm", "rtd"),  # The second says how likely a token is as it was: the copy mechanism.
}
EPSILON = 1e-6  # Added to denominators (run_pretraining.py:208 and :278 of google-research/electra).
_SAMPLING = 1 << 20  # Its random numbers are no layer's.


def put(ids: tf.Tensor, positions: tf.Tensor, values: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """`ids` with `values` at `positions`.

    As published, position 0 never changes, and where a position comes several times its values are averaged, as if ids
    were quantities (pretrain_helpers.py:66-110).

    Args:
        ids: int32 [B, T].
        positions, values: int32 [B, P].
        weights: float32 [B, P], 0 for padding.
    """
    at = (
        tf.one_hot(positions, ids.shape[1] or tf.shape(ids)[1], dtype=tf.float32) * weights[:, :, tf.newaxis]
    )  # [B, P, T]
    count = tf.reduce_sum(at, axis=1)  # [B, T]
    total = tf.einsum("bpt,bp->bt", at, tf.cast(values, tf.float32))  # Exact: a vocabulary has less than 2²⁴ tokens.
    mean = tf.cast(tf.math.floor(total / tf.maximum(count, 1.0)), tf.int32)
    changed = (count > 0) & (tf.range(tf.shape(ids)[1]) > 0)
    return tf.where(changed, mean, ids)


def sample(logits: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """A token for each row of logits [B, P, V], drawn by adding Gumbel noise: int32 [B, P] (:222-229)."""
    uniform = tf.random.stateless_uniform(tf.shape(logits), seed)
    gumbel = -tf.math.log(-tf.math.log(uniform + 1e-9) + 1e-9)
    return tf.argmax(tf.stop_gradient(logits) + gumbel, axis=-1, output_type=tf.int32)


def replace_tokens(
    original: tf.Tensor, positions: tf.Tensor, weights: tf.Tensor, logits: tf.Tensor, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Text with tokens of a generator's in it.

    Args:
        original: int32 [B, T], the text.
        positions, weights: [B, P], where masks were, 0 for padding.
        logits: float32 [B, P, V], the generator's.
        seed: int32 [2].

    Returns:
        The text with samples in the places of masks, int32 [B, T], and where it is not the original: bool [B, T]. A
        sample that happens to be the original counts as original (run_pretraining.py:234).
    """
    replaced = put(original, positions, sample(logits, seed), weights)
    return replaced, replaced != original


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReplacedTokenDetection:
    """Losses of generator and discriminator, added.

    Attributes:
        variant: `electra`, or one of the study: `electra_15`, whose discriminator is asked of the 15 % that were masked
            only; `replace_mlm`, which predicts what was masked, as BERT does, but reads samples instead of [MASK];
            `all_tokens_mlm`, which predicts every token so, with a copy mechanism.
        discriminator_weight: of its loss; the generator's counts once (configure_pretraining.py:38-39).
    """

    variant: str = "electra"
    discriminator_weight: float = 50.0

    def __call__(self, model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
        """Losses and metrics on a batch of records with masks.

        Args:
            model: has a `generator` and a `discriminator`.
            batch: `input_ids` with masks in them, `masked_lm_positions`, `masked_lm_ids`, `masked_lm_weights`, …
            training: whether dropout is active.
        """
        positions, ids, weights = (batch[f"masked_lm_{name}"] for name in ("positions", "ids", "weights"))
        logits = model.generator(batch, training=training)["mlm_logits"]  # [B, P, V]
        original = put(batch["input_ids"], positions, ids, weights)
        corrupted, is_replaced = replace_tokens(original, positions, weights, logits, _seed())
        inputs = batch | {"input_ids": corrupted}
        generator = masked_lm(logits, ids, weights, "generator", EPSILON)
        if self.variant == "replace_mlm":
            outputs = model.discriminator(inputs, training=training)
            second = masked_lm(outputs["mlm_logits"], ids, weights, epsilon=EPSILON)
        elif self.variant == "all_tokens_mlm":
            del inputs["masked_lm_positions"]
            outputs = model.discriminator(inputs, training=training)
            second = _all_tokens(outputs, corrupted, original, batch["input_mask"])
        else:
            asked = tf.cast(batch["input_mask"], tf.float32)  # [B, T]
            if self.variant == "electra_15":
                asked *= tf.cast(put(tf.zeros_like(original), positions, tf.ones_like(ids), weights), tf.float32)
            rtd_logits = model.discriminator(inputs, training=training)["rtd_logits"]
            second = _replaced_tokens(rtd_logits, is_replaced, asked, self.discriminator_weight)
        return Measures(losses=generator.losses | second.losses, metrics=generator.metrics | second.metrics)


def _seed() -> tf.Tensor:
    """That of the step's dropout, in a stream of its own; outside of training always the same."""
    outer = current_dropout_seed()
    return tf.constant([0, _SAMPLING]) if outer is None else outer.fold(_SAMPLING).value


def _replaced_tokens(logits, is_replaced, asked, weight) -> Measures:
    """The loss is reported as it is added, times its weight."""
    labels = tf.cast(is_replaced, tf.float32)  # [B, T]
    loss = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    mean = weighted_mean(loss, asked, EPSILON)
    said = tf.cast(logits > 0, tf.float32)
    return Measures(
        losses={"discriminator_loss": mean._replace(total=mean.total * weight)},
        metrics={
            "replaced_token_accuracy": weighted_mean(tf.cast(said == labels, tf.float32), asked, EPSILON),
            "replaced_token_precision": weighted_mean(labels, said * asked, EPSILON),
            "replaced_token_recall": weighted_mean(said, labels * asked, EPSILON),
            "replaced_share": weighted_mean(labels, asked, EPSILON),
        },
    )


def _all_tokens(outputs, corrupted, original, input_mask) -> Measures:
    """−log of D·[the token is the original] + (1 − D)·softmax(original), D how likely the token is to be copied."""
    real = tf.cast(input_mask, tf.float32)  # [B, T]
    log_prob = -tf.nn.sparse_softmax_cross_entropy_with_logits(labels=original, logits=outputs["mlm_logits"])  # [B, T]
    log_copy, log_write = tf.math.log_sigmoid(-outputs["rtd_logits"]), tf.math.log_sigmoid(outputs["rtd_logits"])
    copied = tf.where(corrupted == original, log_copy, -1e9)
    loss = -tf.reduce_logsumexp(tf.stack([copied, log_write + log_prob]), axis=0)  # [B, T]
    return Measures(
        losses={"all_tokens_loss": weighted_mean(loss, real, EPSILON)},
        metrics={"all_tokens_probability": weighted_mean(tf.exp(-loss), real, EPSILON)},
    )
