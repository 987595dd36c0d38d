"""Batches of lines to tokens, and tokens to documents."""

import os

import apache_beam as beam
import numpy as np

from data_prep.document_pieces import edges, number_documents, pieces
from data_prep.on_beam import totals
from data_prep.pretraining_data import check_corpus
from data_prep.recipe import PretrainingData, recipe_of
from data_prep.token_store import encode_lines
from official import files


class Tokenize(beam.DoFn):
    """`(batch, lines)` → `(batch, tokens, lengths)` of `encode_lines`, and totals."""

    def __init__(self, options: PretrainingData):
        super().__init__()
        self._options = options

    def process(self, element):
        batch, lines = element
        tokens, lengths = encode_lines((self._options.tokenizer, lines))
        dtype, unk_id = recipe_of(self._options).token_dtype, recipe_of(self._options).unk_id
        yield beam.pvalue.TaggedOutput(
            totals.TAG,
            totals.of_corpus(
                sentences=np.count_nonzero(np.frombuffer(lengths, np.int64)),
                tokens=len(tokens) // dtype.itemsize,
                unknown=np.count_nonzero(np.frombuffer(tokens, dtype) == unk_id),
            ),
        )
        yield batch, tokens, lengths


class NumberDocuments(beam.DoFn):
    """The edges of all batches, in a list → the entry of each batch and the number of documents."""

    def __init__(self, name: str):
        super().__init__()
        self._name = name

    def process(self, batch_edges):
        entries, documents = number_documents(sorted(batch_edges))
        check_corpus(documents, self._name)
        yield beam.pvalue.TaggedOutput(totals.TAG, totals.of_corpus(documents=documents))
        yield entries, documents


class CutPieces(beam.DoFn):
    """Tokenized batches → `(document, (batch, tokens, lengths))`."""

    def __init__(self, options: PretrainingData):
        super().__init__()
        self._options = options

    def process(self, element, numbering):
        batch, tokens, lengths = element
        itemsize = recipe_of(self._options).token_dtype.itemsize
        for number, piece_tokens, piece_lengths in pieces(numbering[0][batch], tokens, lengths, itemsize):
            yield number, (batch, piece_tokens, piece_lengths)


class Documents(beam.PTransform):
    """Tokenized batches → `(document, (tokens, lengths))`, their number, and totals."""

    def __init__(self, options: PretrainingData, name: str):
        super().__init__()
        self._options, self._name = options, name

    def expand(self, batches):
        numbered = (
            batches
            | "edges" >> beam.Map(lambda element: (element[0], edges(element[2])))
            | "all edges" >> beam.combiners.ToList()
            | "number" >> beam.ParDo(NumberDocuments(self._name)).with_outputs(totals.TAG, main="numbering")
        )
        documents = (
            batches
            | "cut" >> beam.ParDo(CutPieces(self._options), beam.pvalue.AsSingleton(numbered.numbering))
            | "pieces of a document" >> beam.GroupByKey()
            | "assemble" >> beam.MapTuple(_assembled)
        )
        number = numbered.numbering | "how many" >> beam.Map(lambda numbering: numbering[1])
        return documents, number, numbered[totals.TAG]


def _assembled(number, document_pieces):
    _, tokens, lengths = zip(*sorted(document_pieces), strict=True)
    return number, (b"".join(tokens), b"".join(lengths))


class StoreBatch(beam.DoFn):
    """Tokenized batches → their names, the rest of them in files: one worker will read all in their order."""

    def __init__(self, directory: str):
        super().__init__()
        self._directory = directory

    def process(self, element):
        batch, tokens, lengths = element
        with files.write_whole(batch_path(self._directory, batch), "wb") as file:
            file.write(len(lengths).to_bytes(8, "little") + lengths + tokens)
        yield batch


def batch_path(directory: str, batch: tuple[int, int]) -> str:
    return os.path.join(directory, "batch-{}-{}".format(*batch))


def read_batch(directory: str, batch: tuple[int, int]) -> tuple[bytes, bytes]:
    """The tokens and lengths that `StoreBatch` wrote."""
    with files.open_file(batch_path(directory, batch), "rb") as file:
        size = int.from_bytes(file.read(8), "little")
        lengths = file.read(size)
        return file.read(), lengths
