"""The masked language model (Devlin et al. 2019, §3.1): 15 % of the tokens are hidden and predicted from the others.

Two halves: `mask_tokens` corrupts one example, `masked_lm` says how well the hidden tokens were predicted. Which tokens
are hidden is in `masked_positions.py`, for BERT and what came after it.
"""

import dataclasses
import math

import tensorflow as tf

from official.errors import InputError
from official.objectives.cross_entropy import cross_entropy
from official.objectives.masked_positions import electra_positions, ngram_positions, roberta_positions, word_positions
from official.objectives.means import Measures, weighted_mean


@dataclasses.dataclass(frozen=True, kw_only=True)
class Masking:
    """How text is corrupted.

    vocab_size: random tokens are drawn from the whole vocabulary, special ones included (create_pretraining_data:401);
        by the rule of RoBERTa without them.
    cls_id, sep_id, mask_id: [CLS] and [SEP] are never masked.
    special_ids: the tokens that RoBERTa's rule never puts in the place of another.
    rule: how many tokens are predicted, and which: that of `word_positions`, `roberta_positions`, `electra_positions`.
    max_predictions_per_seq: at most so many positions are predicted; the outputs are padded to it.
    masked_lm_prob: share of the tokens, [CLS] and [SEP] counted, that is predicted; RoBERTa does not count these.
    do_whole_word_mask: the pieces of a word are masked together.
    max_ngram: up to so many words in a row are masked together, as in `ngram_positions`.
    favor_shorter_ngram: n words in a row have a share ∝ 1/n; if not, n and the longest change places.
    replace_with_mask_prob, keep_original_prob: shares of the predicted tokens that become [MASK], and that stay; the
        rest becomes a random token (Devlin et al. 2019, §3.1; other shares: appendix C.2). ELECTRA: .85 and .15.

    Raises:
        InputError: options that the rule does not know.
    """

    vocab_size: int
    cls_id: int
    sep_id: int
    mask_id: int
    special_ids: tuple[int, ...] = ()
    rule: str = "bert"
    max_predictions_per_seq: int = 20
    masked_lm_prob: float = 0.15
    do_whole_word_mask: bool = False
    max_ngram: int = 1
    favor_shorter_ngram: bool = True
    replace_with_mask_prob: float = 0.8
    keep_original_prob: float = 0.1

    def __post_init__(self):
        named = f"--masking_rule={self.rule}"
        if self.rule != "bert" and self.max_ngram > 1:
            raise InputError(f"{named}: knows no n-grams, --max_ngram=1 was expected")
        if self.rule == "electra" and self.do_whole_word_mask:
            raise InputError(f"{named}: knows no words, --nodo_whole_word_mask was expected")
        shares = self.replace_with_mask_prob + self.keep_original_prob
        if self.rule == "electra" and not math.isclose(shares, 1.0, abs_tol=1e-6):
            raise InputError(f"{named}: knows no random tokens, --replace_with_random_prob=0 was expected")


def electra_max_predictions(masked_lm_prob: float, max_seq_length: int) -> int:
    """How many predictions ELECTRA has room for (google-research/electra, configure_pretraining.py at 8a46635)."""
    return int((masked_lm_prob + 0.005) * max_seq_length)


