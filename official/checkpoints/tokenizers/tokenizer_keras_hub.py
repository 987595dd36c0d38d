"""Tokenizers of keras-hub's presets: `tokenizer.json`, of another kind, and the vocabulary among the assets.

Source: keras_hub 0.32, src/tokenizers/word_piece_tokenizer.py:495-575 and src/models/bert/bert_tokenizer.py.
"""

import os
from collections.abc import Mapping
from typing import Any

from official.checkpoints.storage import json_files
from official.tokenization.wordpiece import CLS, CONTINUATION, MASK, PAD, SEP, UNK, WordPieceTokenizer

VOCABULARY = "assets/tokenizer/vocabulary.txt"
FIXED = {"oov_token": UNK, "split": True, "split_on_cjk": True, "suffix_indicator": CONTINUATION}
LONGEST_WORD = 100  # The default of TensorFlow Text's, counted there in bytes.


def read(directory: str, path: str, values: Mapping[str, Any]) -> WordPieceTokenizer:
    """The tokenizer of a preset. Accents are stripped only if it says so, even where text is lower-cased.

    keras-hub's own reading differs for a few characters: it folds case (ß becomes ss), parts words at control
    characters, and makes [UNK] of words longer than 100 bytes where this one counts characters.

    Args:
        directory: the preset's.
        path: of its `tokenizer.json`.
        values: what that holds.

    Raises:
        InputError: it is of another kind, or the vocabulary is missing.
    """
    json_files.check_fixed(path, values, {"class_name": "BertTokenizer"})
    config = values.get("config")
    if not isinstance(config, dict):
        raise json_files.wrong(path, "config", config, "an object")
    json_files.check_fixed(path, config, FIXED, "config.")

    def flag(field: str) -> bool:
        return json_files.one_of(path, f"config.{field}", config.get(field, False), (True, False))

    if config.get("special_tokens") is not None:
        raise json_files.wrong(path, "config.special_tokens", config["special_tokens"], "null")
    return WordPieceTokenizer.from_file(
        os.path.join(directory, VOCABULARY),
        lower_case=flag("lowercase"),
        strip_accents=flag("strip_accents"),
        atomic_tokens=(CLS, SEP, PAD, MASK) if flag("special_tokens_in_strings") else (),
        max_input_chars_per_word=LONGEST_WORD,
    )
