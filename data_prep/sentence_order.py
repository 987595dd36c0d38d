"""Pairs for sentence-order prediction (Lan et al. 2019, §3.1): two consecutive segments, half of them exchanged.

As in google-research/albert, create_pretraining_data.py:268-349 at b772393, with --random_next_sentence=False. The
quirk is kept that a segment which stands alone (a document of one sentence, its last one, a long one) gets random text
of another document, labelled as exchanged: github.com/google-research/albert/issues/234.
"""

from data_prep.compiled import compiled
from data_prep.cursor import advance_to
from data_prep.instances import A_END, A_START, B_END, B_START, LABEL
from data_prep.mersenne import random
from data_prep.pairs import plan_random_next
from data_prep.segment_pair import plan_two_segments

EXCHANGED_SHARE = 0.5


@compiled
def plan_sentence_order(streams, cursor, corpus, packing, plan, counts):
    """Two segments in the order of the text (label 0) or the second first (label 1)."""
    start, _, end = plan_two_segments(streams, cursor, corpus, packing, plan, counts)
    if end - start == 1:
        plan_random_next(streams.planning, corpus, plan, counts)
        counts.alone[0] += 1
    elif random(streams.planning) < EXCHANGED_SHARE:
        a_start, a_end = plan[A_START], plan[A_END]
        plan[A_START], plan[A_END] = plan[B_START], plan[B_END]
        plan[B_START], plan[B_END] = a_start, a_end
        plan[LABEL] = 1
    advance_to(streams, cursor, corpus, packing, end)
