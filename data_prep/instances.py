"""From documents to training instances, as published: create_pretraining_data.py:178-338 and :418-433 at eedf571.

A segment is always a range of one long array of tokens, since the sentences of a document lie one after another:
packing, the next sentence and truncation only move the ends of these ranges.

An instance is planned from its document alone: its sentences and, where the next is to be a random one, from which
document. It is finished with the text of that document at hand, which may be on another machine.

Letters in shapes: L max_seq_length, P max_predictions_per_seq, V vocabulary, N instances.
"""

from typing import NamedTuple

import numpy as np

from data_prep import masking as masks
from data_prep.compiled import compiled
from data_prep.mersenne import random, random_integer
from data_prep.streams import begin_document, begin_instance, draw_place

RANDOM_NEXT_SHARE = 0.5
RANDOM_DOCUMENT_TRIES = 10
SPECIAL_TOKENS = 3  # [CLS] A [SEP] B [SEP]


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

    place: np.ndarray  # [N, columns of PLACE_BYTES], for the shuffle that follows
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


# The fields of a cursor, which says where in the corpus the next instance begins, and its number in this document.
DUPLICATE, DOCUMENT, SENTENCE, TARGET, INSTANCE = range(5)

# The fields of a plan: whose stream finishes the instance, the ranges of tokens (B's only where it follows), the number
# of the document that a random B is to come from or -1, and the length that was aimed at.
OF_DOCUMENT, OF_DUPLICATE, OF_INSTANCE, A_START, A_END, B_START, B_END, RANDOM_DOCUMENT, AIM = range(9)
PLAN_FIELDS = 9

PLACE_BYTES = 8  # At the front of a row.


def new_cursor() -> np.ndarray:
    return np.zeros(5, np.int64)


def new_counts() -> Counts:
    return Counts(*(np.zeros(size, np.int64) for size in (2, 2, 2, 1, 3, 1)))


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


@compiled
def fill(streams, cursor, corpus, vocabulary, packing, masking, rows, counts):
    """Makes the next instances: all documents in their order, `dupe_factor` times.

    Args:
        streams, cursor: of `streams.Streams`, and where in the corpus to go on. Both are advanced.
        corpus, vocabulary, packing, masking: of the types of these names.
        rows: `[N, row_width]` zeros that are filled; their columns are those of `as_instances`.
        counts: the `Counts` that are increased.

    Returns:
        How many were made: fewer than there are rows when the corpus has come to its end.
    """
    made, plan = 0, np.empty(PLAN_FIELDS, np.int64)
    out = as_instances(rows, packing.max_num_tokens + SPECIAL_TOKENS, packing.max_predictions)
    while made < len(rows) and not _at_end(cursor, corpus, packing):
        plan_instance(streams, cursor, corpus, packing, plan, counts)
        random_document = 0
        if plan[RANDOM_DOCUMENT] >= 0:
            random_document = np.int64(corpus.order[plan[RANDOM_DOCUMENT]])
        finish_instance(
            streams, plan, corpus.tokens, corpus, random_document, vocabulary, packing, masking, out, made, counts
        )
        made += 1
    return made


@compiled
def plan_instances(streams, cursor, corpus, packing, plans, counts):
    """Plans the next instances, int64 `[N, PLAN_FIELDS]`; returns how many, as `fill`."""
    made = 0
    while made < len(plans) and not _at_end(cursor, corpus, packing):
        plan_instance(streams, cursor, corpus, packing, plans[made], counts)
        made += 1
    return made


@compiled
def finish_instances(streams, plans, tokens_a, corpus, random_document, vocabulary, packing, masking, rows, counts):
    """Makes planned instances `[N, PLAN_FIELDS]` in `rows`, all that are random with text of one document."""
    out = as_instances(rows, packing.max_num_tokens + SPECIAL_TOKENS, packing.max_predictions)
    for row in range(len(plans)):
        finish_instance(
            streams, plans[row], tokens_a, corpus, random_document, vocabulary, packing, masking, out, row, counts
        )


@compiled
def _at_end(cursor, corpus, packing):
    return cursor[DUPLICATE] == packing.dupe_factor or cursor[DOCUMENT] == len(corpus.order)


