"""Tokenized documents on disk: however large the corpus, what is in memory is a batch of it.

Three flat files: the ids of all tokens one after another, where each sentence begins among them, and where each
document begins among the sentences.
"""

import collections
import dataclasses
import functools
import itertools
import mmap
import os
from collections.abc import Iterable, Iterator

import numpy as np

from data_prep.processes import Workers
from data_prep.word_table import LINE_IS_EMPTY, WordTable
from official.progress import Progress
from official.tokenization.tokenizer import Tokenizer
from official.tokenization.vocabulary_files import read_vocabulary_file

BATCH_CHARACTERS = 1_000_000
FILES = ("tokens", "sentence_starts", "document_starts")
KEPT_BYTES = 1 << 27  # A smaller store stays in memory once it has been read: reading pages again takes time.
DOCUMENT_END = LINE_IS_EMPTY


@dataclasses.dataclass(frozen=True)
class TokenizerOptions:
    """From what a process makes its tokenizer. `strip_accents` None follows `lower_case`, as published."""

    vocab_file: str
    lower_case: bool = True
    strip_accents: bool | None = None

    def make(self) -> Tokenizer:
        return read_vocabulary_file(self.vocab_file, lower_case=self.lower_case, strip_accents=self.strip_accents)


def token_dtype(vocab_size: int) -> np.dtype:
    """The smallest type that holds every id."""
    return np.dtype(np.uint16 if vocab_size <= 1 << 16 else np.uint32)


class LineByLine:
    """Lines tokenized one by one, for pieces that are not of BERT's words; as `WordTable`."""

    def __init__(self, tokenizer: Tokenizer, dtype: np.dtype):
        self.tokenizer, self.dtype = tokenizer, dtype

    def encode(self, text: bytes) -> tuple[np.ndarray, np.ndarray]:
        """As `WordTable.encode`; a line goes on from the one before, as behind a space."""
        rows, lengths = [], []
        for line in text.decode("utf-8", "surrogatepass").split("\n")[:-1]:
            ids = self.tokenizer.encode(" " + line) if line else []
            if ids or not line:
                rows.append(np.array(ids, self.dtype))
                lengths.append(len(ids) if line else LINE_IS_EMPTY)
        return np.concatenate(rows) if rows else np.zeros(0, self.dtype), np.array(lengths, np.int64)


@functools.lru_cache(maxsize=1)
def _encoder(options: TokenizerOptions) -> WordTable | LineByLine:
    tokenizer = options.make()
    make = LineByLine if tokenizer.basic is None else WordTable
    return make(tokenizer, token_dtype(tokenizer.vocab_size))


def encode_lines(task: tuple[TokenizerOptions, list[str]]) -> tuple[bytes, bytes]:
    """Tokenizes lines, of which an empty one ends a document; a line without tokens is passed over.

    Returns:
        The ids, of `token_dtype`, and the lengths of the sentences in tokens, int64, with `DOCUMENT_END` between
        documents.
    """
    options, lines = task
    text = "\n".join([*(line.strip().replace("\n", " ") for line in lines), ""])
    tokens, lengths = _encoder(options).encode(text.encode("utf-8", "surrogatepass"))
    return tokens.tobytes(), lengths.tobytes()


def batches(lines: Iterable[str], characters: int) -> Iterator[list[str]]:
    """Groups lines until they hold about so many characters. A batch depends on the lines alone."""
    lines = iter(lines)
    for first in lines:
        batch, room = [first], characters - len(first)
        while room > 0:
            more = list(itertools.islice(lines, 1 + room // 200))
            if not more:
                break
            batch += more
            room -= sum(map(len, more))
        yield batch


def _size_in_file(line: str) -> int:
    return 1 + (len(line) if line.isascii() else len(line.encode("utf-8", "replace")))


class TokenStoreWriter:
    """Appends tokenized batches to the files of a store in `directory`."""

    def __init__(self, directory: str, dtype: np.dtype, unk_id: int):
        self._dtype, self._unk_id = dtype, unk_id
        self._files = {name: open(os.path.join(directory, name), "wb") for name in FILES}
        self.tokens = self.sentences = self.documents = self.unknown = 0
        self._document_start = 0
        self._files["sentence_starts"].write(np.int64(0).tobytes())
        self._files["document_starts"].write(np.int64(0).tobytes())

    def append(self, tokens: bytes, lengths: bytes) -> None:
        """Adds what `encode_lines` returned."""
        lengths = np.frombuffer(lengths, np.int64)
        is_end = lengths == DOCUMENT_END
        self._files["tokens"].write(tokens)
        self._files["sentence_starts"].write((self.tokens + np.cumsum(lengths[~is_end])).tobytes())
        self._end_documents(self.sentences + np.cumsum(~is_end)[is_end])
        self.unknown += int(np.count_nonzero(np.frombuffer(tokens, self._dtype) == self._unk_id))
        self.tokens += int(lengths.sum())
        self.sentences += int(np.count_nonzero(~is_end))

    def _end_documents(self, ends: np.ndarray) -> None:
        """Ends a document before each of these sentences, unless there is nothing in it."""
        ends = ends[np.diff(ends, prepend=self._document_start) > 0]
        if len(ends):
            self._files["document_starts"].write(ends.astype(np.int64).tobytes())
            self._document_start = int(ends[-1])
            self.documents += len(ends)

    def close(self) -> None:
        self._end_documents(np.array([self.sentences]))
        for file in self._files.values():
            file.close()


class TokenStore:
    """The arrays of a finished, non-empty store, mapped from its files and not held in memory."""

    def __init__(self, directory: str, dtype: np.dtype):
        self._mappings = []
        self.tokens = self._map(os.path.join(directory, "tokens"), dtype)
        self.sentence_starts = self._map(os.path.join(directory, "sentence_starts"), np.int64)
        self.document_starts = self._map(os.path.join(directory, "document_starts"), np.int64)

    def _map(self, path: str, dtype) -> np.ndarray:
        with open(path, "rb") as file:
            mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._mappings.append(mapping)
        return np.frombuffer(mapping, dtype)

    def release(self) -> None:
        """Gives back the memory of the pages of a large store that have been read; they are read again when needed."""
        if hasattr(mmap, "MADV_DONTNEED") and sum(map(len, self._mappings)) > KEPT_BYTES:
            for mapping in self._mappings:
                mapping.madvise(mmap.MADV_DONTNEED)


def write_store(
    directory: str, lines: Iterable[str], total_bytes: int | None, options: TokenizerOptions, workers: Workers
) -> TokenStoreWriter:
    """Tokenizes lines into a store.

    Args:
        lines: sentences, and an empty one between documents.
        total_bytes: how much there is of them, for the progress line.

    Returns:
        The closed writer, which knows how many tokens, sentences, documents and [UNK] there were.
    """
    tokenizer = options.make()
    writer = TokenStoreWriter(directory, token_dtype(tokenizer.vocab_size), tokenizer.unk_id)
    progress = Progress("tokenizing", total_bytes, ("MB", 1e6))
    sizes = collections.deque()

    def tasks():
        for batch in batches(lines, BATCH_CHARACTERS):
            sizes.append(sum(map(_size_in_file, batch)))
            yield options, batch

    for tokens, lengths in workers.map(encode_lines, tasks()):
        writer.append(tokens, lengths)
        progress.advance(sizes.popleft())
    writer.close()
    progress.finish()
    return writer
