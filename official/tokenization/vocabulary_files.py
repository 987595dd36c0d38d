"""A tokenizer of the vocabulary that a flag names, whatever its kind."""

import os

from official.tokenization.byte_level_bpe import ByteLevelBpeTokenizer
from official.tokenization.sentence_piece import SentencePieceTokenizer
from official.tokenization.sentence_piece_text import TextRules
from official.tokenization.tokenizer import Tokenizer
from official.tokenization.wordpiece import WordPieceTokenizer

MERGES = "merges.txt"  # Beside the vocabulary of byte-level BPE.


def files_of(vocab_file: str) -> list[str]:
    """The files that a vocabulary is in: this one, and the merges of byte-level BPE."""
    return [vocab_file, merges_of(vocab_file)] if vocab_file.endswith(".json") else [vocab_file]


def merges_of(vocab_file: str) -> str:
    """Where the merges of byte-level BPE are."""
    return os.path.join(os.path.dirname(vocab_file), MERGES)


def read_vocabulary_file(vocab_file: str, *, lower_case: bool = True, strip_accents: bool | None = None) -> Tokenizer:
    """The tokenizer of `vocab.json` with `merges.txt` beside it, of `spiece.model`, or of WordPiece's `vocab.txt`.

    Args:
        vocab_file: its kind is told by how its name ends: `.json`, `.model`, or anything else.
        lower_case, strip_accents: as of `WordPieceTokenizer`; byte-level BPE takes text as it is, and ALBERT's
            SentencePiece strips accents unless told not to.

    Raises:
        InputError: there is no such file, or it is not what its name says.
    """
    if vocab_file.endswith(".json"):
        return ByteLevelBpeTokenizer.from_files(vocab_file, merges_of(vocab_file))
    if vocab_file.endswith(".model"):
        rules = TextRules(lower_case=lower_case, keep_accents=strip_accents is False)
        return SentencePieceTokenizer.from_file(vocab_file, rules=rules)
    return WordPieceTokenizer.from_file(vocab_file, lower_case=lower_case, strip_accents=strip_accents)
