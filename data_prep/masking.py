"""Which tokens are masked, as published: the paper's section 3.1, create_pretraining_data.py:342-415 at eedf571.

Masks are drawn here from the stream that all of an instance is drawn from, so that the records are the published ones.
With n-grams they are masked by the rule of ALBERT, whose code takes their lengths from a generator without a seed.
"""

import numpy as np

from data_prep.compiled import compiled
from data_prep.mersenne import random, random_integer, shuffle

MASKED, KEPT, REPLACED = range(3)


def predictions_by_length(max_seq_length: int, masked_lm_prob: float, max_predictions_per_seq: int) -> np.ndarray:
    """How many tokens are predicted in a sequence of n tokens, [CLS] and [SEP] counted, for n up to `max_seq_length`.

    Returns:
        int64 `[L + 1]`. Python rounds halves to even (create_pretraining_data.py:369).
    """
    wanted = [max(1, int(round(length * masked_lm_prob))) for length in range(max_seq_length + 1)]
    return np.minimum(wanted, max_predictions_per_seq).astype(np.int64)


def ngram_shares(max_ngram: int, favor_shorter: bool) -> np.ndarray:
    """The shares of masks that are of 1, 2 … `max_ngram` words or fewer, float64 `[max_ngram]`.

    A length n has a share ∝ 1/n (Lan et al. 2019, §4.1); without `favor_shorter` the longest has that of the shortest
    (google-research/albert, create_pretraining_data.py:442-447 at b772393).
    """
    shares = 1.0 / np.arange(1, max_ngram + 1)
    return np.cumsum(shares if favor_shorter else shares[::-1]) / shares.sum()


@compiled
def find_words(input_ids, length, vocabulary, whole_words, candidates, word_starts):
    """Lists what can be masked: positions other than [CLS] and [SEP], in groups that are masked together.

    Group g is `candidates[word_starts[g]:word_starts[g + 1]]`. A group is one piece or, with `whole_words`, a piece and
    the ## pieces after it; these may stand across a [SEP], when truncation has begun the second segment with one.

    Returns:
        The number of groups.
    """
    count = words = 0
    for position in range(length):
        token = input_ids[position]
        if token == vocabulary.cls_id or token == vocabulary.sep_id:
            continue
        if not (whole_words and words > 0 and vocabulary.continuation[token]):
            word_starts[words] = count
            words += 1
        candidates[count] = position
        count += 1
    word_starts[words] = count
    return words


@compiled
def masked_token(state, token, vocabulary, masking, fates):
    """What stands in the sequence in place of a token that is to be predicted; counts its fate in `fates` `[3]`."""
    if random(state) < masking.mask_share:
        fates[MASKED] += 1
        return vocabulary.mask_id
    if random(state) < masking.keep_share:
        fates[KEPT] += 1
        return np.int64(token)
    fates[REPLACED] += 1
    return vocabulary.ids[random_integer(state, 0, len(vocabulary.ids) - 1)]


@compiled
def mask(state, input_ids, length, vocabulary, masking, positions, labels, fates):
    """Masks a sequence in place and lists what is to be predicted, by position.

    A group that would exceed the number of predictions is passed over, and later ones are tried
    (create_pretraining_data.py:379-385). Where groups are masked as n-grams, one that would exceed it is shortened
    first, and one that touches what is masked already is passed over (albert, create_pretraining_data.py:466-519).

    Args:
        state: the generator.
        input_ids: `[L]`, changed in place.
        length: how many of them are not padding.
        vocabulary, masking: of `instances.Vocabulary` and `instances.Masking`.
        positions, labels: `[P]`, filled with the places that are masked and the tokens that stood there.
        fates: int64 `[3]`, counts of what became of the tokens.

    Returns:
        The number of predictions.
    """
    candidates, word_starts = np.empty(length, np.int64), np.empty(length + 1, np.int64)
    words = find_words(input_ids, length, vocabulary, masking.whole_words, candidates, word_starts)
    order = np.arange(words)
    shuffle(state, order)

    wanted, chosen = masking.predictions_by_length[length], 0
    label_at = np.full(length, -1, np.int64)
    for word in order:
        if chosen >= wanted:
            break
        end_word = _end_of_ngram(state, masking.ngram_shares, word, words)
        while end_word > word + 1 and chosen + word_starts[end_word] - word_starts[word] > wanted:
            end_word -= 1
        first, end = word_starts[word], word_starts[end_word]
        if chosen + end - first > wanted or _is_any_masked(label_at, candidates, first, end):
            continue
        for k in range(first, end):
            position = candidates[k]
            label_at[position] = input_ids[position]
            input_ids[position] = masked_token(state, input_ids[position], vocabulary, masking, fates)
        chosen += end - first
    return _list_predictions(label_at, positions, labels)


@compiled
def _end_of_ngram(state, shares, word, words):
    """Where an n-gram ends that begins with a word: at the end of the sequence it is as long as there are words."""
    if len(shares) == 1:
        return word + 1
    drawn, n = random(state), 1
    while n < len(shares) and drawn >= shares[n - 1]:
        n += 1
    return min(word + n, words)


@compiled
def _is_any_masked(label_at, candidates, first, end):
    for k in range(first, end):
        if label_at[candidates[k]] >= 0:
            return True
    return False


@compiled
def _list_predictions(label_at, positions, labels):
    count = 0
    for position, label in enumerate(label_at):
        if label >= 0:
            positions[count], labels[count] = position, label
            count += 1
    return count
