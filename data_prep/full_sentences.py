"""FULL-SENTENCES and DOC-SENTENCES (Liu et al. 2019, §4.2): rows of one segment, filled with whole sentences.

`[CLS] text [SEP]`, of FULL-SENTENCES with another [SEP] between the texts of two documents. Nothing is drawn, so that
every pass over the corpus makes the same rows; no token is lost or comes twice. A sentence longer than a row, of which
the paper says nothing, begins a row of its own and goes on in the next ones.

A row of DOC-SENTENCES at the end of a document is short. The paper then takes more rows into a batch; here rows are
padded and a batch has as many as ever, and the report says how much is padding: enlarge --train_batch_size by it.
"""

import numpy as np

from data_prep.compiled import compiled
from data_prep.cursor import DOCUMENT, OFFSET, SENTENCE, end_document, sentences_left
from data_prep.instances import A_END, A_START, AIM, END_OF_PARTS, FIRST_PART

SPECIAL_TOKENS = 2  # [CLS] text [SEP]


@compiled
def plan_full_sentences(streams, cursor, corpus, packing, plan, crosses_documents):
    """Sentences up to the length of a row, with `crosses_documents` of several documents in the order of the corpus."""
    sentence, document_end = sentences_left(cursor, corpus)
    plan[AIM] = room = packing.max_num_tokens
    plan[A_START] = corpus.sentence_starts[sentence] + cursor[OFFSET]
    plan[FIRST_PART] = plan[END_OF_PARTS] = cursor[DOCUMENT]
    used = 0
    while True:
        start = corpus.sentence_starts[sentence] + cursor[OFFSET]
        size = corpus.sentence_starts[sentence + 1] - start
        separator = int(cursor[DOCUMENT] >= plan[END_OF_PARTS] and used > 0)
        if used > 0 and used + separator + size > room:
            return
        taken = min(size, room - used - separator)  # Less than all of it where the sentence is longer than a row.
        used += separator + taken
        plan[A_END], plan[END_OF_PARTS] = start + taken, cursor[DOCUMENT] + 1
        if taken < size:
            cursor[OFFSET] += taken
            return
        cursor[SENTENCE], cursor[OFFSET], sentence = cursor[SENTENCE] + 1, 0, sentence + 1
        if sentence == document_end:
            end_document(streams, cursor, corpus, packing)
            if not crosses_documents or cursor[DOCUMENT] == 0:  # Where the next pass begins.
                return
            sentence, document_end = sentences_left(cursor, corpus)


@compiled
def write_full_sentences(plan, corpus, vocabulary, out, row):
    """Makes a planned row."""
    input_ids, at = out.input_ids[row], 1  # [L]
    input_ids[0] = vocabulary.cls_id
    for part in range(plan[FIRST_PART], plan[END_OF_PARTS]):
        document = np.int64(corpus.order[part])
        start = corpus.sentence_starts[corpus.document_starts[document]]
        end = corpus.sentence_starts[corpus.document_starts[document + 1]]
        if part == plan[FIRST_PART]:
            start = plan[A_START]
        else:
            input_ids[at] = vocabulary.sep_id
            at += 1
        if part == plan[END_OF_PARTS] - 1:
            end = plan[A_END]
        input_ids[at : at + end - start] = corpus.tokens[start:end]
        at += end - start
    input_ids[at] = vocabulary.sep_id
    input_ids[at + 1 :] = np.int64(vocabulary.pad_id)
    out.a_length[row], out.length[row] = at - 1, at + 1
