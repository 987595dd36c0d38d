"""Which tokens are masked, as published: the paper's section 3.1, create_pretraining_data.py:342-415 at eedf571.

Masks are drawn here from the stream that all of an instance is drawn from, so that the records are the published ones.
"""

import numpy as np

from data_prep.compiled import compiled
from data_prep.mersenne import random, random_integer, shuffle

MASK_SHARE = 0.8  # of the chosen tokens become [MASK];
KEEP_SHARE = 0.5  # of the others stay what they are, and the rest become a random token.
MASKED, KEPT, REPLACED = range(3)


def predictions_by_length(max_seq_length: int, masked_lm_prob: float, max_predictions_per_seq: int) -> np.ndarray:
    """How many tokens are predicted in a sequence of n tokens, [CLS] and [SEP] counted, for n up to `max_seq_length`.

    Returns:
        int64 `[L + 1]`. Python rounds halves to even (create_pretraining_data.py:369).
    """
    wanted = [max(1, int(round(length * masked_lm_prob))) for length in range(max_seq_length + 1)]
    return np.minimum(wanted, max_predictions_per_seq).astype(np.int64)


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
def masked_token(state, token, vocabulary, fates):
    """What stands in the sequence in place of a token that is to be predicted; counts its fate in `fates` `[3]`."""
    if random(state) < MASK_SHARE:
        fates[MASKED] += 1
        return vocabulary.mask_id
    if random(state) < KEEP_SHARE:
        fates[KEPT] += 1
        return np.int64(token)
    fates[REPLACED] += 1
    return vocabulary.ids[random_integer(state, 0, len(vocabulary.ids) - 1)]


@compiled
def mask(state, input_ids, length, vocabulary, masking, positions, labels, fates):
    """Masks a sequence in place and lists what is to be predicted, by position.

    A group that would exceed the number of predictions is passed over, and later ones are tried
    (create_pretraining_data.py:379-385).

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
        first, end = word_starts[word], word_starts[word + 1]
        if chosen + end - first > wanted:
            continue
        for k in range(first, end):
            position = candidates[k]
            label_at[position] = input_ids[position]
            input_ids[position] = masked_token(state, input_ids[position], vocabulary, fates)
        chosen += end - first
    return _list_predictions(label_at, positions, labels)


@compiled
def _list_predictions(label_at, positions, labels):
    count = 0
    for position, label in enumerate(label_at):
        if label >= 0:
            positions[count], labels[count] = position, label
            count += 1
    return count
