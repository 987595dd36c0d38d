"""What pretraining records are made, by any path: the flags, and what they mean for one tokenizer."""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np

from data_prep.instances import SPECIAL_TOKENS, Masking, Packing, Vocabulary, row_width
from data_prep.masking import predictions_by_length
from data_prep.records import RecordFormat
from data_prep.streams import PUBLISHED
from data_prep.token_store import TokenizerOptions, token_dtype
from official.tokenization.wordpiece import WordPieceTokenizer


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainingData:
    """What is made: the flags of the original, with its defaults, and what was added to them."""

    output_files: tuple[str, ...]
    tokenizer: TokenizerOptions
    max_seq_length: int = 128
    max_predictions_per_seq: int = 20
    random_seed: int = 12345
    random_streams: str = PUBLISHED
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


class Recipe(NamedTuple):
    """The same for the compiled loops."""

    vocabulary: Vocabulary
    packing: Packing
    masking: Masking
    token_dtype: np.dtype
    unk_id: int
    format: RecordFormat

    def new_rows(self, count: int) -> np.ndarray:
        """Rows to be filled, `[count, width]`."""
        return np.zeros((count, self.format.width), self.format.dtype)


def make_recipe(options: PretrainingData, tokenizer: WordPieceTokenizer) -> Recipe:
    """Turns options into what the loops take.

    Raises:
        InputError: the vocabulary lacks a token.
    """
    tokenizer.require("[CLS]", "[SEP]", "[MASK]", "[UNK]")
    ids = token_dtype(tokenizer.vocab_size)
    dtype = np.promote_types(ids, token_dtype(options.max_seq_length + 1))
    return Recipe(
        Vocabulary(
            np.array(list(tokenizer.vocab.values()), np.int64),
            np.asarray(tokenizer.continuation),
            tokenizer.cls_id,
            tokenizer.sep_id,
            tokenizer.mask_id,
        ),
        Packing(
            options.max_seq_length - SPECIAL_TOKENS,
            options.max_predictions,
            float(options.short_seq_prob),
            options.dupe_factor,
        ),
        Masking(
            not options.dynamic_masking,
            options.do_whole_word_mask,
            predictions_by_length(options.max_seq_length, options.masked_lm_prob, options.max_predictions_per_seq),
        ),
        ids,
        tokenizer.unk_id,
        RecordFormat(
            options.max_seq_length,
            options.max_predictions,
            dtype,
            row_width(options.max_seq_length, options.max_predictions, dtype),
            options.compression,
        ),
    )


@functools.lru_cache(maxsize=1)
def recipe_of(options: PretrainingData) -> Recipe:
    """The same, made once in a process."""
    return make_recipe(options, options.tokenizer.make())
