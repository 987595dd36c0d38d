"""Text to pretraining records on a Beam runner: the files of the local path for the same flags.

With streams of each document's own, everything is spread: batches are tokenized, documents put together out of them
and planned, random next sentences fetched from where their documents are, and each output file is sorted and written
by one worker. With the published stream one worker draws all that is drawn, and the rest is spread.
"""

import base64
import json
import os
import sys
import time

import apache_beam as beam
import numpy as np

from data_prep.documents import TextSource
from data_prep.on_beam import totals
from data_prep.on_beam.drawing import DrawDocument, DrawPublished, FinishRandom
from data_prep.on_beam.running import parse_options, run, shared_directory
from data_prep.on_beam.text import ReadBatches, parts_of
from data_prep.on_beam.tokens import Documents, StoreBatch, Tokenize
from data_prep.on_beam.writing import Finish, WriteFile
from data_prep.pretraining_data import require_local_temp_dir, show_examples, warn_of_single_document
from data_prep.recipe import PretrainingData, recipe_of
from data_prep.streams import PUBLISHED
from data_prep.summary import Summary
from official import files


def create(options: PretrainingData, text: TextSource, runner: str, beam_options: str) -> Summary:
    """As `data_prep.pretraining_data.create`, on a runner.

    Raises:
        InputError: as there, or the pipeline failed. Files of an earlier run are then untouched, unless it failed while
            the new ones were given their names; each is whole in any case.
    """
    start = time.monotonic()
    require_local_temp_dir(options)
    pipeline_options = parse_options(runner, beam_options)
    parts, name = parts_of(text)
    recipe = recipe_of(options)
    print(f"running on {runner}, the text in parts: {len(parts):,}", file=sys.stderr, flush=True)
    with shared_directory(options.output_files[0]) as directory:
        report_path = os.path.join(directory, "report.json")

        def build(pipeline: beam.Pipeline) -> None:
            read = pipeline | ReadBatches(text, parts)
            tokenized = read | "tokenize" >> beam.ParDo(Tokenize(options)).with_outputs(totals.TAG, main="batches")
            draw = _published if options.random_streams == PUBLISHED else _per_document
            rows, sums = draw(options, directory, name, tokenized.batches)
            _write(options, directory, report_path, rows, [tokenized[totals.TAG], *sums])

        run(pipeline_options, build)
        with files.open_file(report_path) as file:
            report = json.load(file)
    corpus, counts = totals.split(report["totals"])
    if options.format.labels:
        warn_of_single_document(corpus["documents"], name)
    shown = np.frombuffer(base64.b64decode(report["shown"]), recipe.format.dtype).reshape(-1, recipe.format.width)
    show_examples(options, options.tokenizer.make(), shown)
    return Summary(
        **corpus,
        examples=report["examples"],
        example_format=options.example_format,
        max_seq_length=options.max_seq_length,
        counts=counts,
        seconds=time.monotonic() - start,
        output_files=options.output_files,
    )


def _published(options: PretrainingData, directory: str, name: str, batches):
    """Tokenized batches → rows and totals, drawn in one worker."""
    stored = batches | "store" >> beam.ParDo(StoreBatch(directory))
    drawn = (
        batches.pipeline
        | "begin" >> beam.Create([None])  # Also where there is no batch, which is then said.
        | "draw"
        >> beam.ParDo(DrawPublished(options, directory, name), beam.pvalue.AsList(stored)).with_outputs(
            totals.TAG, main="rows"
        )
    )
    return drawn.rows, [drawn[totals.TAG]]


def _per_document(options: PretrainingData, directory: str, name: str, batches):
    """Tokenized batches → rows and totals, drawn where the documents are."""
    documents, number, document_totals = batches | Documents(options, name)
    number = beam.pvalue.AsSingleton(number)
    drawn = documents | "draw" >> beam.ParDo(DrawDocument(options), number).with_outputs(
        DrawDocument.REQUESTS, totals.TAG, main="rows"
    )
    finished = (
        {"documents": documents, "requests": drawn[DrawDocument.REQUESTS]}
        | "requests of a document" >> beam.CoGroupByKey()
        | "finish" >> beam.ParDo(FinishRandom(options), number).with_outputs(totals.TAG, main="rows")
    )
    rows = (drawn.rows, finished.rows) | "all rows" >> beam.Flatten()
    return rows, [document_totals, drawn[totals.TAG], finished[totals.TAG]]


def _write(options: PretrainingData, directory: str, report_path: str, rows, sums) -> None:
    pipeline = rows.pipeline
    # Every file is written, also one that no row falls to.
    nothing = pipeline | "files" >> beam.Create([(file, b"") for file in range(len(options.output_files))])
    written = (
        (rows, nothing)
        | "rows and files" >> beam.Flatten()
        | "rows of a file" >> beam.GroupByKey()
        | "write" >> beam.ParDo(WriteFile(options, directory))
    )
    total = sums | "all totals" >> beam.Flatten() | "add up" >> beam.CombineGlobally(totals.add)
    _ = (
        pipeline
        | "end" >> beam.Create([None])
        | "finish files"
        >> beam.ParDo(Finish(options, report_path), beam.pvalue.AsList(written), beam.pvalue.AsSingleton(total))
    )
