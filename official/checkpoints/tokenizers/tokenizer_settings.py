"""What Hugging Face's other tokenizer files say: `tokenizer_config.json`, and the two that older directories have.

Sources: transformers 5.23, tokenization_utils_base.py:1781-1950 (what is read, and in which order), and
models/bert/tokenization_bert.py.
"""

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from official import files
from official.checkpoints.storage import json_files
from official.checkpoints.tokenizers import tokenizer_additions, tokenizer_json
from official.checkpoints.tokenizers.tokenizer_additions import AddedToken
from official.tokenization.wordpiece import CONTINUATION, SPECIAL_TOKENS, WordPieceTokenizer

FILE, SPECIAL_FILE, ADDED_FILE = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"
# Settings that change ids, and the one value that our tokenizer has; BertJapaneseTokenizer's are among them.
FIXED = {
    "clean_text": True,
    "do_basic_tokenize": True,
    "subword_tokenizer_type": "wordpiece",
    "tokenize_chinese_chars": True,
    "word_tokenizer_type": "basic",
    "wordpieces_prefix": CONTINUATION,
}
# Those that are BERT's under another name, and those that do what tokenizer.json says; with or without "Fast".
CLASSES = (
    "BertTokenizer",
    "ConvBertTokenizer",
    "DistilBertTokenizer",
    "ElectraTokenizer",
    "MobileBertTokenizer",
    "PreTrainedTokenizer",
    "SqueezeBertTokenizer",
    "TokenizersBackend",
)
SPECIAL_FIELDS = {f"{token.strip('[]').lower()}_token": token for token in SPECIAL_TOKENS}
LISTS = ("additional_special_tokens", "extra_special_tokens")


@dataclasses.dataclass(frozen=True)
class Settings:
    """What these files say.

    Attributes:
        path: of `tokenizer_config.json`, which need not be there.
        stated: `do_lower_case` and `strip_accents`, if it says something of them.
        added: the added tokens, special ones among them.
        never_split: those of the five special tokens that stay whole in the text.
    """

    path: str
    stated: dict[str, bool | None]
    added: list[AddedToken]
    never_split: list[str]


def read(directory: str) -> Settings:
    """Reads what there is of these files.

    Raises:
        InputError: one is broken, or describes what our tokenizer can't do exactly.
    """
    path = os.path.join(directory, FILE)
    values = _read_if_there(path)
    _check_class(path, values.get("tokenizer_class"))
    json_files.check_fixed(path, values, FIXED)
    added = [*_decoder_tokens(path, values), *_named_tokens(path, values)]
    if "added_tokens_decoder" not in values:
        added += _read_older_files(directory, added)
    return Settings(
        path,
        _stated(path, values),
        added,
        tokenizer_additions.never_split(path, values.get("never_split"), SPECIAL_TOKENS),
    )


def _read_older_files(directory: str, added: Iterable[AddedToken]) -> list[AddedToken]:
    """What only counts where `tokenizer_config.json` has no `added_tokens_decoder`."""
    path = os.path.join(directory, SPECIAL_FILE)
    found = list(_named_tokens(path, _read_if_there(path)))
    special = {*SPECIAL_TOKENS, *(token.content for token in [*added, *found])}
    path = os.path.join(directory, ADDED_FILE)
    ids = _read_if_there(path).items()
    return found + [tokenizer_additions.parse_id(path, token, number, token not in special) for token, number in ids]


def _read_if_there(path: str) -> dict[str, Any]:
    return json_files.read_object(path) if files.exists(path) else {}


def _check_class(path: str, name: Any) -> None:
    if name is not None and (not isinstance(name, str) or name.removesuffix("Fast") not in CLASSES):
        raise json_files.wrong(path, "tokenizer_class", name, f"one of {', '.join(CLASSES)}")


def _stated(path: str, values: Mapping[str, Any]) -> dict[str, bool | None]:
    possible = {"do_lower_case": (True, False), "strip_accents": (None, True, False)}
    return {
        field: json_files.one_of(path, field, values[field], possible[field]) for field in possible if field in values
    }


def _decoder_tokens(path: str, values: Mapping[str, Any]) -> Iterator[AddedToken]:
    if (decoder := values.get("added_tokens_decoder")) is not None:
        for token_id, field, entry in tokenizer_additions.decoder_entries(path, decoder):
            yield tokenizer_additions.parse(path, field, entry, token_id)


def _named_tokens(path: str, values: Mapping[str, Any]) -> Iterator[AddedToken]:
    """The special tokens beyond the five, of which these files give the name only."""
    for field, value in values.items():
        if field in SPECIAL_FIELDS:
            if value is not None and tokenizer_additions.content_of(value) != SPECIAL_FIELDS[field]:
                raise json_files.wrong(path, field, value, f'"{SPECIAL_FIELDS[field]}"')
        elif field.endswith("_token") and isinstance(value, str | dict):  # `bos_token` and the like.
            yield tokenizer_additions.named(path, field, tokenizer_additions.content_of(value))
        elif field in LISTS and value is not None:
            if not isinstance(value, list | dict):
                raise json_files.wrong(path, field, value, "a list of tokens")
            for one in value.values() if isinstance(value, dict) else value:
                yield tokenizer_additions.named(path, field, tokenizer_additions.content_of(one))


def describe(tokenizer: WordPieceTokenizer, max_length: int) -> dict[str, Any]:
    """What `tokenizer_config.json` says of a tokenizer.

    Args:
        tokenizer: any.
        max_length: the number of tokens that the model takes.
    """
    # BertTokenizer surrounds texts with [CLS] and [SEP] even where there are none; the other does what the JSON says.
    name = "BertTokenizer" if tokenizer_json.has_layout(tokenizer) else "PreTrainedTokenizerFast"
    never_split = [token for token in SPECIAL_TOKENS if token in tokenizer.atomic_tokens]
    return {
        "added_tokens_decoder": {str(key): entry for key, entry in tokenizer_json.added_tokens(tokenizer).items()},
        "do_basic_tokenize": True,
        "do_lower_case": tokenizer.lower_case,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "model_max_length": max_length,
        "never_split": never_split or None,
        **{field: token if token in tokenizer.vocab else None for field, token in SPECIAL_FIELDS.items()},
        "strip_accents": tokenizer_json.stated_accents(tokenizer),
        "tokenize_chinese_chars": True,
        "tokenizer_class": name,
    }


def describe_special(tokenizer: WordPieceTokenizer) -> dict[str, str]:
    """What `special_tokens_map.json` says of a tokenizer."""
    return {field: token for field, token in SPECIAL_FIELDS.items() if token in tokenizer.vocab}
