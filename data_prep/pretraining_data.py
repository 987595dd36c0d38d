"""Text to pretraining records: tokenize, make instances, shuffle, write.

The order of examples and every mask come from one stream of random numbers, as published; only the phase that follows
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

from data_prep import mersenne, records
from data_prep.documents import Source
from data_prep.instances import (
    DOCUMENT,
    DUPLICATE,
    SPECIAL_TOKENS,
    Corpus,
    Counts,
    Masking,
    Packing,
    Vocabulary,
    as_instances,
    fill,
    new_counts,
    new_cursor,
    row_width,
)
from data_prep.masking import predictions_by_length
from data_prep.processes import Workers, workers
from data_prep.row_shuffle import RowShuffle, read_bucket
from data_prep.summary import Summary
from data_prep.token_store import TokenizerOptions, TokenStore, token_dtype, write_store
from official import files
from official.errors import InputError
from official.progress import Progress
from official.tokenization.wordpiece import WordPieceTokenizer

INSTANCES_AT_A_TIME = 2048
TOKENS_SHOWN = 24


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainingData:
    """What is made: the flags of the original, with its defaults, and what was added to them."""

    output_files: list[str]
    tokenizer: TokenizerOptions
    max_seq_length: int = 128
    max_predictions_per_seq: int = 20
    random_seed: int = 12345
    dupe_factor: int = 10
    masked_lm_prob: float = 0.15
    short_seq_prob: float = 0.1
    do_whole_word_mask: bool = False
    dynamic_masking: bool = False
    compression: str = ""
    num_workers: int = 1
    examples_shown: int = 0
    temp_dir: str | None = None  # Default: beside the output.

    @property
    def max_predictions(self) -> int:
        return 0 if self.dynamic_masking else self.max_predictions_per_seq

    @property
    def num_columns(self) -> int:
        return row_width(self.max_seq_length, self.max_predictions)


def create(options: PretrainingData, source: Source) -> Summary:
    """Makes the records.

    Raises:
        InputError: the vocabulary lacks a token, there is no text, or the output can't be written. Files of an earlier
            run are then untouched, and no temporary file is left.
    """
    start = time.monotonic()
    tokenizer = options.tokenizer.make()
    tokenizer.require("[CLS]", "[SEP]", "[MASK]", "[UNK]")
    with _temporary_directory(options) as directory, workers(options.num_workers) as processes:
        in_each_process = _with_local_vocabulary(options.tokenizer, directory)
        store = write_store(directory, source.lines, source.total_bytes, in_each_process, processes)
        _check_corpus(store.documents, source.name)
        state = mersenne.seeded_state(options.random_seed)
        dtype = np.promote_types(token_dtype(tokenizer.vocab_size), token_dtype(options.max_seq_length + 1))
        rows = RowShuffle(directory, options.num_columns, dtype)
        tokens = TokenStore(directory, token_dtype(tokenizer.vocab_size))
        counts = _make_instances(options, tokenizer, tokens, state, rows)
        buckets = rows.shuffle(state)
        _show_examples(options, tokenizer, rows, buckets[0], source.name)
        _write_records(options, tokenizer, rows, buckets, processes)
        return Summary(
            documents=store.documents,
            sentences=store.sentences,
            tokens=store.tokens,
            unknown=store.unknown,
            examples=rows.rows,
            max_seq_length=options.max_seq_length,
            counts=counts,
            seconds=time.monotonic() - start,
            output_files=options.output_files,
        )


@contextlib.contextmanager
def _temporary_directory(options: PretrainingData) -> Iterator[str]:
    """A directory for the phases' files; where it stands is named when it can't be made or is full."""
    if options.temp_dir and files.is_remote(options.temp_dir):
        raise InputError(
            f"--temp_dir: {options.temp_dir}: a local directory was expected: files in it are memory-mapped"
        )
    beside = os.path.dirname(options.output_files[0]) or "."
    parent = options.temp_dir or (tempfile.gettempdir() if files.is_remote(beside) else beside)
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
    path = os.path.join(directory, "vocab.txt")
    files.copy(tokenizer.vocab_file, path)
    return dataclasses.replace(tokenizer, vocab_file=path)


def _check_corpus(documents: int, name: str) -> None:
    if documents == 0:
        raise InputError(f"{name}: no text in it: expected one sentence a line and an empty line between documents")
    if documents == 1:
        print(
            f"warning: {name}: only one document, so that every 'random' next sentence comes from it too and "
            "next-sentence labels mean little (an empty line between documents separates them)",
            file=sys.stderr,
        )


def _make_instances(
    options: PretrainingData, tokenizer: WordPieceTokenizer, store: TokenStore, state: np.ndarray, rows: RowShuffle
) -> Counts:
    """Draws all instances in the published order and hands them to `rows`."""
    order = np.arange(len(store.document_starts) - 1, dtype=np.uint32)
    mersenne.shuffle(state, order)
    corpus = Corpus(store.tokens, store.sentence_starts, store.document_starts, order)
    vocabulary = Vocabulary(
        np.array(list(tokenizer.vocab.values()), np.int64),
        np.asarray(tokenizer.continuation),
        tokenizer.cls_id,
        tokenizer.sep_id,
        tokenizer.mask_id,
    )
    packing = Packing(
        options.max_seq_length - SPECIAL_TOKENS,
        options.max_predictions,
        float(options.short_seq_prob),
        options.dupe_factor,
    )
    masking = Masking(
        not options.dynamic_masking,
        options.do_whole_word_mask,
        predictions_by_length(options.max_seq_length, options.masked_lm_prob, options.max_predictions_per_seq),
    )

    cursor, counts = new_cursor(), new_counts()
    buffer = np.zeros((INSTANCES_AT_A_TIME, options.num_columns), rows.dtype)
    progress = Progress("making examples", len(order) * options.dupe_factor, ("documents", 1))
    made, documents_done = INSTANCES_AT_A_TIME, 0
    while made == INSTANCES_AT_A_TIME:
        buffer[:] = 0
        made = fill(state, cursor, corpus, vocabulary, packing, masking, buffer, counts)
        rows.append(buffer[:made])
        store.release()
        progress.advance(int(cursor[DUPLICATE] * len(order) + cursor[DOCUMENT]) - documents_done)
        documents_done = int(cursor[DUPLICATE] * len(order) + cursor[DOCUMENT])
    progress.finish()
    return counts


def _write_records(
    options: PretrainingData, tokenizer: WordPieceTokenizer, rows: RowShuffle, buckets: list[str], processes: Workers
) -> None:
    """Writes the records round-robin over the output files, which get their names when all are whole."""
    record_format = records.RecordFormat(
        options.max_seq_length,
        options.max_predictions,
        rows.dtype,
        rows.width,
        len(options.output_files),
        options.compression,
    )
    continuation = np.asarray(tokenizer.continuation)
    tasks = (
        records.Bucket(path, number * rows.bucket_rows, record_format, continuation)
        for number, path in enumerate(buckets)
    )
    progress = Progress("writing", rows.rows, ("examples", 1))
    with contextlib.ExitStack() as stack:
        outputs = [stack.enter_context(files.write_whole(path, "wb")) for path in options.output_files]
        for number, parts in enumerate(processes.map(records.serialize_bucket, tasks)):
            for output, part in zip(outputs, parts, strict=True):
                output.write(part)
            os.remove(buckets[number])
            progress.advance(min(rows.bucket_rows, rows.rows - number * rows.bucket_rows))
    progress.finish()


def _show_examples(
    options: PretrainingData, tokenizer: WordPieceTokenizer, rows: RowShuffle, first_bucket: str, name: str
) -> None:
    """Prints the first examples on stderr, as the original logs them."""
    if not options.examples_shown:
        return
    shown = read_bucket(first_bucket, rows.width, rows.dtype)[: options.examples_shown]
    instances = as_instances(shown, options.max_seq_length, options.max_predictions)
    for row in range(len(shown)):
        tokens = [tokenizer.tokens[i] for i in instances.input_ids[row, : min(instances.length[row], TOKENS_SHOWN)]]
        more = " …" if instances.length[row] > TOKENS_SHOWN else ""
        labels = [
            f"{position}:{tokenizer.tokens[label]}"
            for position, label in zip(instances.masked_lm_positions[row], instances.masked_lm_ids[row], strict=True)
        ]
        print(f"example {row}: {' '.join(tokens)}{more}", file=sys.stderr)
        print(
            f"  next_sentence_label={instances.is_random_next[row]} length={instances.length[row]} "
            f"masked_lm={' '.join(labels[: instances.num_predictions[row]])}",
            file=sys.stderr,
        )
