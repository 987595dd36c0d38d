"""Documents out of batches that were tokenized apart: a batch may begin or end in the middle of a document.

What `token_store.encode_lines` returns of a batch are runs of sentences between ends of documents. From a few numbers
of every batch follows the number of the document that each run belongs to: that which it has in a `token_store`.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import NamedTuple

import numpy as np

from data_prep.instances import Corpus
from data_prep.token_store import DOCUMENT_END


class Edges(NamedTuple):
    """What the batches after it must know of a batch."""

    has_end: bool  # A document ends in it.
    begins_inside: bool  # There are sentences before the first end, or at all.
    inner: int  # Documents between two ends.
    ends_inside: bool  # There are sentences after the last end.


class Entry(NamedTuple):
    """What a batch must know of those before it."""

    number: int  # of the document that its first sentences belong to
    is_open: bool  # This document has sentences before.


def _runs(lengths: np.ndarray) -> list[tuple[int, int]]:
    """First and end of each run of sentences among `lengths`, int64 `[n]`; a run may be empty."""
    ends = np.flatnonzero(lengths == DOCUMENT_END)
    return list(zip([0, *(ends + 1).tolist()], [*ends.tolist(), len(lengths)], strict=True))


def edges(lengths: bytes) -> Edges:
    """Looks at the lengths of a batch's sentences."""
    full = [first < end for first, end in _runs(np.frombuffer(lengths, np.int64))]
    if len(full) == 1:
        return Edges(False, full[0], 0, False)
    return Edges(True, full[0], sum(full[1:-1]), full[-1])


def number_documents(batches: Iterable[tuple[Hashable, Edges]]) -> tuple[dict[Hashable, Entry], int]:
    """Goes through all batches in their order.

    Returns:
        Each batch's entry, and how many documents there are.
    """
    entries, number, is_open = {}, 0, False
    for batch, batch_edges in batches:
        entries[batch] = Entry(number, is_open)
        is_open = is_open or batch_edges.begins_inside
        if batch_edges.has_end:
            number += is_open + batch_edges.inner
            is_open = batch_edges.ends_inside
    return entries, number + is_open


def pieces(entry: Entry, tokens: bytes, lengths: bytes, itemsize: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Cuts a batch, of which tokens take `itemsize` bytes.

    Yields:
        The number of a document, and its tokens and the lengths of its sentences, as many as there are in the batch.
    """
    sentences = np.frombuffer(lengths, np.int64)
    starts = np.concatenate([[0], np.cumsum(sentences)]) * itemsize
    number = entry.number
    for run, (first, end) in enumerate(_runs(sentences)):
        if first < end:
            yield number, tokens[starts[first] : starts[end]], sentences[first:end].tobytes()
        if first < end or (run == 0 and entry.is_open):
            number += 1


def corpus_of_document(tokens: bytes, lengths: bytes, dtype: np.dtype, number: int, num_documents: int) -> Corpus:
    """One document out of `num_documents`."""
    sentence_starts = np.concatenate([[0], np.cumsum(np.frombuffer(lengths, np.int64))])
    document_starts = np.array([0, len(sentence_starts) - 1])
    sentence_starts.flags.writeable = document_starts.flags.writeable = False  # As those of a `TokenStore`.
    order = np.zeros(1, np.uint32)
    return Corpus(np.frombuffer(tokens, dtype), sentence_starts, document_starts, order, number, num_documents)
