"""What pretraining records are made, by any path: the flags, and what they mean for one tokenizer."""

import dataclasses
import functools
from typing import NamedTuple

import numpy as np

from data_prep.formats import FORMATS, Format
from data_prep.instances import Masking, Packing, Vocabulary, row_width
from data_prep.masking import ngram_shares, predictions_by_length
from data_prep.records import RecordFormat
from data_prep.streams import PUBLISHED
from data_prep.token_store import TokenizerOptions, token_dtype
from official.errors import InputError
from official.tokenization.tokenizer import Tokenizer

STATIC_PASSES = 10  # --dupe_factor of the original


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainingData:
    """What is made: the flags of the original, with its defaults, and what was added to them."""

    output_files: tuple[str, ...]
    tokenizer: TokenizerOptions
    max_seq_length: int = 128
    max_predictions_per_seq: int = 20
    random_seed: int = 12345
    random_streams: str = PUBLISHED
    dupe_factor: int | None = None  # Default: 10, or of unmasked rows what their format says.
    masked_lm_prob: float = 0.15
    short_seq_prob: float = 0.1
    do_whole_word_mask: bool = False
    example_format: str = "segment_pair"
    max_ngram: int = 1
    favor_shorter_ngram: bool = True
    replace_with_mask_prob: float = 0.8
    keep_original_prob: float = 0.1
    replace_with_random_prob: float = 0.1
    dynamic_masking: bool = False
    compression: str = ""
    num_workers: int = 1
    examples_shown: int = 0
    temp_dir: str | None = None  # Default: beside the output.

    @property
    def max_predictions(self) -> int:
        return 0 if self.dynamic_masking else self.max_predictions_per_seq

    @property
    def format(self) -> Format:
        return FORMATS[self.example_format]

    @property
    def passes(self) -> int:
        """How many times the text is gone through."""
        if self.dupe_factor is not None:
            return self.dupe_factor
        return self.format.dynamic_passes if self.dynamic_masking else STATIC_PASSES

    def check(self) -> None:
        """Raises InputError where options exclude one another."""
        if self.format.crosses_documents and self.random_streams != PUBLISHED:
            raise InputError(
                f"--example_format={self.example_format}: a row may hold several documents, which "
                f"--random_streams={self.random_streams} works on apart: --random_streams={PUBLISHED} was expected"
            )


class Recipe(NamedTuple):
    """The same for the compiled loops."""

    vocabulary: Vocabulary
    packing: Packing
    masking: Masking
    token_dtype: np.dtype
    unk_id: int
    format: RecordFormat
    begins_word: np.ndarray  # bool [V]: the token is neither a special one nor the continuation of a word

    def new_rows(self, count: int) -> np.ndarray:
        """Rows to be filled, `[count, width]`."""
        return np.zeros((count, self.format.width), self.format.dtype)


def make_recipe(options: PretrainingData, tokenizer: Tokenizer) -> Recipe:
    """Turns options into what the loops take.

    Raises:
        InputError: the vocabulary lacks a token, or options exclude one another.
    """
    options.check()
    tokenizer.require(*(getattr(tokenizer.special, name) for name in ("cls", "sep", "mask", "unk")))
    ids = token_dtype(tokenizer.vocab_size)
    dtype = np.promote_types(ids, token_dtype(options.max_seq_length + 1))
    begins_word = ~np.asarray(tokenizer.continuation)
    begins_word[[tokenizer.cls_id, tokenizer.sep_id]] = False
    return Recipe(
        Vocabulary(
            np.array(list({token: number for number, token in enumerate(tokenizer.tokens)}.values()), np.int64),
            np.asarray(tokenizer.continuation),
            tokenizer.cls_id,
            tokenizer.sep_id,
            tokenizer.mask_id,
            *(() if tokenizer.basic is not None else (tokenizer.pad_id,)),
        ),
        Packing(
            options.max_seq_length - options.format.special_tokens,
            options.max_predictions,
            float(options.short_seq_prob),
            options.passes,
            options.format.number,
            options.format.special_tokens,
        ),
        Masking(
            not options.dynamic_masking,
            options.do_whole_word_mask,
            predictions_by_length(options.max_seq_length, options.masked_lm_prob, options.max_predictions_per_seq),
            float(options.replace_with_mask_prob),
            _share(options.keep_original_prob, options.keep_original_prob + options.replace_with_random_prob),
            ngram_shares(options.max_ngram, options.favor_shorter_ngram),
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
        begins_word,
    )


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


@functools.lru_cache(maxsize=1)
def recipe_of(options: PretrainingData) -> Recipe:
    """The same, made once in a process."""
    return make_recipe(options, options.tokenizer.make())
