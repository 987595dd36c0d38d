"""Text read on many workers: files are cut into parts, parts read into batches of lines."""

from typing import NamedTuple

import apache_beam as beam

from data_prep.documents import Stretch, TextSource
from data_prep.token_store import BATCH_CHARACTERS, batches
from official import files

PART_BYTES = 1 << 25


class Part(NamedTuple):
    """What one worker reads. Parts and the batches in them are numbered in the order of the text."""

    number: int
    stretch: Stretch | None  # None: all of a source that is no files


def parts_of(text: TextSource) -> tuple[list[Part], str]:
    """The parts of a text, and its name in messages.

    Raises:
        InputError: no source or several are given, or there is no such file.
    """
    paths = text.files()
    if paths is None:
        return [Part(0, None)], text.name(paths)
    stretches = [
        Stretch(path, start, start + PART_BYTES) for path in paths for start in range(0, files.size(path), PART_BYTES)
    ]
    return [Part(number, stretch) for number, stretch in enumerate(stretches)], text.name(paths)


class ReadBatches(beam.PTransform):
    """Parts → `((part, batch), lines)`, spread over the workers."""

    def __init__(self, text: TextSource, parts: list[Part]):
        super().__init__()
        self._text, self._parts = text, parts

    def expand(self, begin):
        return (
            begin
            | "parts" >> beam.Create(self._parts)
            | "spread parts" >> beam.Reshuffle()
            | "read" >> beam.ParDo(_Read(self._text))
            | "spread batches" >> beam.Reshuffle()
        )


class _Read(beam.DoFn):
    def __init__(self, text: TextSource):
        super().__init__()
        self._text = text

    def process(self, part):
        lines = self._text.lines_of_no_file() if part.stretch is None else self._text.lines([part.stretch])
        for number, batch in enumerate(batches(lines, BATCH_CHARACTERS)):
            yield (part.number, number), batch
