"""What a run of create_pretraining_data.py made, in a few lines."""

import dataclasses

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
    max_seq_length: int
    counts: Counts
    seconds: float
    output_files: list[str]

    def report(self) -> str:
        """A line for each thing one asks of training data."""
        counts = self.counts
        full, short = counts.instances
        following, random = counts.next_sentence
        room = self.examples * self.max_seq_length
        lines = [
            f"corpus: {self.documents:,} documents, {self.sentences:,} sentences, {self.tokens:,} tokens, "
            f"{_share(self.unknown, self.tokens)} of them [UNK]",
            f"examples: {self.examples:,} of up to {self.max_seq_length} tokens, {counts.tokens[0]:,} tokens in all, "
            f"{_share(room - counts.tokens[0], room)} padding",
            f"short sequences: {_share(counts.targets[1], counts.targets.sum())} of documents were packed to a shorter "
            f"length, giving {_share(short, full + short)} of the examples",
            f"next sentence: {_share(following, self.examples)} follows, {_share(random, self.examples)} random"
            + (
                f" ({_share(counts.same_document[0], random)} of these from the same document)"
                if counts.same_document[0]
                else ""
            ),
            self._masks(),
            f"{self.seconds:.1f} seconds; wrote {self._files()}",
        ]
        return "\n".join(lines)

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
