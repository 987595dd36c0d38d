"""SEGMENT-PAIR with next sentence prediction, BERT's own: create_pretraining_data.py:208-295 at eedf571."""

from data_prep.compiled import compiled
from data_prep.cursor import TARGET, advance_to, at_start_of_document, sentences_left
from data_prep.instances import AIM
from data_prep.mersenne import random, random_integer
from data_prep.pairs import plan_pair, plan_random_next, take_sentences

RANDOM_NEXT_SHARE = 0.5


@compiled
def plan_segment_pair(streams, cursor, corpus, packing, plan, counts):
    """Two segments of which the second follows the first (label 0) or is random text (label 1)."""
    start, middle, end = plan_two_segments(streams, cursor, corpus, packing, plan, counts)
    if end - start == 1 or random(streams.planning) < RANDOM_NEXT_SHARE:
        plan_random_next(streams.planning, corpus, plan, counts)
        counts.alone[0] += end - start == 1
        end = middle  # What was meant to follow is put back for the next instance.
    advance_to(streams, cursor, corpus, packing, end)


@compiled
def plan_two_segments(streams, cursor, corpus, packing, plan, counts):
    """Takes sentences up to the length that is aimed at in this document, and divides them at random.

    Returns:
        The first sentence of the first segment, that of the second, and the end. Of one sentence the second has none.
    """
    if at_start_of_document(cursor):
        cursor[TARGET] = _draw_target_length(streams.planning, packing)
        counts.targets[int(cursor[TARGET] < packing.max_num_tokens)] += 1
    plan[AIM] = cursor[TARGET]
    start, document_end = sentences_left(cursor, corpus)
    end = take_sentences(corpus.sentence_starts, start, document_end, plan[AIM])
    middle = start + 1 if end - start == 1 else start + random_integer(streams.planning, 1, end - start - 1)
    plan_pair(corpus, plan, start, middle, end)
    return start, middle, end


@compiled
def _draw_target_length(state, packing):
    if random(state) < packing.short_seq_prob:
        return random_integer(state, 2, packing.max_num_tokens)
    return packing.max_num_tokens
