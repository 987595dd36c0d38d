"""From documents to training instances, as published: create_pretraining_data.py:178-338 and :418-433 at eedf571.

Two segments are always two ranges of one long array of tokens, since the sentences of a document lie one after another:
packing, the next sentence and truncation only move the ends of these ranges.

Letters in shapes: L max_seq_length, P max_predictions_per_seq, V vocabulary, N instances.
"""

from typing import NamedTuple

import numpy as np

from data_prep import masking as masks
from data_prep.compiled import compiled
from data_prep.mersenne import random, random_integer

RANDOM_NEXT_SHARE = 0.5
RANDOM_DOCUMENT_TRIES = 10
SPECIAL_TOKENS = 3  # [CLS] A [SEP] B [SEP]


class Corpus(NamedTuple):
    """Tokenized documents. Document d is the sentences `document_starts[d]` up to `document_starts[d + 1]`."""

    tokens: np.ndarray
    sentence_starts: np.ndarray  # int64 [sentences + 1], places in `tokens`
    document_starts: np.ndarray  # int64 [documents + 1], places in `sentence_starts`
    order: np.ndarray  # uint32 [documents], the shuffled documents


class Vocabulary(NamedTuple):
    """What masking has to know of the vocabulary."""

    ids: np.ndarray  # int64: an id for each different token, in the order of the file
    continuation: np.ndarray  # bool [V]: the token starts with ##
    cls_id: int
    sep_id: int
    mask_id: int


class Masking(NamedTuple):
    """How masks are drawn."""

    static: bool  # False: no masks are drawn.
    whole_words: bool
    predictions_by_length: np.ndarray  # int64 [L + 1]


class Packing(NamedTuple):
    """How sequences are packed."""

    max_num_tokens: int  # without the special tokens
    max_predictions: int  # room for masks
    short_seq_prob: float
    dupe_factor: int


class Instances(NamedTuple):
    """Instances side by side: views of one array `[N, columns]`, of which a row is an instance."""

    place: np.ndarray  # [N], for the shuffle that follows
    a_length: np.ndarray  # [N], tokens in the first segment
    length: np.ndarray  # [N], tokens and special tokens
    is_random_next: np.ndarray  # [N]
    num_predictions: np.ndarray  # [N]
    input_ids: np.ndarray  # [N, L]
    masked_lm_positions: np.ndarray  # [N, P]
    masked_lm_ids: np.ndarray  # [N, P]


class Counts(NamedTuple):
    """What happened, added up in place."""

    targets: np.ndarray  # int64 [2]: documents packed to the full length, to a shorter one
    instances: np.ndarray  # int64 [2]: of documents packed to the full length, to a shorter one
    next_sentence: np.ndarray  # int64 [2]: the following text, a random one
    same_document: np.ndarray  # int64 [1]: "random" text that came from the same document after ten tries
    fates: np.ndarray  # int64 [3]: of the predicted tokens
    tokens: np.ndarray  # int64 [1], special tokens counted, padding not


# The fields of a cursor, which says where in the corpus the next instance begins.
DUPLICATE, DOCUMENT, SENTENCE, TARGET = range(4)


def new_cursor() -> np.ndarray:
    return np.zeros(4, np.int64)


def new_counts() -> Counts:
    return Counts(*(np.zeros(size, np.int64) for size in (2, 2, 2, 1, 3, 1)))


def row_width(max_seq_length: int, max_predictions: int) -> int:
    return 5 + max_seq_length + 2 * max_predictions


@compiled
def as_instances(rows, max_seq_length, max_predictions):
    """Names the columns of `rows` `[N, row_width]`, as `Instances`."""
    ids, positions, labels = 5, 5 + max_seq_length, 5 + max_seq_length + max_predictions
    return Instances(
        rows[:, 0],
        rows[:, 1],
        rows[:, 2],
        rows[:, 3],
        rows[:, 4],
        rows[:, ids:positions],
        rows[:, positions:labels],
        rows[:, labels:],
    )


@compiled
def fill(state, cursor, corpus, vocabulary, packing, masking, rows, counts):
    """Makes the next instances: documents in shuffled order, all of it `dupe_factor` times.

    Args:
        state, cursor: the generator of `mersenne.seeded_state`, and where in the corpus to go on. Both are advanced.
        corpus, vocabulary, packing, masking: of the types of these names.
        rows: `[N, row_width]` zeros that are filled; their columns are those of `as_instances`.
        counts: the `Counts` that are increased.

    Returns:
        How many were made: fewer than there are rows when the corpus has come to its end.
    """
    out = as_instances(rows, packing.max_num_tokens + SPECIAL_TOKENS, packing.max_predictions)
    made = 0
    while made < len(out.length) and cursor[DUPLICATE] < packing.dupe_factor:
        _make_instance(state, cursor, corpus, vocabulary, packing, out, made, counts)
        if masking.static:
            out.num_predictions[made] = masks.mask(
                state,
                out.input_ids[made],
                out.length[made],
                vocabulary,
                masking,
                out.masked_lm_positions[made],
                out.masked_lm_ids[made],
                counts.fates,
            )
        made += 1
    return made


