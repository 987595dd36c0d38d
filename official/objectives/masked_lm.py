"""The masked language model (Devlin et al. 2019, §3.1): 15 % of the tokens are hidden and predicted from the others.

Two halves: `mask_tokens` corrupts one example, `masked_lm` says how well the hidden tokens were predicted.
"""

import dataclasses

import tensorflow as tf

from official.objectives.means import Measures, weighted_mean

REPLACED_BY_MASK = 0.8
KEPT = 0.1  # The remaining tenth becomes a random word.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Masking:
    """How text is corrupted.

    vocab_size: random words are drawn from the whole vocabulary, special tokens included (create_pretraining_data:401).
    cls_id, sep_id, mask_id: [CLS] and [SEP] are never masked.
    max_predictions_per_seq: at most so many positions are predicted; the outputs are padded to it.
    masked_lm_prob: share of the tokens, [CLS] and [SEP] counted, that is predicted.
    do_whole_word_mask: the pieces of a word are masked together.
    """

    vocab_size: int
    cls_id: int
    sep_id: int
    mask_id: int
    max_predictions_per_seq: int = 20
    masked_lm_prob: float = 0.15
    do_whole_word_mask: bool = False


def mask_tokens(
    input_ids: tf.Tensor, word_starts: tf.Tensor, length: tf.Tensor, masking: Masking, seed: tf.Tensor
) -> dict[str, tf.Tensor]:
    """Hides tokens of one example; the same seed hides the same ones (create_pretraining_data.py:342-415).

    Words are tried in a random order until enough tokens are covered; one that would cover too many is passed over.
    Each chosen token becomes [MASK] (80 %), stays (10 %) or becomes a random word (10 %), drawn piece by piece.

    Args:
        input_ids: int32 [T], unmasked, padded.
        word_starts: int32 [T], 1 where a word begins.
        length: int32 scalar, number of tokens that are not padding.
        masking: the rule.
        seed: int32 [2].

    Returns:
        `input_ids` [T] corrupted; `masked_lm_positions`, `masked_lm_ids` int32 [P] and `masked_lm_weights` float32 [P],
        in the order of the text and padded with zeros.
    """
    order_seed, fate_seed, word_seed = tf.unstack(tf.random.split(seed, 3))
    chosen = _choose(input_ids, word_starts, length, masking, order_seed)  # [T] bool
    fate = tf.random.stateless_uniform(tf.shape(input_ids), fate_seed)
    random_words = tf.random.stateless_uniform(tf.shape(input_ids), word_seed, 0, masking.vocab_size, tf.int32)
    replacement = tf.where(
        fate < REPLACED_BY_MASK,
        masking.mask_id,
        tf.where(fate < REPLACED_BY_MASK + KEPT, input_ids, random_words),
    )
    positions = tf.cast(tf.where(chosen)[:, 0], tf.int32)  # [number chosen], ascending
    return {
        "input_ids": tf.where(chosen, replacement, input_ids),
        "masked_lm_positions": _pad(positions, masking),
        "masked_lm_ids": _pad(tf.gather(input_ids, positions), masking),
        "masked_lm_weights": _pad(tf.ones_like(positions, tf.float32), masking),
    }


def _pad(values, masking):
    missing = masking.max_predictions_per_seq - tf.shape(values)[0]
    return tf.ensure_shape(tf.pad(values, [[0, missing]]), [masking.max_predictions_per_seq])


def _choose(input_ids, word_starts, length, masking, seed):
    """Which tokens are predicted: bool [T]."""
    real = tf.range(tf.shape(input_ids)[0]) < length
    candidate = real & (input_ids != masking.cls_id) & (input_ids != masking.sep_id)
    if masking.do_whole_word_mask:
        # A continuation piece right behind [SEP] belongs to the word before it; behind [CLS] there is none (:356-366).
        first = tf.cumsum(tf.cast(candidate, tf.int32)) == 1
        starts = candidate & ((word_starts == 1) | first)
        word = tf.maximum(tf.cumsum(tf.cast(starts, tf.int32)) - 1, 0)  # [T], index of the word a token belongs to
    else:
        word = tf.cumsum(tf.cast(candidate, tf.int32), exclusive=True)
    num_words = tf.reduce_max(tf.where(candidate, word + 1, 0))
    pieces = tf.math.unsorted_segment_sum(tf.cast(candidate, tf.int32), word, tf.shape(input_ids)[0])  # [T]
    order = tf.argsort(tf.random.stateless_uniform([num_words], seed))
    taken = _take_words(tf.gather(pieces, order), _number_to_predict(length, masking))
    taken_words = tf.scatter_nd(order[:, tf.newaxis], tf.cast(taken, tf.int32), tf.shape(input_ids))  # [T]
    return candidate & (tf.gather(taken_words, word) == 1)


def _number_to_predict(length, masking):
    share = tf.cast(tf.round(tf.cast(length, tf.float64) * masking.masked_lm_prob), tf.int32)
    return tf.minimum(masking.max_predictions_per_seq, tf.maximum(1, share))


def _take_words(pieces, budget):
    """Goes through words of so many `pieces` [W] and takes each that still fits into `budget`: bool [W]."""
    words = tf.shape(pieces)[0]

    def still_room(n, left, taken):
        return (n < words) & (left > 0)

    def try_next(n, left, taken):
        fits = pieces[n] <= left
        return n + 1, tf.where(fits, left - pieces[n], left), taken.write(n, fits)

    taken = tf.TensorArray(tf.bool, size=words, element_shape=[])
    return tf.while_loop(still_room, try_next, (0, budget, taken))[2].stack()


def masked_lm(mlm_logits: tf.Tensor, masked_lm_ids: tf.Tensor, masked_lm_weights: tf.Tensor) -> Measures:
    """Loss Σ(w·nll) / (Σw + 1e-5) and accuracy at the masked positions (run_pretraining.py:265-280).

    Args:
        mlm_logits: float32 [B, P, V].
        masked_lm_ids: int32 [B, P], the tokens that were hidden.
        masked_lm_weights: float32 [B, P], 0 for padding.
    """
    example_loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=masked_lm_ids, logits=mlm_logits)  # [B, P]
    correct = tf.cast(tf.argmax(mlm_logits, axis=-1, output_type=tf.int32) == masked_lm_ids, tf.float32)
    return Measures(
        losses={"masked_lm_loss": weighted_mean(example_loss, masked_lm_weights, epsilon=1e-5)},
        metrics={"masked_lm_accuracy": weighted_mean(correct, masked_lm_weights)},
    )
