"""Documents to rows, `(file, rows)`: in one worker as published, or each document wherever it is."""

from collections.abc import Iterable, Iterator

import apache_beam as beam
import numpy as np

from data_prep.cursor import new_cursor
from data_prep.document_pieces import corpus_of_document
from data_prep.formats import finish_instances, plan_instances
from data_prep.instances import A_END, A_START, PLAN_FIELDS, RANDOM_DOCUMENT, Corpus, new_counts
from data_prep.on_beam import totals
from data_prep.on_beam.tokens import read_batch
from data_prep.pretraining_data import INSTANCES_AT_A_TIME, check_corpus, draw, temporary_directory
from data_prep.recipe import PretrainingData, recipe_of
from data_prep.row_shuffle import RowShuffle, files_of
from data_prep.streams import document_streams
from data_prep.token_store import TokenStore, TokenStoreWriter

ROWS_IN_ELEMENT = 8192  # About 3 MB: runners take no elements of any size.


class DrawPublished(beam.DoFn):
    """Anything, and the names of all stored batches → rows, on the disk of one worker."""

    def __init__(self, options: PretrainingData, directory: str, name: str):
        super().__init__()
        self._options, self._directory, self._name = options, directory, name

    def process(self, _, batches):
        options, recipe = self._options, recipe_of(self._options)
        with temporary_directory(options.temp_dir) as scratch:
            store = TokenStoreWriter(scratch, recipe.token_dtype, recipe.unk_id)
            for batch in sorted(batches):
                store.append(*read_batch(self._directory, batch))
            store.close()
            check_corpus(store.documents, self._name)
            yield beam.pvalue.TaggedOutput(totals.TAG, totals.of_corpus(documents=store.documents))
            num_files = len(options.output_files)
            rows = RowShuffle(scratch, recipe.format.width, recipe.format.dtype, num_files)
            counts = draw(options, recipe, TokenStore(scratch, recipe.token_dtype), rows)
            yield beam.pvalue.TaggedOutput(totals.TAG, totals.of_counts(counts))
            for drained, _ in rows.drain():
                for first in range(0, len(drained), ROWS_IN_ELEMENT):
                    yield from _by_file(drained[first : first + ROWS_IN_ELEMENT], num_files)


class DrawDocument(beam.DoFn):
    """A document → rows; what needs a random next sentence goes out as `(other document, (plans, tokens of A))`."""

    REQUESTS = "requests"

    def __init__(self, options: PretrainingData):
        super().__init__()
        self._options = options

    def process(self, element, num_documents):
        number, (tokens, lengths) = element
        options, recipe = self._options, recipe_of(self._options)
        corpus = corpus_of_document(tokens, lengths, recipe.token_dtype, number, num_documents)
        streams, cursor, counts = document_streams(options.random_seed), new_cursor(), new_counts()
        plans, made = np.empty((INSTANCES_AT_A_TIME, PLAN_FIELDS), np.int64), INSTANCES_AT_A_TIME
        while made == INSTANCES_AT_A_TIME:
            made = plan_instances(streams, cursor, corpus, recipe.packing, plans, counts)
            is_random = plans[:made, RANDOM_DOCUMENT] >= 0
            yield from _finished(options, plans[:made][~is_random], corpus.tokens, corpus, counts)
            for plan in plans[:made][is_random]:
                segment_a = corpus.tokens[plan[A_START] : plan[A_END]]
                request = plan.tobytes(), segment_a.tobytes()
                yield beam.pvalue.TaggedOutput(self.REQUESTS, (int(plan[RANDOM_DOCUMENT]), request))
        yield beam.pvalue.TaggedOutput(totals.TAG, totals.of_counts(counts))


class FinishRandom(beam.DoFn):
    """A document and the requests for random sentences of it → rows."""

    def __init__(self, options: PretrainingData):
        super().__init__()
        self._options = options

    def process(self, element, num_documents):
        number, grouped = element
        (document,) = grouped["documents"]
        dtype, counts = recipe_of(self._options).token_dtype, new_counts()
        corpus = corpus_of_document(*document, dtype, number, num_documents)
        for requests in _chunks(grouped["requests"], INSTANCES_AT_A_TIME):
            plans = np.frombuffer(b"".join(plan for plan, _ in requests), np.int64).reshape(-1, PLAN_FIELDS).copy()
            tokens_a = np.frombuffer(b"".join(tokens for _, tokens in requests), dtype)
            plans[:, A_END] = np.cumsum(plans[:, A_END] - plans[:, A_START])
            plans[:, A_START] = np.concatenate([[0], plans[:-1, A_END]])
            yield from _finished(self._options, plans, tokens_a, corpus, counts)
        yield beam.pvalue.TaggedOutput(totals.TAG, totals.of_counts(counts))


def _finished(
    options: PretrainingData, plans: np.ndarray, tokens_a: np.ndarray, corpus: Corpus, counts
) -> Iterator[tuple[int, bytes]]:
    if not len(plans):
        return
    recipe, streams = recipe_of(options), document_streams(options.random_seed)
    rows = recipe.new_rows(len(plans))
    finish_instances(
        streams, plans, tokens_a, corpus, 0, recipe.vocabulary, recipe.packing, recipe.masking, rows, counts
    )
    yield from _by_file(rows, len(options.output_files))


def _by_file(rows: np.ndarray, num_files: int) -> Iterator[tuple[int, bytes]]:
    row_files = files_of(rows, num_files)
    order = np.argsort(row_files, kind="stable")
    starts = np.flatnonzero(np.diff(row_files[order], prepend=-1))
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        yield int(row_files[order[start]]), rows[order[start:end]].tobytes()


def _chunks(items: Iterable, size: int) -> Iterator[list]:
    chunk = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
