"""Text to pretraining records: tokenize, make instances, shuffle, write.

As published the order of examples and every mask come from one stream of random numbers, and the phase that follows
this stream is sequential. Tokenizing before it and serializing after it are spread over processes, and what they return
does not depend on how many there are.
"""

import contextlib
import dataclasses
import os
import sys
import tempfile
import time
from collections.abc import Iterator

import numpy as np

from data_prep import compiled, mersenne, records
from data_prep.cursor import DOCUMENT, DUPLICATE, new_cursor
from data_prep.documents import Source
from data_prep.formats import fill
from data_prep.instances import Corpus, Counts, as_instances, new_counts
from data_prep.processes import Workers, workers
from data_prep.recipe import PretrainingData, Recipe, make_recipe
from data_prep.row_shuffle import RowShuffle, read_bucket
from data_prep.streams import PUBLISHED, Streams, document_streams, published_streams
from data_prep.summary import Summary
from data_prep.token_store import TokenizerOptions, TokenStore, write_store
from official import files
from official.errors import InputError
from official.progress import Progress
from official.tokenization import vocabulary_files
from official.tokenization.tokenizer import Tokenizer

INSTANCES_AT_A_TIME = 2048
TOKENS_SHOWN = 24


def create(options: PretrainingData, source: Source) -> Summary:
    """Makes the records.

    Raises:
        InputError: the vocabulary lacks a token, there is no text, or the output can't be written. Files of an earlier
            run are then untouched, and no temporary file is left.
    """
    start = time.monotonic()
    require_local_temp_dir(options)
    compiled.announce()
    tokenizer = options.tokenizer.make()
    recipe = make_recipe(options, tokenizer)
    beside = os.path.dirname(options.output_files[0]) or "."
    parent = options.temp_dir or (None if files.is_remote(beside) else beside)
    with temporary_directory(parent) as directory, workers(options.num_workers) as processes:
        in_each_process = _with_local_vocabulary(options.tokenizer, directory)
        store = write_store(directory, source.lines, source.total_bytes, in_each_process, processes)
        check_corpus(store.documents, source.name)
        if options.format.labels:
            warn_of_single_document(store.documents, source.name)
        rows = RowShuffle(directory, recipe.format.width, recipe.format.dtype, len(options.output_files))
        counts = draw(options, recipe, TokenStore(directory, recipe.token_dtype), rows)
        buckets = rows.buckets()
        if options.examples_shown and buckets[0]:
            first = read_bucket(buckets[0][0], rows.width, rows.dtype)
            show_examples(options, tokenizer, first[: options.examples_shown])
        _write_records(options, recipe, rows.rows, buckets, processes)
        return Summary(
            documents=store.documents,
            sentences=store.sentences,
            tokens=store.tokens,
            unknown=store.unknown,
            examples=rows.rows,
            example_format=options.example_format,
            max_seq_length=options.max_seq_length,
            counts=counts,
            seconds=time.monotonic() - start,
            output_files=options.output_files,
        )


def require_local_temp_dir(options: PretrainingData) -> None:
    """Refuses a remote directory for temporary files, which are memory-mapped."""
    if options.temp_dir and files.is_remote(options.temp_dir):
        raise InputError(
            f"--temp_dir: {options.temp_dir}: a local directory was expected: files in it are memory-mapped"
        )


@contextlib.contextmanager
def temporary_directory(parent: str | None) -> Iterator[str]:
    """A directory for the phases' files in `parent`, or in this machine's place for such.

    Raises:
        InputError: it can't be made or is full; `parent` is named.
    """
    parent = parent or tempfile.gettempdir()
    try:
        with tempfile.TemporaryDirectory(
            prefix=".pretraining-data-", dir=parent, ignore_cleanup_errors=True
        ) as directory:
            yield directory
    except OSError as error:
        raise InputError(f"{parent}: {files.describe_os_error(error)}") from error


def _with_local_vocabulary(tokenizer: TokenizerOptions, directory: str) -> TokenizerOptions:
    """The same from a copy of a remote vocabulary, which every process would import TensorFlow to read."""
    if not files.is_remote(tokenizer.vocab_file):
        return tokenizer
    path = os.path.join(directory, os.path.basename(tokenizer.vocab_file))
    for file in vocabulary_files.files_of(tokenizer.vocab_file):
        files.copy(file, os.path.join(directory, os.path.basename(file)))
    return dataclasses.replace(tokenizer, vocab_file=path)


