"""The input formats (Liu et al. 2019, §4.2, and those of ALBERT and ELECTRA), and the loops that make instances of any.

A format is an entry of FORMATS and two functions of a file of its own: what plans an instance and what writes it.
"""

from typing import NamedTuple

import numpy as np

from data_prep import electra_segments, full_sentences, pairs
from data_prep import masking as masks
from data_prep.compiled import compiled
from data_prep.cursor import DOCUMENT, DUPLICATE, INSTANCE, at_end, at_start_of_document
from data_prep.electra_segments import plan_electra_segments, write_electra_segments
from data_prep.full_sentences import plan_full_sentences, write_full_sentences
from data_prep.instances import (
    AIM,
    LABEL,
    OF_DOCUMENT,
    OF_DUPLICATE,
    OF_INSTANCE,
    PLAN_FIELDS,
    RANDOM_DOCUMENT,
    as_instances,
)
from data_prep.pairs import write_pair
from data_prep.segment_pair import plan_segment_pair
from data_prep.sentence_order import plan_sentence_order
from data_prep.sentence_pair import plan_sentence_pair
from data_prep.streams import begin_document, begin_instance, draw_place


class Format(NamedTuple):
    """An input format."""

    number: int
    special_tokens: int  # those that every row has
    labels: tuple[str, str] | None  # what the labels 0 and 1 mean; None: the label is always 0
    crosses_documents: bool = False  # A row may hold text of several documents: they can't be worked on apart.
    dynamic_passes: int = 1  # over the text, of unmasked rows, by default: one where others make much the same rows


SEGMENT_PAIR, SENTENCE_PAIR, FULL_SENTENCES, DOC_SENTENCES, SENTENCE_ORDER, ELECTRA = range(6)
NEXT_SENTENCE, ORDER = ("follows", "random"), ("in order", "exchanged")
FORMATS = {
    "segment_pair": Format(SEGMENT_PAIR, pairs.SPECIAL_TOKENS, NEXT_SENTENCE, dynamic_passes=10),
    "sentence_pair": Format(SENTENCE_PAIR, pairs.SPECIAL_TOKENS, NEXT_SENTENCE, dynamic_passes=10),
    "full_sentences": Format(FULL_SENTENCES, full_sentences.SPECIAL_TOKENS, None, crosses_documents=True),
    "doc_sentences": Format(DOC_SENTENCES, full_sentences.SPECIAL_TOKENS, None),
    "sentence_order": Format(SENTENCE_ORDER, pairs.SPECIAL_TOKENS, ORDER, dynamic_passes=10),
    "electra": Format(ELECTRA, electra_segments.SPECIAL_TOKENS, None),
}


@compiled
def plan_instance(streams, cursor, corpus, packing, plan, counts):
    """Chooses the text of the next instance, and advances `cursor`. Fills `plan`, int64 `[PLAN_FIELDS]`."""
    number = corpus.first_number + cursor[DOCUMENT]
    if at_start_of_document(cursor):
        begin_document(streams, number, cursor[DUPLICATE])
    cursor[INSTANCE] += 1
    plan[:] = 0
    plan[OF_DOCUMENT], plan[OF_DUPLICATE], plan[OF_INSTANCE] = number, cursor[DUPLICATE], cursor[INSTANCE]
    plan[RANDOM_DOCUMENT] = -1
    if packing.format == SEGMENT_PAIR:
        plan_segment_pair(streams, cursor, corpus, packing, plan, counts)
    elif packing.format == SENTENCE_PAIR:
        plan_sentence_pair(streams, cursor, corpus, packing, plan, counts)
    elif packing.format == SENTENCE_ORDER:
        plan_sentence_order(streams, cursor, corpus, packing, plan, counts)
    elif packing.format == ELECTRA:
        plan_electra_segments(streams, cursor, corpus, packing, plan, counts)
    else:
        plan_full_sentences(streams, cursor, corpus, packing, plan, packing.format == FULL_SENTENCES)


@compiled
def finish_instance(streams, plan, tokens_a, corpus, random_document, vocabulary, packing, masking, out, row, counts):
    """Makes a planned instance in row `row` of `out`, which are `Instances`.

    Args:
        tokens_a: what the plan's ranges are ranges of.
        corpus, random_document: a random B comes from this document of this corpus.
    """
    begin_instance(streams, plan[OF_DOCUMENT], plan[OF_DUPLICATE], plan[OF_INSTANCE])
    state = streams.finishing
    if packing.format == ELECTRA:
        write_electra_segments(state, plan, corpus, vocabulary, packing, out, row)
    elif packing.format == FULL_SENTENCES or packing.format == DOC_SENTENCES:
        write_full_sentences(plan, corpus, vocabulary, out, row)
    else:
        write_pair(state, plan, tokens_a, corpus, random_document, vocabulary, packing, out, row)
    out.pair_label[row] = plan[LABEL]
    counts.pair_labels[plan[LABEL]] += 1
    counts.instances[int(plan[AIM] < packing.max_num_tokens)] += 1
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
    out = as_instances(rows, packing.max_num_tokens + packing.special_tokens, packing.max_predictions)
    while made < len(rows) and not at_end(cursor, corpus, packing):
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
    while made < len(plans) and not at_end(cursor, corpus, packing):
        plan_instance(streams, cursor, corpus, packing, plans[made], counts)
        made += 1
    return made


@compiled
def finish_instances(streams, plans, tokens_a, corpus, random_document, vocabulary, packing, masking, rows, counts):
    """Makes planned instances `[N, PLAN_FIELDS]` in `rows`, all that are random with text of one document."""
    out = as_instances(rows, packing.max_num_tokens + packing.special_tokens, packing.max_predictions)
    for row in range(len(plans)):
        finish_instance(
            streams, plans[row], tokens_a, corpus, random_document, vocabulary, packing, masking, out, row, counts
        )
