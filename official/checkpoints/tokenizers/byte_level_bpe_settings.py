"""What Hugging Face's other files say of byte-level BPE: `tokenizer_config.json`, and two that older directories have.

Sources: transformers 5.24, tokenization_utils_base.py:1885-1960 (what is read, and in which order),
tokenization_utils_tokenizers.py:105-240 and models/roberta/tokenization_roberta.py.
"""

import dataclasses
import os
from collections.abc import Iterator, Mapping
from typing import Any

from official import files
from official.checkpoints.storage import json_files
from official.checkpoints.tokenizers import byte_level_bpe_json, tokenizer_additions
from official.checkpoints.tokenizers.byte_level_bpe_json import Added
from official.tokenization.byte_level_bpe import SPECIAL_TOKENS, ByteLevelBpeTokenizer

FILE, SPECIAL_FILE, ADDED_FILE = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"
# Those that lay out texts as RoBERTa does, and those that do what tokenizer.json says; with or without "Fast".
ROBERTA_CLASSES = ("RobertaTokenizer", "BartTokenizer", "LEDTokenizer", "LongformerTokenizer")
JSON_CLASSES = ("PreTrainedTokenizer", "TokenizersBackend")
SPECIAL_FIELDS = {f"{field}_token": token for field, token in SPECIAL_TOKENS._asdict().items()} | {
    "bos_token": SPECIAL_TOKENS.cls,
    "eos_token": SPECIAL_TOKENS.sep,
}
LISTS = ("additional_special_tokens", "extra_special_tokens")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What these files say.

    Attributes:
        path: of `tokenizer_config.json`, which need not be there.
        add_prefix_space: None where that is for `tokenizer.json` to say.
        added: the added tokens, and what is said of special ones; the last that speaks of a token counts.
        never_split: those of the five special tokens that stay whole in the text.
    """

    path: str
    add_prefix_space: bool | None
    added: list[Added]
    never_split: list[str]


def read(directory: str) -> Settings:
    """Reads what there is of these files.

    Raises:
        InputError: one is broken, or describes what our tokenizer can't do exactly.
    """
    path = os.path.join(directory, FILE)
    values = _read_if_there(path)
    json_files.check_fixed(path, values, {"do_lower_case": False})
    prefix_space = _read_prefix_space(path, values)
    added = list(_named_tokens(path, values))
    if "added_tokens_decoder" in values:
        entries = tokenizer_additions.decoder_entries(path, values["added_tokens_decoder"])
        added += [byte_level_bpe_json.parse(path, field, entry, token_id) for token_id, field, entry in entries]
    else:
        added += _read_older_files(directory)
    return Settings(
        path, prefix_space, added, tokenizer_additions.never_split(path, values.get("never_split"), SPECIAL_TOKENS)
    )


def _read_prefix_space(path: str, values: Mapping[str, Any]) -> bool | None:
    """Without a word of it RobertaTokenizer puts no space before texts, whatever `tokenizer.json` says."""
    name = values.get("tokenizer_class")
    base = name.removesuffix("Fast") if isinstance(name, str) else name
    if base not in (None, *ROBERTA_CLASSES, *JSON_CLASSES):
        raise json_files.wrong(path, "tokenizer_class", name, f"one of {', '.join(ROBERTA_CLASSES + JSON_CLASSES)}")
    if "add_prefix_space" in values:
        return json_files.one_of(path, "add_prefix_space", values["add_prefix_space"], (True, False))
    return False if base in ROBERTA_CLASSES else None


def _read_older_files(directory: str) -> Iterator[Added]:
    """What only counts where `tokenizer_config.json` has no `added_tokens_decoder`."""
    path = os.path.join(directory, SPECIAL_FILE)
    yield from _named_tokens(path, _read_if_there(path))
    path = os.path.join(directory, ADDED_FILE)
    for token, token_id in _read_if_there(path).items():
        yield Added(tokenizer_additions.parse_id(path, token, token_id, False))


def _read_if_there(path: str) -> dict[str, Any]:
    return json_files.read_object(path) if files.exists(path) else {}


def _named_tokens(path: str, values: Mapping[str, Any]) -> Iterator[Added]:
    """Special tokens of which these files give the name; of the five only those of which they say more."""
    for field, value in values.items():
        if field in SPECIAL_FIELDS:
            if value is not None and tokenizer_additions.content_of(value) != SPECIAL_FIELDS[field]:
                raise json_files.wrong(path, field, value, f'"{SPECIAL_FIELDS[field]}"')
            if isinstance(value, dict):
                yield byte_level_bpe_json.named(path, field, value)
        elif field in LISTS and value is not None:
            if not isinstance(value, list | dict):
                raise json_files.wrong(path, field, value, "a list of tokens")
            for one in value.values() if isinstance(value, dict) else value:
                yield byte_level_bpe_json.named(path, field, one)


def describe(tokenizer: ByteLevelBpeTokenizer, max_length: int) -> dict[str, Any]:
    """What `tokenizer_config.json` says of a tokenizer.

    Args:
        tokenizer: any.
        max_length: the number of tokens that the model takes.
    """
    # RobertaTokenizer surrounds texts with <s> and </s> even where there are none; the other does what the JSON says.
    name = "RobertaTokenizer" if byte_level_bpe_json.has_layout(tokenizer) else "PreTrainedTokenizerFast"
    entries = byte_level_bpe_json.added_tokens(tokenizer)
    never_split = [token for token in SPECIAL_TOKENS if token in tokenizer.atomic_tokens]
    return {
        "add_prefix_space": tokenizer.add_prefix_space,
        "added_tokens_decoder": {str(key): entry for key, entry in entries.items()},
        "errors": "replace",
        "model_input_names": ["input_ids", "attention_mask"],
        "model_max_length": max_length,
        "never_split": never_split or None,
        **{field: token if token in tokenizer.vocab else None for field, token in SPECIAL_FIELDS.items()},
        "tokenizer_class": name,
        "trim_offsets": True,
    }


def describe_special(tokenizer: ByteLevelBpeTokenizer) -> dict[str, Any]:
    """What `special_tokens_map.json` says of a tokenizer: names, and more of those that strip white space."""
    entries = byte_level_bpe_json.added_tokens(tokenizer)
    described = {}
    for field, token in SPECIAL_FIELDS.items():
        if token in tokenizer.vocab:
            entry = entries[tokenizer.vocab[token]]
            more = {key: value for key, value in entry.items() if key != "special"}
            described[field] = more if entry["lstrip"] or entry["rstrip"] else token
    return described