def check_corpus(documents: int, name: str) -> None:
    """Refuses an empty corpus."""
    if documents == 0:
        raise InputError(f"{name}: no text in it: expected one sentence a line and an empty line between documents")


def warn_of_single_document(documents: int, name: str) -> None:
    if documents == 1:
        print(
            f"warning: {name}: only one document, so that every 'random' next sentence comes from it too and "
            "next-sentence labels mean little (an empty line between documents separates them)",
            file=sys.stderr,
        )


def draw(options: PretrainingData, recipe: Recipe, store: TokenStore, rows: RowShuffle) -> Counts:
    """Draws all instances and hands them to `rows`, with their places."""
    order = np.arange(len(store.document_starts) - 1, dtype=np.uint32)
    if options.random_streams != PUBLISHED:
        return _make_instances(recipe, document_streams(options.random_seed), store, order, rows)
    state = mersenne.seeded_state(options.random_seed)
    mersenne.shuffle(state, order)
    counts = _make_instances(recipe, published_streams(state), store, order, rows)
    rows.draw_places(state)
    return counts


def _make_instances(recipe: Recipe, streams: Streams, store: TokenStore, order: np.ndarray, rows: RowShuffle) -> Counts:
    corpus = Corpus(store.tokens, store.sentence_starts, store.document_starts, order, 0, len(order))
    cursor, counts, buffer = new_cursor(), new_counts(), recipe.new_rows(INSTANCES_AT_A_TIME)
    passes = (recipe.packing.dupe_factor, 1) if streams.per_document else (1, len(order))
    progress = Progress("making examples", len(order) * recipe.packing.dupe_factor, ("documents", 1))
    made, documents_done = INSTANCES_AT_A_TIME, 0
    while made == INSTANCES_AT_A_TIME:
        buffer[:] = 0
        made = fill(streams, cursor, corpus, recipe.vocabulary, recipe.packing, recipe.masking, buffer, counts)
        rows.append(buffer[:made])
        store.release()
        now_done = int(cursor[DOCUMENT] * passes[0] + cursor[DUPLICATE] * passes[1])
        progress.advance(now_done - documents_done)
        documents_done = now_done
    progress.finish()
    return counts


def _write_records(
    options: PretrainingData, recipe: Recipe, examples: int, buckets: list[list[str]], processes: Workers
) -> None:
    """Writes the records of each file, which all get their names when all are whole."""
    tasks = (
        records.Bucket(path, recipe.format, recipe.begins_word) for file_buckets in buckets for path in file_buckets
    )
    progress = Progress("writing", examples, ("examples", 1))
    serialized = processes.map(records.serialize_bucket, tasks)
    row_bytes = recipe.format.width * recipe.format.dtype.itemsize
    with contextlib.ExitStack() as stack:
        for path, file_buckets in zip(options.output_files, buckets, strict=True):
            output = stack.enter_context(files.write_whole(path, "wb"))
            for bucket in file_buckets:
                output.write(next(serialized))
                progress.advance(os.path.getsize(bucket) // row_bytes)
                os.remove(bucket)
    progress.finish()


def show_examples(options: PretrainingData, tokenizer: Tokenizer, rows: np.ndarray) -> None:
    """Prints examples on stderr, as the original logs its first ones."""
    instances = as_instances(rows, options.max_seq_length, options.max_predictions)
    for row in range(len(rows)):
        tokens = [tokenizer.tokens[i] for i in instances.input_ids[row, : min(instances.length[row], TOKENS_SHOWN)]]
        more = " …" if instances.length[row] > TOKENS_SHOWN else ""
        labels = [
            f"{position}:{tokenizer.tokens[label]}"
            for position, label in zip(instances.masked_lm_positions[row], instances.masked_lm_ids[row], strict=True)
        ]
        print(f"example {row}: {' '.join(tokens)}{more}", file=sys.stderr)
        said = [f"length={instances.length[row]}"]
        if options.format.labels is not None:
            said.insert(0, f"next_sentence_label={instances.pair_label[row]}")
        if not options.dynamic_masking:
            said.append(f"masked_lm={' '.join(labels[: instances.num_predictions[row]])}")
        print(f"  {' '.join(said)}", file=sys.stderr)
