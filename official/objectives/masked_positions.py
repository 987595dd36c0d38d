"""Which tokens of an example are predicted: the rules of BERT, ALBERT, RoBERTa and ELECTRA.

T tokens, W words; a word is what is masked together: a piece, or with `do_whole_word_mask` all pieces of a word.
`masking` is a `masked_lm.Masking`.
"""

import tensorflow as tf


def word_positions(candidates, words, length, masking, seed):
    """As published: words in a random order until enough tokens are covered (create_pretraining_data.py:342-415).

    A word that would cover too many is passed over.

    Args:
        candidates: bool [T], the tokens that may be predicted.
        words: int32 [T], the number of the word that a candidate is part of.
        length: int32 scalar, number of tokens that are not padding.
        masking: the rule.
        seed: int32 [2].

    Returns:
        bool [T].
    """
    order, pieces = _shuffled_words(candidates, words, seed)
    taken = _take_words(tf.gather(pieces, order), _number_to_predict(length, masking), masking)
    return _tokens_of(order, taken, candidates, words)


def ngram_positions(candidates, words, length, masking, seed):
    """ALBERT's, up to `max_ngram` words in a row: Lan et al. 2019, §4.1; create_pretraining_data.py:437-519 at b772393.

    Words are taken in a random order, each with a length n, p(n) ∝ 1/n. An n-gram that would cover too many tokens is
    shortened until it does not, and passed over if it still does or if it meets one that is masked already. The
    original draws lengths from a generator without a seed; here they have one. It may reach over a [SEP], as there.

    Args and returns as of `word_positions`.
    """
    order_seed, length_seed = tf.unstack(tf.random.split(seed, 2))
    order, pieces = _shuffled_words(candidates, words, order_seed)
    lengths = _draw_lengths(tf.shape(order)[0], masking, length_seed)
    taken = _take_ngrams(order, lengths, pieces, masking.max_ngram, _number_to_predict(length, masking))
    return candidates & tf.gather(taken, words)


def roberta_positions(candidates, words, masking, seed):
    """RoBERTa's (fairseq at 3d262bb, data/mask_tokens_dataset.py:109-126): int(p·words + u) words, 0 ≤ u < 1.

    So their number is right on average, and may be 0. At most `max_predictions_per_seq` tokens are predicted, where
    fairseq has no limit: give it room. fairseq's rows have <s> and </s> when they are masked (tasks/masked_lm.py), so
    that it counts and hides these too; here they are neither counted nor hidden.

    Args and returns as of `word_positions`.
    """
    order_seed, number_seed = tf.unstack(tf.random.split(seed, 2))
    order, pieces = _shuffled_words(candidates, words, order_seed)
    expected = tf.cast(tf.shape(order)[0], tf.float32) * masking.masked_lm_prob
    number = tf.cast(expected + tf.random.stateless_uniform([], number_seed), tf.int32)
    order = order[:number]
    taken = _take_words(tf.gather(pieces, order), tf.constant(masking.max_predictions_per_seq), masking)
    return _tokens_of(order, taken, candidates, words)


def electra_positions(candidates, length, masking, seed):
    """ELECTRA's (pretrain/pretrain_helpers.py:121-200 at 8a46635): drawn with replacement, each token as likely.

    Args as of `word_positions`.

    Returns:
        int32 [number drawn], in the order of the draws; a position may come twice.
    """
    places = tf.cast(tf.where(candidates)[:, 0], tf.int32)  # [number of candidates]
    number = tf.where(tf.size(places) > 0, _number_to_predict(length, masking, tf.float32), 0)
    # Of all that there is room for, so that the first draws don't depend on how many follow.
    shape, most = [masking.max_predictions_per_seq], tf.maximum(tf.size(places), 1)
    return tf.gather(places, tf.random.stateless_uniform(shape, seed, 0, most, tf.int32)[:number])


def _shuffled_words(candidates, words, seed):
    """The words in a random order, int32 [W], and the number of pieces of each, int32 [T]."""
    num_words = tf.reduce_max(tf.where(candidates, words + 1, 0))
    pieces = tf.math.unsorted_segment_sum(tf.cast(candidates, tf.int32), words, tf.shape(candidates)[0])
    return tf.argsort(tf.random.stateless_uniform([num_words], seed)), pieces


def _tokens_of(order, taken, candidates, words):
    """The tokens of the words that were taken, bool [W] in `order`: bool [T]."""
    taken_words = tf.scatter_nd(order[:, tf.newaxis], tf.cast(taken, tf.int32), tf.shape(candidates))  # [T]
    return candidates & (tf.gather(taken_words, words) == 1)


def _number_to_predict(length, masking, precision=tf.float64):
    """Rounded in float64 by Python in BERT, and in float32 in ELECTRA: of 190 tokens 28, and 29."""
    share = tf.cast(tf.round(tf.cast(length, precision) * masking.masked_lm_prob), tf.int32)
    return tf.minimum(masking.max_predictions_per_seq, tf.maximum(1, share))


def _take_words(pieces, budget, masking):
    """Goes through words of so many `pieces` [W] and takes each that still fits into `budget`: bool [W]."""
    words = tf.shape(pieces)[0]
    if not masking.do_whole_word_mask:
        return tf.range(words) < budget

    def still_room(n, left, taken):
        return (n < words) & (left > 0)

    def try_next(n, left, taken):
        fits = pieces[n] <= left
        return n + 1, tf.where(fits, left - pieces[n], left), taken.write(n, fits)

    taken = tf.TensorArray(tf.bool, size=words, element_shape=[])
    return tf.while_loop(still_room, try_next, (0, budget, taken))[2].stack()


def _draw_lengths(count, masking, seed):
    """Lengths of n-grams, int32 [count], from 1 to `max_ngram` (create_pretraining_data.py:442-447)."""
    shares = 1.0 / tf.range(1, masking.max_ngram + 1, dtype=tf.float32)  # [max_ngram]
    shares = shares if masking.favor_shorter_ngram else shares[::-1]
    below = tf.cumsum(shares)[:-1] / tf.reduce_sum(shares)
    draws = tf.random.stateless_uniform([count], seed)
    return 1 + tf.reduce_sum(tf.cast(draws[:, tf.newaxis] >= below, tf.int32), axis=1)


def _take_ngrams(order, lengths, pieces, max_ngram, budget):
    """Goes through words in `order` [W] and masks up to `lengths` [W] words from each on: bool [T], by word."""
    ends = tf.cumsum(pieces)  # [T], tokens up to the end of each word
    all_words, num_words = tf.range(tf.shape(pieces)[0]), tf.shape(order)[0]

    def still_room(n, left, taken):
        return (n < num_words) & (left > 0)

    def try_next(n, left, taken):
        first = order[n]
        last = tf.minimum(first + tf.range(lengths[n]), num_words - 1)  # Of 1 word, 2 …: all that may be tried.
        sizes = tf.gather(ends, last) - ends[first] + pieces[first]
        fitting = tf.reduce_sum(tf.cast(sizes <= left, tf.int32))
        covers = (all_words >= first) & (all_words <= tf.gather(last, tf.maximum(fitting, 1) - 1))
        takes = (fitting > 0) & ~tf.reduce_any(covers & taken)
        left = tf.where(takes, left - tf.gather(sizes, tf.maximum(fitting, 1) - 1), left)
        return n + 1, left, taken | (covers & takes)

    return tf.while_loop(still_room, try_next, (0, budget, tf.zeros_like(pieces, tf.bool)))[2]
