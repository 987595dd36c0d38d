"""What training instances are made of: the corpus, what is known of a plan, and the columns of a row.

A segment is always a range of one long array of tokens, since the sentences of a document lie one after another:
packing, the next sentence and truncation only move the ends of these ranges.

An instance is planned from its document alone: its sentences and, where the next is to be a random one, from which
document. It is finished with the text of that document at hand, which may be on another machine.

Letters in shapes: L max_seq_length, P max_predictions_per_seq, V vocabulary, N instances.
"""

from typing import NamedTuple

import numpy as np

from data_prep.compiled import compiled


class Corpus(NamedTuple):
    """Tokenized documents, all or some. Document d is the sentences `document_starts[d]` up to `[d + 1]`."""

    tokens: np.ndarray
    sentence_starts: np.ndarray  # int64 [sentences + 1], places in `tokens`
    document_starts: np.ndarray  # int64 [documents + 1], places in `sentence_starts`
    order: np.ndarray  # uint32 [documents], in which they are taken
    first_number: int  # of those of `order`: 0, unless there are only some of all
    num_documents: int  # of the whole corpus


class Vocabulary(NamedTuple):
    """What masking has to know of the vocabulary."""

    ids: np.ndarray  # int64: an id for each different token, in the order of the file
    continuation: np.ndarray  # bool [V]: the token starts with ##
    cls_id: int
    sep_id: int
    mask_id: int
    pad_id: int = 0  # As published, whatever the id of [PAD] is (create_pretraining_data.py:98-101).


class Masking(NamedTuple):
    """How masks are drawn."""

    static: bool  # False: no masks are drawn.
    whole_words: bool
    predictions_by_length: np.ndarray  # int64 [L + 1]
    mask_share: float = 0.8  # of the chosen tokens become [MASK];
    keep_share: float = 0.5  # of the others stay what they are, and the rest become a random token.
    ngram_shares: np.ndarray = np.ones(1)  # float64 [longest n-gram], that n words or fewer are masked in a row


class Packing(NamedTuple):
    """How sequences are packed."""

    max_num_tokens: int  # without the special tokens
    max_predictions: int  # room for masks
    short_seq_prob: float
    dupe_factor: int
    format: int = 0  # the number of a `formats.Format`
    special_tokens: int = 3  # those that `max_num_tokens` leaves room for


class Instances(NamedTuple):
    """Instances side by side: views of one array `[N, columns]`, of which a row is an instance."""

    place: np.ndarray  # [N, columns of PLACE_BYTES], for the shuffle that follows
    a_length: np.ndarray  # [N], tokens in the first segment
    length: np.ndarray  # [N], tokens and special tokens
    pair_label: np.ndarray  # [N], 0 or 1: what it means is the format's
    num_predictions: np.ndarray  # [N]
    input_ids: np.ndarray  # [N, L]
    masked_lm_positions: np.ndarray  # [N, P]
    masked_lm_ids: np.ndarray  # [N, P]


class Counts(NamedTuple):
    """What happened, added up in place."""

    targets: np.ndarray  # int64 [2]: documents (of electra: instances) packed to the full length, to a shorter one
    instances: np.ndarray  # int64 [2]: of documents packed to the full length, to a shorter one
    pair_labels: np.ndarray  # int64 [2]: instances with label 0 and 1
    same_document: np.ndarray  # int64 [1]: "random" text that came from the same document after ten tries
    alone: np.ndarray  # int64 [1]: instances with random text since nothing followed the first segment
    fates: np.ndarray  # int64 [3]: of the predicted tokens
    tokens: np.ndarray  # int64 [1], special tokens counted, padding not


# The fields of a plan: whose stream finishes the instance, the ranges of tokens (B's only where it follows), the number
# of the document that a random B is to come from or -1, the length that was aimed at, the label of the pair, and for
# text in parts which they are: sentences, or documents by their places in `Corpus.order`.
OF_DOCUMENT, OF_DUPLICATE, OF_INSTANCE, A_START, A_END, B_START, B_END, RANDOM_DOCUMENT, AIM, LABEL = range(10)
FIRST_PART, END_OF_PARTS = 10, 11
PLAN_FIELDS = 12

PLACE_BYTES = 8  # At the front of a row.


def new_counts() -> Counts:
    return Counts(*(np.zeros(size, np.int64) for size in (2, 2, 2, 1, 1, 3, 1)))


def row_width(max_seq_length: int, max_predictions: int, dtype: np.dtype) -> int:
    """Columns of a row."""
    return PLACE_BYTES // dtype.itemsize + 4 + max_seq_length + 2 * max_predictions


@compiled
def as_instances(rows, max_seq_length, max_predictions):
    """Names the columns of `rows` `[N, row_width]`, as `Instances`."""
    labels = rows.shape[1] - max_predictions
    positions = labels - max_predictions
    ids = positions - max_seq_length
    return Instances(
        rows[:, : ids - 4],
        rows[:, ids - 4],
        rows[:, ids - 3],
        rows[:, ids - 2],
        rows[:, ids - 1],
        rows[:, ids:positions],
        rows[:, positions:labels],
        rows[:, labels:],
    )
