"""Batches cut anywhere are put together to the documents of a token store."""

import numpy as np
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from data_prep.document_pieces import corpus_of_document, edges, number_documents, pieces
from data_prep.token_store import TokenStore, TokenStoreWriter

DTYPE = np.dtype(np.uint16)


def as_batch(sentences: list[int], first_token: int) -> tuple[bytes, bytes]:
    """A batch of sentences of these lengths, 0 for the end of a document; its tokens count on from `first_token`."""
    tokens = np.arange(first_token, first_token + sum(sentences)).astype(DTYPE)
    return tokens.tobytes(), np.array(sentences, np.int64).tobytes()


def stored(directory, batches) -> list[tuple[list[int], list[int]]]:
    """Tokens and sentence lengths of each document of a store."""
    writer = TokenStoreWriter(str(directory), DTYPE, 0)
    for batch in batches:
        writer.append(*batch)
    writer.close()
    if not writer.documents:
        return []
    store = TokenStore(str(directory), DTYPE)
    documents = []
    for first, end in zip(store.document_starts, store.document_starts[1:], strict=False):
        starts = store.sentence_starts[first : end + 1]
        documents.append((store.tokens[starts[0] : starts[-1]].tolist(), np.diff(starts).tolist()))
    return documents


@given(st.lists(st.lists(st.integers(0, 3), max_size=6), max_size=8))
@example([[1], [], [2, 0], [0, 1], [1]])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_documents_are_those_of_a_store_wherever_batches_begin(tmp_path, sentences):
    firsts = np.cumsum([0, *map(sum, sentences)]).tolist()
    batches = [as_batch(*batch) for batch in zip(sentences, firsts, strict=False)]
    entries, count = number_documents((k, edges(lengths)) for k, (_, lengths) in enumerate(batches))
    documents = {}
    for k, (tokens, lengths) in enumerate(batches):
        for number, piece_tokens, piece_lengths in pieces(entries[k], tokens, lengths, DTYPE.itemsize):
            before = documents.get(number, (b"", b""))
            documents[number] = before[0] + piece_tokens, before[1] + piece_lengths
    expected = stored(tmp_path, batches)
    assert sorted(documents) == list(range(count))
    assert count == len(expected)
    for number, (tokens, lengths) in documents.items():
        corpus = corpus_of_document(tokens, lengths, DTYPE, number, count)
        assert (corpus.tokens.tolist(), np.diff(corpus.sentence_starts).tolist()) == expected[number]
        assert corpus.document_starts.tolist() == [0, len(expected[number][1])]
