"""`tokenizer.json` of byte-level BPE: the vocabulary, the merges, and what is done to text before and around it.

Sources: huggingface/tokenizers, models/bpe/serialization.rs, pre_tokenizers/byte_level.rs, processors/roberta.rs.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from official.checkpoints.storage import json_files
from official.checkpoints.tokenizers import tokenizer_additions
from official.checkpoints.tokenizers.tokenizer_additions import AddedToken
from official.tokenization import byte_level
from official.tokenization.byte_level_bpe import SPECIAL_TOKENS, ByteLevelBpeTokenizer

FILE = "tokenizer.json"
# What our tokenizer does, and nothing else.
MODEL = {"type": "BPE", "dropout": None, "byte_fallback": False, "ignore_merges": False}
PRE_TOKENIZER = {"type": "ByteLevel", "use_regex": True}
AFFIXES = ("continuing_subword_prefix", "end_of_word_suffix")
PAIR = [SPECIAL_TOKENS.cls, "A", SPECIAL_TOKENS.sep, SPECIAL_TOKENS.sep, "B", SPECIAL_TOKENS.sep]


@dataclasses.dataclass(frozen=True)
class Added:
    """An added token, and whether it takes in the white space before or behind it."""

    token: AddedToken
    lstrip: bool = False
    rstrip: bool = False


@dataclasses.dataclass(frozen=True)
class BpeJson:
    """What such a file says.

    Attributes:
        path: of the file.
        vocab: token → id, as the file has it.
        merges: pairs of tokens.
        add_prefix_space: whether a space is put before texts.
        added: the added tokens, the special ones among them.
    """

    path: str
    vocab: dict[str, int]
    merges: list[tuple[str, str]]
    add_prefix_space: bool
    added: list[Added]


def is_bpe(values: Mapping[str, Any]) -> bool:
    """Whether a `tokenizer.json` is one of BPE: only that has merges, and old ones do not name the type."""
    model = values.get("model")
    return isinstance(model, dict) and "merges" in model


def read(path: str, values: Mapping[str, Any]) -> BpeJson:
    """What the file of this path says, which holds these values and `is_bpe`.

    Raises:
        InputError: it is broken, or describes what our tokenizer can't do exactly.
    """
    vocab, merges = _read_model(path, values["model"])
    prefix_space = _read_pre_tokenizer(path, values)
    _check_layout(path, values.get("post_processor"), vocab)
    entries = values.get("added_tokens")
    if not isinstance(entries, list):
        raise json_files.wrong(path, "added_tokens", entries, "a list")
    added = [parse(path, f"added_tokens[{number}]", entry) for number, entry in enumerate(entries)]
    return BpeJson(path, vocab, merges, prefix_space, added)


def parse(path: str, field: str, entry: Any, token_id: int | None = None) -> Added:
    """An entry of `added_tokens`, or of `added_tokens_decoder`, whose key is `token_id`.

    Raises:
        InputError: it is no entry, or asks for what our tokenizer can't do.
    """
    return Added(tokenizer_additions.parse(path, field, entry, token_id), *_strips(path, field, entry))


def named(path: str, field: str, value: Any) -> Added:
    """A token by its name, or as an object with its name.

    Raises:
        InputError: it is none.
    """
    if isinstance(value, dict):
        token = tokenizer_additions.named(path, f"{field}.content", value.get("content"))
        return Added(token, *_strips(path, field, value))
    return Added(tokenizer_additions.named(path, field, value))


def _strips(path: str, field: str, entry: Mapping[str, Any]) -> tuple[bool, bool]:
    def side(name: str) -> bool:
        return json_files.one_of(path, f"{field}.{name}", entry.get(name, False), (True, False))

    return side("lstrip"), side("rstrip")


def _read_model(path: str, model: Mapping[str, Any]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    json_files.check_fixed(path, model, MODEL, "model.")
    for field in AFFIXES:
        if model.get(field) not in ("", None):
            raise json_files.wrong(path, f"model.{field}", model[field], '""')
    vocab = model.get("vocab")
    if not isinstance(vocab, dict):
        raise json_files.wrong(path, "model.vocab", vocab, "an object of tokens and their ids")
    if model.get("unk_token") is not None and not all(character in vocab for character in byte_level.SPELLED):
        raise json_files.wrong(path, "model.unk_token", model["unk_token"], "null, or all 256 bytes in the vocabulary")
    merges = model.get("merges")
    if not isinstance(merges, list):
        raise json_files.wrong(path, "model.merges", merges, "a list of pairs of tokens")
    return vocab, [_pair(path, number, merge) for number, merge in enumerate(merges)]


def _pair(path: str, number: int, merge: Any) -> tuple[str, str]:
    pair = merge.split(" ") if isinstance(merge, str) else merge
    if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(token, str) for token in pair):
        raise json_files.wrong(path, f"model.merges[{number}]", merge, "a pair of tokens")
    return pair[0], pair[1]


def _read_pre_tokenizer(path: str, values: Mapping[str, Any]) -> bool:
    """Whether a space is put before texts."""
    json_files.check_fixed(path, values, {"normalizer": None})
    section = values.get("pre_tokenizer")
    if not isinstance(section, dict) or "type" not in section:
        raise json_files.wrong(path, "pre_tokenizer", section, 'an object of the type "ByteLevel"')
    json_files.check_fixed(path, section, PRE_TOKENIZER, "pre_tokenizer.")
    field = "pre_tokenizer.add_prefix_space"
    return json_files.one_of(path, field, section.get("add_prefix_space"), (True, False))


def _check_layout(path: str, section: Any, vocab: Mapping[str, int]) -> None:
    """`<s> a </s></s> b </s>` is all that our layout can be."""
    if section is None:
        return
    kind = section.get("type") if isinstance(section, dict) else None
    if kind == "TemplateProcessing":
        if _template(section.get("pair")) != PAIR:
            raise json_files.wrong(path, "post_processor.pair", section.get("pair"), " ".join(PAIR))
        return
    if kind != "RobertaProcessing":
        raise json_files.wrong(path, "post_processor.type", kind, '"RobertaProcessing"')
    for field in ("cls", "sep"):
        token = getattr(SPECIAL_TOKENS, field)
        if section.get(field) != [token, vocab.get(token)]:
            raise json_files.wrong(
                path, f"post_processor.{field}", section.get(field), f"{token} with its id, {vocab.get(token)},"
            )


def _template(items: Any) -> list[str] | None:
    """What stands in a row, or None if that is not all in segment 0."""
    names = []
    for item in items if isinstance(items, list) else ():
        values = [value for value in item.values() if isinstance(value, dict)] if isinstance(item, dict) else []
        if len(values) != 1 or values[0].get("type_id") != 0:
            return None
        names.append(values[0].get("id"))
    return names


def describe(tokenizer: ByteLevelBpeTokenizer) -> dict[str, Any]:
    """What the file says of a tokenizer."""
    by_id = sorted(tokenizer.vocab, key=tokenizer.vocab.__getitem__)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": token_id, **entry} for token_id, entry in added_tokens(tokenizer).items()],
        "normalizer": None,
        "pre_tokenizer": _byte_level(tokenizer) | {"use_regex": True},
        "post_processor": _layout(tokenizer),
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": MODEL
        | {"unk_token": None, **dict.fromkeys(AFFIXES, ""), "fuse_unk": False}
        | {"vocab": {token: tokenizer.vocab[token] for token in by_id}}
        # Strings are what every version of the library reads, pairs only those from 0.20 on.
        | {"merges": [f"{left} {right}" for left, right in tokenizer.merges]},
    }


def added_tokens(tokenizer: ByteLevelBpeTokenizer) -> dict[int, dict[str, Any]]:
    """id → entry of the special and the atomic tokens, in the order of the ids."""
    names = {token for token in SPECIAL_TOKENS if token in tokenizer.vocab} | set(tokenizer.atomic_tokens)
    return {
        tokenizer.vocab[token]: {
            "content": token,
            "single_word": False,
            "lstrip": token in tokenizer.strips_left,
            "rstrip": token in tokenizer.strips_right,
            "normalized": False,
            "special": token in SPECIAL_TOKENS,
        }
        for token in sorted(names, key=tokenizer.vocab.__getitem__)
    }


def has_layout(tokenizer: ByteLevelBpeTokenizer) -> bool:
    """Whether the vocabulary has what stands around texts."""
    return SPECIAL_TOKENS.cls in tokenizer.vocab and SPECIAL_TOKENS.sep in tokenizer.vocab


def _byte_level(tokenizer: ByteLevelBpeTokenizer) -> dict[str, Any]:
    return {"type": "ByteLevel", "add_prefix_space": tokenizer.add_prefix_space, "trim_offsets": True}


def _layout(tokenizer: ByteLevelBpeTokenizer) -> dict[str, Any] | None:
    if not has_layout(tokenizer):
        return None
    ends = {field: [token, tokenizer.vocab[token]] for field, token in (("sep", PAIR[-1]), ("cls", PAIR[0]))}
    return _byte_level(tokenizer) | {"type": "RobertaProcessing"} | ends
