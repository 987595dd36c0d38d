"""How often each word stands in a corpus: all that learning a vocabulary needs to know of it."""

import collections
import functools
from collections.abc import Iterable, Iterator

from data_prep.processes import Workers
from official.progress import Progress
from official.tokenization import basic
from official.tokenization.memory import Memory

BATCH_CHARACTERS = 1_000_000
MOST_WORDS = 4_000_000  # Different ones, in about 600 MB.
LONGEST_WORD = 200  # WordPiece makes [UNK] of longer ones.


def count_words(
    lines: Iterable[str],
    *,
    lower_case: bool,
    strip_accents: bool | None,
    workers: Workers,
    progress: Progress | None = None,
) -> collections.Counter[str]:
    """Counts the words of the published basic tokenizer.

    The result depends neither on the number of processes nor on the order of the lines, except where a corpus has more
    than MOST_WORDS different words: then the rarest are forgotten on the way.
    """
    counts = collections.Counter()
    count = functools.partial(count_batch, lower_case, strip_accents)
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
def _words_of(lower_case: bool, strip_accents: bool | None) -> Memory:
    """chunk → its words; one for a process."""
    return Memory(basic.BasicTokenizer(lower_case=lower_case, strip_accents=strip_accents).split_words)


def count_batch(lower_case: bool, strip_accents: bool | None, text: str) -> tuple[dict[str, int], int]:
    """The words of a batch with their counts, and how many bytes of text it was."""
    words_of, counts = _words_of(lower_case, strip_accents), collections.defaultdict(int)
    for chunk, count in collections.Counter(basic.split_chunks(text)).items():
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
