"""What is in records of pretraining, seen on some of them: padding, masks, pairs."""

import dataclasses
from collections.abc import Iterable, Mapping

import numpy as np

from official.tokenization.tokenizer import Tokenizer


@dataclasses.dataclass
class PretrainingSample:
    """Sums over examples.

    Attributes:
        examples, tokens: how many, padding included.
        real: tokens that are not padding.
        unknown: those of them that are [UNK].
        predictions: positions that are predicted.
        masked, kept: those of them that are read as [MASK], and as what they are.
        full: examples with as many predictions as there is room for.
        not_next: examples whose second segment does not follow the first.
    """

    examples: int = 0
    tokens: int = 0
    real: int = 0
    unknown: int = 0
    predictions: int = 0
    masked: int = 0
    kept: int = 0
    full: int = 0
    not_next: int = 0

    def add(self, batch: Mapping[str, np.ndarray], tokenizer: Tokenizer | None) -> None:
        """Adds a batch of the seven features of a record."""
        ids, real, counted = batch["input_ids"], batch["input_mask"] > 0, batch["masked_lm_weights"] > 0
        read = np.take_along_axis(ids, batch["masked_lm_positions"], axis=1)  # [B, P]
        self.examples += len(ids)
        self.tokens += ids.size
        self.real += int(real.sum())
        self.predictions += int(counted.sum())
        self.kept += int((counted & (read == batch["masked_lm_ids"])).sum())
        self.full += int(counted.all(axis=1).sum())
        self.not_next += int(batch["next_sentence_labels"].sum())
        if tokenizer is not None:
            self.unknown += int((real & (ids == tokenizer.unk_id)).sum())
            self.masked += int((counted & (read == tokenizer.vocab.get(tokenizer.special.mask, -1))).sum())

    @classmethod
    def of(cls, batches: Iterable[Mapping], tokenizer: Tokenizer | None) -> "PretrainingSample":
        sample = cls()
        for batch in batches:
            sample.add(batch, tokenizer)
        return sample

    def lines(self, tokenizer: Tokenizer | None, of_segments: str | None = "nsp") -> list[tuple[str, str]]:
        """As the report has them; `of_segments` is the head that learns the records' labels, if one does."""
        lines = [("padding", f"{1 - self.real / self.tokens:.1%} of the tokens")]
        each = f"{self.predictions / self.examples:.1f} an example, {self.predictions / self.real:.1%} of its tokens"
        lines.append(("masked words", f"{each}; {self.full / self.examples:.1%} have as many as there is room for"))
        kept, total = self.kept / max(1, self.predictions), max(1, self.predictions)
        if tokenizer is None:
            lines.append(("read as", f"what they are: {kept:.1%} (the rest is [MASK] or another word)"))
        else:
            masked = self.masked / total
            lines.append(
                ("read as", f"[MASK] {masked:.1%}, what they are {kept:.1%}, other words {1 - masked - kept:.1%}")
            )
            lines.append(("[UNK]", f"{self.unknown / self.real:.2%} of the tokens"))
        share = f"{self.not_next / self.examples:.1%}"
        told = {"nsp": ("next sentence", f"{share} do not follow"), "sop": ("order", f"{share} are exchanged")}
        return [*lines, told[of_segments]] if of_segments is not None else lines