def mask_tokens(
    input_ids: tf.Tensor, word_starts: tf.Tensor, length: tf.Tensor, masking: Masking, seed: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Hides tokens of one example; the same seed hides the same ones (create_pretraining_data.py:342-415).

    Each chosen token becomes [MASK] (80 %), stays (10 %) or becomes a random one (10 %), drawn piece by piece; of whole
    words RoBERTa draws this word by word (fairseq, data/mask_tokens_dataset.py:146-180).

    Args:
        input_ids: int32 [T], unmasked, padded.
        word_starts: int32 [T], 1 where a word begins.
        length: int32 scalar, number of tokens that are not padding.
        masking: the rule.
        seed: int32 [2].

    Returns:
        `input_ids` [T] corrupted; `masked_lm_positions`, `masked_lm_ids` int32 [P] and `masked_lm_weights` float32 [P],
        in the order of the text and padded with zeros. By the rule of ELECTRA they are in the order of the draws, and a
        position that was drawn twice is there twice.
    """
    order_seed, fate_seed, word_seed = tf.unstack(tf.random.split(seed, 3))
    candidates = _candidates(input_ids, length, masking)
    if masking.rule == "electra":
        positions = electra_positions(candidates, length, masking, order_seed)  # [number drawn]
        return _hide_drawn(input_ids, positions, masking, fate_seed)
    words = _word_of_each_token(candidates, word_starts, masking)
    if masking.rule == "roberta":
        chosen = roberta_positions(candidates, words, masking, order_seed)
    elif masking.max_ngram > 1:
        chosen = ngram_positions(candidates, words, length, masking, order_seed)
    else:
        chosen = word_positions(candidates, words, length, masking, order_seed)
    fate = tf.random.stateless_uniform(tf.shape(input_ids), fate_seed)
    if masking.rule == "roberta":
        fate = tf.gather(fate, words)
    replacement = tf.where(
        fate < masking.replace_with_mask_prob,
        masking.mask_id,
        tf.where(
            fate < masking.replace_with_mask_prob + masking.keep_original_prob,
            input_ids,
            _random_tokens(tf.shape(input_ids), masking, word_seed),
        ),
    )
    positions = tf.cast(tf.where(chosen)[:, 0], tf.int32)  # [number chosen], ascending
    return {"input_ids": tf.where(chosen, replacement, input_ids)} | _predictions(input_ids, positions, masking)


def _candidates(input_ids, length, masking):
    """Which tokens may be predicted: bool [T]."""
    real = tf.range(tf.shape(input_ids)[0]) < length
    return real & (input_ids != masking.cls_id) & (input_ids != masking.sep_id)


def _word_of_each_token(candidates, word_starts, masking):
    """The number, from 0, of the group that a candidate is masked with: int32 [T]."""
    if not masking.do_whole_word_mask:
        return tf.cumsum(tf.cast(candidates, tf.int32), exclusive=True)
    # A continuation piece right behind [SEP] belongs to the word before it; behind [CLS] there is none (:356-366).
    first = tf.cumsum(tf.cast(candidates, tf.int32)) == 1
    starts = candidates & ((word_starts == 1) | first)
    return tf.maximum(tf.cumsum(tf.cast(starts, tf.int32)) - 1, 0)


def _random_tokens(shape, masking, seed):
    """Tokens of the vocabulary, each as likely as any other."""
    special = sorted(masking.special_ids) if masking.rule == "roberta" else []
    tokens = tf.random.stateless_uniform(shape, seed, 0, masking.vocab_size - len(special), tf.int32)
    for token in special:  # The ids from it on move up by one.
        tokens += tf.cast(tokens >= token, tf.int32)
    return tokens


def _hide_drawn(input_ids, positions, masking, seed):
    """A position that was drawn twice is hidden where one draw says so (pretrain/pretrain_helpers.py:202-206)."""
    hides = tf.random.stateless_uniform(tf.shape(positions), seed) < masking.replace_with_mask_prob
    hidden = tf.scatter_nd(positions[:, tf.newaxis], tf.cast(hides, tf.int32), tf.shape(input_ids)) > 0  # [T]
    return {"input_ids": tf.where(hidden, masking.mask_id, input_ids)} | _predictions(input_ids, positions, masking)


def _predictions(input_ids, positions, masking):
    return {
        "masked_lm_positions": _pad(positions, masking),
        "masked_lm_ids": _pad(tf.gather(input_ids, positions), masking),
        "masked_lm_weights": _pad(tf.ones_like(positions, tf.float32), masking),
    }


def _pad(values, masking):
    missing = masking.max_predictions_per_seq - tf.shape(values)[0]
    return tf.ensure_shape(tf.pad(values, [[0, missing]]), [masking.max_predictions_per_seq])


def masked_lm(
    mlm_logits: tf.Tensor,
    masked_lm_ids: tf.Tensor,
    masked_lm_weights: tf.Tensor,
    name: str = "masked_lm",
    epsilon: float = 1e-5,
) -> Measures:
    """Loss Σ(w·nll) / (Σw + ε) and accuracy at the masked positions (run_pretraining.py:265-280).

    Args:
        mlm_logits: float32 [B, P, V].
        masked_lm_ids: int32 [B, P], the tokens that were hidden.
        masked_lm_weights: float32 [B, P], 0 for padding.
        name: the measures are `name`_loss and `name`_accuracy.
        epsilon: added to the denominator of the loss.
    """
    example_loss = cross_entropy(mlm_logits, masked_lm_ids)  # [B, P]
    correct = tf.cast(tf.argmax(mlm_logits, axis=-1, output_type=tf.int32) == masked_lm_ids, tf.float32)
    return Measures(
        losses={f"{name}_loss": weighted_mean(example_loss, masked_lm_weights, epsilon)},
        metrics={f"{name}_accuracy": weighted_mean(correct, masked_lm_weights)},
    )
