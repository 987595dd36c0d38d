"""Words counted on a Beam runner, for a vocabulary."""

import collections
import json
import os
import zlib

import apache_beam as beam

from data_prep.documents import TextSource
from data_prep.on_beam.running import parse_options, run, shared_directory
from data_prep.on_beam.text import ReadBatches, parts_of
from data_prep.word_counts import Words, count_batch, forget_rarest
from official import files

RESULT_FILES = 16


def count_words(
    text: TextSource,
    *,
    lower_case: bool = True,
    strip_accents: bool | None = None,
    byte_level: bool = False,
    runner: str,
    beam_options: str,
    output: str,
) -> tuple[collections.Counter[str], str]:
    """As `word_counts.count_words`; where that forgets the rarest of very many words, other ones may be forgotten.

    Args:
        output: beside it is the directory through which workers hand on their counts.

    Returns:
        The counts, and the text's name for messages.
    """
    options = parse_options(runner, beam_options)
    parts, name = parts_of(text)
    with shared_directory(output) as directory:

        def build(pipeline: beam.Pipeline) -> None:
            (
                pipeline
                | ReadBatches(text, parts)
                | "count" >> beam.ParDo(_Count(Words(lower_case, strip_accents, byte_level)))
                | "add up" >> beam.CombinePerKey(sum)
                | "by file" >> beam.Map(lambda word: (zlib.crc32(word[0].encode()) % RESULT_FILES, word))
                | "gather" >> beam.GroupByKey()
                | "write" >> beam.ParDo(_Write(directory))
            )

        run(options, build)
        counts = collections.Counter()
        for number in range(RESULT_FILES):
            path = _result(directory, number)
            if files.exists(path):
                with files.open_file(path) as file:
                    counts.update(json.load(file))
                forget_rarest(counts)
    return counts, name


def _result(directory: str, number: int) -> str:
    return os.path.join(directory, f"counts-{number}.json")


class _Count(beam.DoFn):
    def __init__(self, words: Words):
        super().__init__()
        self._words = words

    def process(self, batch):
        counts, _ = count_batch(self._words, "\n".join(batch[1]))
        yield from counts.items()


class _Write(beam.DoFn):
    def __init__(self, directory: str):
        super().__init__()
        self._directory = directory

    def process(self, gathered):
        number, counts = gathered
        with files.write_whole(_result(self._directory, number)) as file:
            json.dump(dict(counts), file)
