"""SENTENCE-PAIR with next sentence prediction (Liu et al. 2019, §4.2): pairs of single sentences."""

from data_prep.compiled import compiled
from data_prep.cursor import advance_to, sentences_left
from data_prep.instances import A_END, A_START, AIM
from data_prep.mersenne import random
from data_prep.pairs import plan_pair, plan_random_next

RANDOM_NEXT_SHARE = 0.5


@compiled
def plan_sentence_pair(streams, cursor, corpus, packing, plan, counts):
    """A sentence with the one that follows it (label 0), or with one of another document (label 1)."""
    start, document_end = sentences_left(cursor, corpus)
    middle, end = start + 1, min(start + 2, document_end)
    plan_pair(corpus, plan, start, middle, end)
    if end == middle or random(streams.planning) < RANDOM_NEXT_SHARE:
        plan_random_next(streams.planning, corpus, plan, counts)
        counts.alone[0] += end == middle
        plan[AIM] = plan[A_END] - plan[A_START] + 1  # As much random text as reaches this: one sentence.
        end = middle  # The sentence that follows is the first of the next pair.
    advance_to(streams, cursor, corpus, packing, end)