@compiled
def plan_instance(streams, cursor, corpus, packing, plan, counts):
    """Chooses the sentences of the next instance, and advances `cursor`. Fills `plan`, int64 `[PLAN_FIELDS]`."""
    document, number = corpus.order[cursor[DOCUMENT]], corpus.first_number + cursor[DOCUMENT]
    document_start, document_end = corpus.document_starts[document], corpus.document_starts[document + 1]
    if cursor[SENTENCE] == 0:
        begin_document(streams, number, cursor[DUPLICATE])
        cursor[TARGET] = _draw_target_length(streams.planning, packing)
        counts.targets[int(cursor[TARGET] < packing.max_num_tokens)] += 1
    state, start = streams.planning, document_start + cursor[SENTENCE]
    end = _take_sentences(corpus.sentence_starts, start, document_end, cursor[TARGET])
    middle = start + 1 if end - start == 1 else start + random_integer(state, 1, end - start - 1)

    cursor[INSTANCE] += 1
    plan[OF_DOCUMENT], plan[OF_DUPLICATE], plan[OF_INSTANCE] = number, cursor[DUPLICATE], cursor[INSTANCE]
    plan[A_START], plan[A_END] = corpus.sentence_starts[start], corpus.sentence_starts[middle]
    plan[B_START], plan[B_END] = plan[A_END], corpus.sentence_starts[end]
    plan[RANDOM_DOCUMENT], plan[AIM] = -1, cursor[TARGET]
    if end - start == 1 or random(state) < RANDOM_NEXT_SHARE:
        plan[RANDOM_DOCUMENT] = _draw_document(state, number, corpus.num_documents, counts)
        end = middle  # What was meant to follow is put back for the next instance.
    _advance(streams, cursor, corpus, packing, end - document_start, end == document_end)


@compiled
def finish_instance(streams, plan, tokens_a, corpus, random_document, vocabulary, packing, masking, out, row, counts):
    """Makes a planned instance in row `row` of `out`, which are `Instances`.

    Args:
        tokens_a: what the plan's ranges are ranges of.
        corpus, random_document: a random B comes from this document of this corpus.
    """
    begin_instance(streams, plan[OF_DOCUMENT], plan[OF_DUPLICATE], plan[OF_INSTANCE])
    state, is_random_next = streams.finishing, plan[RANDOM_DOCUMENT] >= 0
    a_start, a_end, b_start, b_end = plan[A_START], plan[A_END], plan[B_START], plan[B_END]
    tokens_b = tokens_a
    if is_random_next:
        b_start, b_end = _random_sentences(state, corpus, random_document, plan[AIM] - (a_end - a_start))
        tokens_b = corpus.tokens
    a_start, a_end, b_start, b_end = _truncate_pair(state, a_start, a_end, b_start, b_end, packing.max_num_tokens)

    _write_pair(tokens_a[a_start:a_end], tokens_b[b_start:b_end], vocabulary, out, row)
    out.is_random_next[row] = is_random_next
    counts.instances[int(plan[AIM] < packing.max_num_tokens)] += 1
    counts.next_sentence[int(is_random_next)] += 1
    counts.tokens[0] += out.length[row]
    if masking.static:
        out.num_predictions[row] = masks.mask(
            state,
            out.input_ids[row],
            out.length[row],
            vocabulary,
            masking,
            out.masked_lm_positions[row],
            out.masked_lm_ids[row],
            counts.fates,
        )
    draw_place(streams, out.place[row])


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
def _draw_document(state, this_number, num_documents, counts):
    """The number of another document; after ten tries whichever was drawn, this one included."""
    for _ in range(RANDOM_DOCUMENT_TRIES):
        drawn = random_integer(state, 0, num_documents - 1)
        if drawn != this_number:
            break
    else:
        counts.same_document[0] += 1
    return drawn


@compiled
def _random_sentences(state, corpus, document, target_length):
    """A range of tokens of a document."""
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
def _advance(streams, cursor, corpus, packing, next_sentence, document_done):
    """As published all documents are gone through again and again; with their own streams, each of them is."""
    cursor[SENTENCE] = next_sentence
    if not document_done:
        return
    cursor[SENTENCE] = cursor[INSTANCE] = 0
    if streams.per_document:
        cursor[DUPLICATE] += 1
        if cursor[DUPLICATE] == packing.dupe_factor:
            cursor[DUPLICATE] = 0
            cursor[DOCUMENT] += 1
    else:
        cursor[DOCUMENT] += 1
        if cursor[DOCUMENT] == len(corpus.order):
            cursor[DOCUMENT] = 0
            cursor[DUPLICATE] += 1
