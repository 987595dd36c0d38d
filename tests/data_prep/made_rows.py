"""Rows that the compiled loops make of invented documents, unmasked, for the tests of every format."""

import numpy as np
from hypothesis import strategies as st

from data_prep import formats, mersenne
from data_prep import instances as made
from data_prep.cursor import new_cursor
from data_prep.streams import document_streams, published_streams

CLS, SEP, MASK, FIRST_WORD = 2, 3, 4, 5
DTYPE = np.dtype(np.uint16)

# Documents as the lengths of their sentences.
SIZES = st.lists(st.lists(st.integers(1, 25), min_size=1, max_size=9), min_size=1, max_size=6)


def documents_of(sizes):
    """Documents of sentences of these lengths. No token comes twice, so that a row says where its text is from."""
    tokens = iter(range(FIRST_WORD, 1 << 16))
    return [[[next(tokens) for _ in range(size)] for size in document] for document in sizes]


def corpus_of(documents, order=None):
    sentences = [sentence for document in documents for sentence in document]
    order = np.arange(len(documents), dtype=np.uint32) if order is None else order
    starts = np.cumsum([0, *map(len, sentences)]), np.cumsum([0, *map(len, documents)])
    return made.Corpus(np.array(sum(sentences, []), DTYPE), *starts, order, 0, len(documents))


def make_rows(documents, name, length, seed=0, *, per_document=False, at_a_time=3, dupe_factor=1, short_seq_prob=0.0):
    """The rows of a format, in the order in which they are made.

    Returns:
        `(segments, label)` of each, segments being what stands between [CLS] and [SEP]; of formats of one segment also
        that of documents. And the counts.
    """
    one_format, state = formats.FORMATS[name], mersenne.seeded_state(seed)
    order = np.arange(len(documents), dtype=np.uint32)
    if not per_document:
        mersenne.shuffle(state, order)
    streams = document_streams(seed) if per_document else published_streams(state)
    vocabulary = made.Vocabulary(np.arange(9), np.zeros(1 << 16, bool), CLS, SEP, MASK)
    packing = made.Packing(
        length - one_format.special_tokens, 0, short_seq_prob, dupe_factor, one_format.number, one_format.special_tokens
    )
    masking = made.Masking(False, False, np.zeros(length + 1, np.int64))
    corpus, cursor, counts, rows, count = corpus_of(documents, order), new_cursor(), made.new_counts(), [], at_a_time
    while count == at_a_time:
        buffer = np.zeros((at_a_time, made.row_width(length, 0, DTYPE)), DTYPE)
        count = formats.fill(streams, cursor, corpus, vocabulary, packing, masking, buffer, counts)
        out = made.as_instances(buffer, length, 0)
        rows += [_read(out, row) for row in range(count)]
    return rows, counts


def _read(out, row):
    length, tokens = int(out.length[row]), out.input_ids[row].tolist()
    assert tokens[0] == CLS and tokens[length - 1] == SEP and not any(tokens[length:])
    segments = [[]]
    for token in tokens[1 : length - 1]:
        if token == SEP:
            segments.append([])
        else:
            segments[-1].append(token)
    return segments, int(out.pair_label[row])
