"""Where in the corpus the next instance begins: the state that planning advances."""

import numpy as np

from data_prep.compiled import compiled

# The fields of a cursor: the pass over the corpus, the place of the document in `Corpus.order`, the sentence in it, the
# length that is aimed at, the instances of this document so far, and the tokens of the sentence that are used already.
DUPLICATE, DOCUMENT, SENTENCE, TARGET, INSTANCE, OFFSET = range(6)
FIELDS = 6


def new_cursor() -> np.ndarray:
    return np.zeros(FIELDS, np.int64)


@compiled
def at_end(cursor, corpus, packing):
    return cursor[DUPLICATE] == packing.dupe_factor or cursor[DOCUMENT] == len(corpus.order)


@compiled
def at_start_of_document(cursor):
    return cursor[SENTENCE] == 0 and cursor[OFFSET] == 0


@compiled
def sentences_left(cursor, corpus):
    """The next sentence and the end of its document, places in `Corpus.sentence_starts`."""
    document = corpus.order[cursor[DOCUMENT]]
    return corpus.document_starts[document] + cursor[SENTENCE], corpus.document_starts[document + 1]


@compiled
def advance_to(streams, cursor, corpus, packing, sentence):
    """Goes on at this sentence of the same document, which may be its end."""
    document = corpus.order[cursor[DOCUMENT]]
    cursor[SENTENCE], cursor[OFFSET] = sentence - corpus.document_starts[document], 0
    if sentence == corpus.document_starts[document + 1]:
        end_document(streams, cursor, corpus, packing)


@compiled
def end_document(streams, cursor, corpus, packing):
    """As published all documents are gone through again and again; with their own streams, each of them is."""
    cursor[SENTENCE] = cursor[INSTANCE] = cursor[OFFSET] = 0
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
