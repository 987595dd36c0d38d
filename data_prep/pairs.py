"""What formats of two segments have in common: random text, truncation, `[CLS] A [SEP] B [SEP]`.

As published: create_pretraining_data.py:250-304 and :418-433 at eedf571.
"""

import numpy as np

from data_prep.compiled import compiled
from data_prep.instances import A_END, A_START, AIM, B_END, B_START, LABEL, OF_DOCUMENT, RANDOM_DOCUMENT
from data_prep.mersenne import random, random_integer

SPECIAL_TOKENS = 3  # [CLS] A [SEP] B [SEP]
RANDOM_DOCUMENT_TRIES = 10


@compiled
def take_sentences(sentence_starts, first, document_end, target_length):
    """Where the chunk that begins with sentence `first` ends: full, or the document is at its end."""
    end = first + 1
    while end < document_end and sentence_starts[end] - sentence_starts[first] < target_length:
        end += 1
    return end


@compiled
def plan_pair(corpus, plan, start, middle, end):
    """Segment A is the sentences from `start` on, segment B those from `middle` up to `end`."""
    plan[A_START], plan[A_END] = corpus.sentence_starts[start], corpus.sentence_starts[middle]
    plan[B_START], plan[B_END] = plan[A_END], corpus.sentence_starts[end]


@compiled
def plan_random_next(state, corpus, plan, counts):
    """Draws the document that segment B is to come from; after ten tries whichever was drawn, this one included."""
    plan[LABEL] = 1
    for _ in range(RANDOM_DOCUMENT_TRIES):
        plan[RANDOM_DOCUMENT] = random_integer(state, 0, corpus.num_documents - 1)
        if plan[RANDOM_DOCUMENT] != plan[OF_DOCUMENT]:
            break
    else:
        counts.same_document[0] += 1


@compiled
def write_pair(state, plan, tokens_a, corpus, random_document, vocabulary, packing, out, row):
    """Makes a planned pair in row `row` of `out`.

    Args:
        state: the generator.
        tokens_a: what the plan's ranges are ranges of.
        corpus, random_document: a random B comes from this document of this corpus.
    """
    a_start, a_end, b_start, b_end = plan[A_START], plan[A_END], plan[B_START], plan[B_END]
    tokens_b = tokens_a
    if plan[RANDOM_DOCUMENT] >= 0:
        b_start, b_end = _random_sentences(state, corpus, random_document, plan[AIM] - (a_end - a_start))
        tokens_b = corpus.tokens
    a_start, a_end, b_start, b_end = _truncate_pair(state, a_start, a_end, b_start, b_end, packing.max_num_tokens)
    _write_segments(tokens_a[a_start:a_end], tokens_b[b_start:b_end], vocabulary, out, row)


@compiled
def _random_sentences(state, corpus, document, target_length):
    """A range of tokens of a document."""
    first, document_end = corpus.document_starts[document], corpus.document_starts[document + 1]
    start = first + random_integer(state, 0, document_end - first - 1)
    end = take_sentences(corpus.sentence_starts, start, document_end, target_length)
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
def _write_segments(tokens_a, tokens_b, vocabulary, out, row):
    a_length, length = len(tokens_a), len(tokens_a) + len(tokens_b) + SPECIAL_TOKENS
    input_ids = out.input_ids[row]  # [L]
    input_ids[0] = vocabulary.cls_id
    input_ids[1 : a_length + 1] = tokens_a
    input_ids[a_length + 1] = vocabulary.sep_id
    input_ids[a_length + 2 : length - 1] = tokens_b
    input_ids[length - 1] = vocabulary.sep_id
    input_ids[length:] = np.int64(vocabulary.pad_id)
    out.a_length[row], out.length[row] = a_length, length
