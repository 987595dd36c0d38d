"""What a run of create_pretraining_data.py made, in a few lines."""

import dataclasses

from data_prep.formats import FORMATS
from data_prep.instances import Counts
from data_prep.masking import KEPT, MASKED, REPLACED


@dataclasses.dataclass(frozen=True, kw_only=True)
class Summary:
    """Sizes of the corpus and of what was made from it."""

    documents: int
    sentences: int
    tokens: int  # of the corpus
    unknown: int  # of them [UNK]
    examples: int
    example_format: str
    max_seq_length: int
    counts: Counts
    seconds: float
    output_files: list[str]

    def report(self) -> str:
        """A line for each thing one asks of training data."""
        counts = self.counts
        room = self.examples * self.max_seq_length
        lines = [
            f"corpus: {self.documents:,} documents, {self.sentences:,} sentences, {self.tokens:,} tokens, "
            f"{_share(self.unknown, self.tokens)} of them [UNK]",
            f"examples: {self.examples:,} of up to {self.max_seq_length} tokens, {counts.tokens[0]:,} tokens in all, "
            f"{_share(room - counts.tokens[0], room)} padding",
            *self._short_sequences(),
            *self._labels(),
            self._masks(),
            f"{self.seconds:.1f} seconds; wrote {self._files()}",
        ]
        return "\n".join(lines)

    def _short_sequences(self) -> list[str]:
        targets, (full, short) = self.counts.targets, self.counts.instances
        if not targets.sum():
            return []
        if self.example_format == "electra":
            return [f"short sequences: {_share(targets[1], targets.sum())} of the examples aim at a shorter length"]
        return [
            f"short sequences: {_share(targets[1], targets.sum())} of documents were packed to a shorter "
            f"length, giving {_share(short, full + short)} of the examples"
        ]

    def _labels(self) -> list[str]:
        names, counts = FORMATS[self.example_format].labels, self.counts
        if names is None:
            return []
        shares = [f"{_share(count, self.examples)} {name}" for count, name in zip(counts.pair_labels, names)]
        notes = []
        if self.example_format == "sentence_order" and counts.alone[0]:
            alone = _share(counts.alone[0], counts.pair_labels[1])
            notes.append(f"{alone} of these with random text, since nothing followed")
        if counts.same_document[0]:
            random = counts.alone[0] if self.example_format == "sentence_order" else counts.pair_labels[1]
            notes.append(f"{_share(counts.same_document[0], random)} of these from the same document")
        said = "sentence order" if self.example_format == "sentence_order" else "next sentence"
        return [f"{said}: {', '.join(shares)}" + (f" ({'; '.join(notes)})" if notes else "")]

    def _masks(self) -> str:
        fates, predictions = self.counts.fates, int(self.counts.fates.sum())
        if not predictions:
            return "masks: none, to be drawn while training"
        return (
            f"masks: {predictions:,} tokens to predict ({_share(predictions, self.counts.tokens[0])} of all), "
            f"{_share(fates[MASKED], predictions)} [MASK], {_share(fates[KEPT], predictions)} kept, "
            f"{_share(fates[REPLACED], predictions)} replaced"
        )

    def _files(self) -> str:
        first, count = self.output_files[0], len(self.output_files)
        return first if count == 1 else f"{count} files, {first} to {self.output_files[-1]}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.2f} %"
