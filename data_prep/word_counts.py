"""How often each word stands in a corpus: all that learning a vocabulary needs to know of it."""

import collections
import functools
import itertools
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from data_prep.processes import Workers
from official.progress import Progress
from official.tokenization import basic
from official.tokenization.byte_level import CHUNKS, clean, split_words
from official.tokenization.memory import Memory

BATCH_CHARACTERS = 1_000_000
MOST_WORDS = 4_000_000  # Different ones, in about 600 MB.
LONGEST_WORD = 200  # WordPiece makes [UNK] of longer ones, and to byte-level BPE they teach nothing.


class Words(NamedTuple):
    """What is counted: the words of the published basic tokenizer, or those of byte-level BPE.

    lower_case, strip_accents: as the tokenizer that will use the vocabulary; byte-level BPE leaves text as it is.
    """

    lower_case: bool = True
    strip_accents: bool | None = None
    byte_level: bool = False


def count_words(
    lines: Iterable[str],
    *,
    lower_case: bool = True,
    strip_accents: bool | None = None,
    byte_level: bool = False,
    workers: Workers,
    progress: Progress | None = None,
) -> collections.Counter[str]:
    """Counts words, described as `Words` are; none reaches over a line.

    The result depends neither on the number of processes nor on the order of the lines, except where a corpus has more
    than MOST_WORDS different words: then the rarest are forgotten on the way.
    """
    counts = collections.Counter()
    count = functools.partial(count_batch, Words(lower_case, strip_accents, byte_level))
    for batch_counts, size in workers.map(count, _batches(lines)):
        counts.update(batch_counts)
        forget_rarest(counts)
        if progress:
            progress.advance(size)
    return counts


def _batches(lines: Iterable[str]) -> Iterator[str]:
    batch, size = [], 0
    for line in lines:
        batch.append(line)
        size += len(line) + 1
        if size >= BATCH_CHARACTERS:
            yield "\n".join(batch)
            batch, size = [], 0
    if batch:
        yield "\n".join(batch)


@functools.cache
def _words_of(words: Words) -> Memory:
    """chunk → its words; one for a process."""
    if words.byte_level:
        return Memory(split_words)
    return Memory(basic.BasicTokenizer(lower_case=words.lower_case, strip_accents=words.strip_accents).split_words)


def _split_chunks(words: Words, text: str) -> Iterable[str]:
    if words.byte_level:
        return itertools.chain.from_iterable(map(CHUNKS.findall, clean(text).split("\n")))
    return basic.split_chunks(text)


def count_batch(words: Words, text: str) -> tuple[dict[str, int], int]:
    """The words of a batch with their counts, and how many bytes of text it was."""
    words_of, counts = _words_of(words), collections.defaultdict(int)
    for chunk, count in collections.Counter(_split_chunks(words, text)).items():
        for word in words_of[chunk]:
            counts[word] += count
    long = [word for word in counts if len(word) > LONGEST_WORD]
    for word in long:
        del counts[word]
    return dict(counts), len(text.encode("utf-8", errors="ignore"))


def forget_rarest(counts: collections.Counter[str]) -> None:
    """Halves the words where there are more than MOST_WORDS different ones."""
    if len(counts) <= MOST_WORDS:
        return
    rare = 0
    while len(counts) > MOST_WORDS // 2:
        rare += 1
        for word in [word for word, count in counts.items() if count <= rare]:
            del counts[word]
