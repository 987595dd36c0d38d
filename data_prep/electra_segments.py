"""ELECTRA's rows: google-research/electra, build_pretraining_dataset.py:37-101 at 8a46635.

Sentences of one document up to about the length of a row, then a segment or two. There is no label. As published a
row aims at `max_seq_length` tokens without counting [CLS] and [SEP], and what is too much is cut off at its end: the
ends of most rows are not trained on. A short sentence may still join the first segment when the second has begun.
"""

import numpy as np

from data_prep.compiled import compiled
from data_prep.cursor import advance_to, sentences_left
from data_prep.instances import AIM, END_OF_PARTS, FIRST_PART
from data_prep.mersenne import random, random_integer
from data_prep.pairs import take_sentences

SPECIAL_TOKENS = 2  # [CLS] A [SEP], and where there is a second segment one more
SINGLE_SEGMENT_SHARE = 0.1
RANDOM_LENGTH_SHARE = 0.05
SHORTEST = 5  # of the random lengths


@compiled
def plan_electra_segments(streams, cursor, corpus, packing, plan, counts):
    """Sentences up to the length that this row aims at."""
    longest = packing.max_num_tokens + SPECIAL_TOKENS
    plan[AIM] = longest
    if random(streams.planning) < RANDOM_LENGTH_SHARE:
        plan[AIM] = random_integer(streams.planning, SHORTEST, longest)
    counts.targets[int(plan[AIM] < longest)] += 1
    plan[FIRST_PART], document_end = sentences_left(cursor, corpus)
    plan[END_OF_PARTS] = take_sentences(corpus.sentence_starts, plan[FIRST_PART], document_end, plan[AIM])
    advance_to(streams, cursor, corpus, packing, plan[END_OF_PARTS])


@compiled
def write_electra_segments(state, plan, corpus, vocabulary, packing, out, row):
    """Divides the planned sentences and makes the row."""
    first, count = plan[FIRST_PART], plan[END_OF_PARTS] - plan[FIRST_PART]
    in_second = _divide(state, corpus.sentence_starts, first, count, plan[AIM])
    input_ids, longest = out.input_ids[row], packing.max_num_tokens + SPECIAL_TOKENS  # [L]
    input_ids[:] = np.int64(vocabulary.pad_id)
    input_ids[0] = vocabulary.cls_id
    a_end = _write_sentences(input_ids, 1, longest - 1, corpus, first, in_second, False)
    input_ids[a_end] = vocabulary.sep_id
    end = _write_sentences(input_ids, a_end + 1, longest - 1, corpus, first, in_second, True)
    if end > a_end + 1:
        input_ids[end] = vocabulary.sep_id
        end += 1
    out.a_length[row], out.length[row] = a_end - 1, end


@compiled
def _divide(state, sentence_starts, first, count, aim):
    """Which of `count` sentences are of the second segment: bool [count]."""
    target = (aim - 3) // 2
    if random(state) < SINGLE_SEGMENT_SHARE:
        target = np.int64(1) << 40
    in_second, a_length, has_second = np.zeros(count, np.bool_), 0, False
    for k in range(count):
        size = sentence_starts[first + k + 1] - sentence_starts[first + k]
        fits = a_length == 0 or a_length + size < target
        if fits or (not has_second and a_length < target and random(state) < 0.5):
            a_length += size
        else:
            in_second[k] = has_second = True
    return in_second


@compiled
def _write_sentences(input_ids, at, end, corpus, first, in_second, segment):
    """Writes the sentences of a segment from place `at` on, at most up to `end`; returns where they end."""
    for k in range(len(in_second)):
        if in_second[k] == segment:
            start = corpus.sentence_starts[first + k]
            size = min(corpus.sentence_starts[first + k + 1] - start, max(0, end - at))
            input_ids[at : at + size] = corpus.tokens[start : start + size]
            at += size
    return at
