"""Learns the vocabulary and the merges of byte-level BPE, laid out as RoBERTa's.

The merges are learnt by the `tokenizers` library, from words that our own tokenizer makes, their bytes spelled: what is
learnt is what the tokenizer will meet.
"""

import json
import os
import sys
from collections.abc import Mapping

from data_prep.vocabulary import repeat
from official.checkpoints.storage import json_files
from official.checkpoints.tokenizers import byte_level_bpe_json
from official.errors import InputError
from official.tokenization import byte_level
from official.tokenization.byte_level_bpe import SPECIAL_TOKENS, ByteLevelBpeTokenizer, write_files

MERGES = "merges.txt"
# fairseq's dictionary begins so, and its masked_lm task adds <mask> at the end.
FIRST_TOKENS = (SPECIAL_TOKENS.cls, SPECIAL_TOKENS.pad, SPECIAL_TOKENS.sep, SPECIAL_TOKENS.unk)
VOCAB_SIZE = 50_265  # RoBERTa's.


def learn_from_counts(
    counts: Mapping[str, int], vocab_size: int = VOCAB_SIZE, min_frequency: int = 2
) -> ByteLevelBpeTokenizer:
    """Learns from words, each with the space before it, and how often each occurs.

    The ids are special tokens, the 256 bytes in the order of their spelling (GPT-2's), what merges make, and <mask>.

    Args:
        counts: word → how often it occurs.
        vocab_size: how many tokens at most. A small corpus gives fewer.
        min_frequency: rarer merges are left out.

    Raises:
        InputError: there is no word, or `vocab_size` has no room for bytes and special tokens.
    """
    if not counts:
        raise InputError("there is no word in the text to learn a vocabulary from")
    least = len(SPECIAL_TOKENS) + len(byte_level.SPELLED)
    if vocab_size < least:
        raise InputError(f"a vocabulary of {vocab_size} tokens has no room for 256 bytes and special tokens: {least}")
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    library = Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.WhitespaceSplit()  # Spelled bytes hold no white space.
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size - 1,
        min_frequency=min_frequency,
        special_tokens=[*FIRST_TOKENS, *sorted(byte_level.SPELLED)],  # They keep this order.
        show_progress=sys.stderr.isatty(),
    )
    spelled = {byte_level.spell(word.encode()): count for word, count in counts.items()}
    library.train_from_iterator(repeat(spelled), trainer)
    vocab, merges = _read_library(library)
    return ByteLevelBpeTokenizer(vocab | {SPECIAL_TOKENS.mask: len(vocab)}, merges)


def _read_library(library) -> tuple[dict[str, int], list[tuple[str, str]]]:
    model = json.loads(library.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def tokens_per_word(tokenizer: ByteLevelBpeTokenizer, counts: Mapping[str, int]) -> float:
    """How many tokens a word of a corpus becomes."""
    tokens = sum(count * len(tokenizer.encode(word)) for word, count in counts.items())
    return tokens / sum(counts.values())


def files_of(vocab_file: str) -> tuple[str, str, str]:
    """The file of the vocabulary, of the merges, and one with both, all in one directory."""
    directory = os.path.dirname(vocab_file)
    return vocab_file, os.path.join(directory, MERGES), os.path.join(directory, byte_level_bpe_json.FILE)


def write(tokenizer: ByteLevelBpeTokenizer, vocab_file: str) -> None:
    """Writes `files_of` a vocabulary.

    Raises:
        InputError: one can't be written.
    """
    vocab_file, merges_file, json_file = files_of(vocab_file)
    write_files(tokenizer, vocab_file, merges_file)
    json_files.write(json_file, byte_level_bpe_json.describe(tokenizer))