@compiled
def _make_instance(state, cursor, corpus, vocabulary, packing, out, row, counts):
    document = corpus.order[cursor[DOCUMENT]]
    document_end = corpus.document_starts[document + 1]
    if cursor[SENTENCE] == 0:
        cursor[TARGET] = _draw_target_length(state, packing)
        counts.targets[int(cursor[TARGET] < packing.max_num_tokens)] += 1
    start = corpus.document_starts[document] + cursor[SENTENCE]
    end = _take_sentences(corpus.sentence_starts, start, document_end, cursor[TARGET])
    middle = start + 1 if end - start == 1 else start + random_integer(state, 1, end - start - 1)

    a_start, a_end = corpus.sentence_starts[start], corpus.sentence_starts[middle]
    is_random_next = end - start == 1 or random(state) < RANDOM_NEXT_SHARE
    if is_random_next:
        b_start, b_end = _random_next(state, corpus, cursor[DOCUMENT], cursor[TARGET] - (a_end - a_start), counts)
        end = middle  # What was meant to follow is put back for the next instance.
    else:
        b_start, b_end = corpus.sentence_starts[middle], corpus.sentence_starts[end]
    a_start, a_end, b_start, b_end = _truncate_pair(state, a_start, a_end, b_start, b_end, packing.max_num_tokens)

    _write_pair(corpus.tokens[a_start:a_end], corpus.tokens[b_start:b_end], vocabulary, out, row)
    out.is_random_next[row] = is_random_next
    counts.instances[int(cursor[TARGET] < packing.max_num_tokens)] += 1
    counts.next_sentence[int(is_random_next)] += 1
    counts.tokens[0] += out.length[row]
    _advance(cursor, len(corpus.order), end - corpus.document_starts[document], end == document_end)


@compiled
def _draw_target_length(state, packing):
    if random(state) < packing.short_seq_prob:
        return random_integer(state, 2, packing.max_num_tokens)
    return packing.max_num_tokens


@compiled
def _take_sentences(sentence_starts, first, document_end, target_length):
    """Where the chunk that begins with sentence `first` ends: full, or the document is at its end."""
    end = first + 1
    while end < document_end and sentence_starts[end] - sentence_starts[first] < target_length:
        end += 1
    return end


@compiled
def _random_next(state, corpus, this_document, target_length, counts):
    """A range of tokens from another document; after ten tries from whichever was drawn, this one included."""
    for _ in range(RANDOM_DOCUMENT_TRIES):
        drawn = random_integer(state, 0, len(corpus.order) - 1)
        if drawn != this_document:
            break
    else:
        counts.same_document[0] += 1
    document = corpus.order[drawn]
    first, document_end = corpus.document_starts[document], corpus.document_starts[document + 1]
    start = first + random_integer(state, 0, document_end - first - 1)
    end = _take_sentences(corpus.sentence_starts, start, document_end, target_length)
    return corpus.sentence_starts[start], corpus.sentence_starts[end]


@compiled
def _truncate_pair(state, a_start, a_end, b_start, b_end, max_num_tokens):
    """Shortens the longer segment, token by token, at its front or its back by the toss of a coin."""
    while (a_end - a_start) + (b_end - b_start) > max_num_tokens:
        from_front = random(state) < 0.5
        if a_end - a_start > b_end - b_start:
            a_start, a_end = (a_start + 1, a_end) if from_front else (a_start, a_end - 1)
        else:
            b_start, b_end = (b_start + 1, b_end) if from_front else (b_start, b_end - 1)
    return a_start, a_end, b_start, b_end


@compiled
def _write_pair(tokens_a, tokens_b, vocabulary, out, row):
    a_length, length = len(tokens_a), len(tokens_a) + len(tokens_b) + SPECIAL_TOKENS
    input_ids = out.input_ids[row]  # [L]
    input_ids[0] = vocabulary.cls_id
    input_ids[1 : a_length + 1] = tokens_a
    input_ids[a_length + 1] = vocabulary.sep_id
    input_ids[a_length + 2 : length - 1] = tokens_b
    input_ids[length - 1] = vocabulary.sep_id
    input_ids[length:] = 0
    out.a_length[row], out.length[row] = a_length, length


@compiled
def _advance(cursor, documents, next_sentence, document_done):
    cursor[SENTENCE] = next_sentence
    if document_done:
        cursor[SENTENCE] = 0
        cursor[DOCUMENT] += 1
    if cursor[DOCUMENT] == documents:
        cursor[DOCUMENT] = 0
        cursor[DUPLICATE] += 1
