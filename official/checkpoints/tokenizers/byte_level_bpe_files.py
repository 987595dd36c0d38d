"""Byte-level BPE in Hugging Face's files: `tokenizer.json`, or `vocab.json` with `merges.txt`, and others beside."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from official import files
from official.checkpoints.storage import json_files
from official.checkpoints.tokenizers import byte_level_bpe_json, byte_level_bpe_settings, tokenizer_additions
from official.checkpoints.tokenizers.byte_level_bpe_json import Added, BpeJson
from official.checkpoints.tokenizers.byte_level_bpe_settings import Settings
from official.errors import InputError
from official.tokenization.byte_level_bpe import (
    SPECIAL_TOKENS,
    ByteLevelBpeTokenizer,
    read_merges,
    read_vocabulary,
    tokens_of,
    write_files,
)

VOCABULARY, MERGES = "vocab.json", "merges.txt"


def is_here(directory: str) -> bool:
    """Whether a directory's tokenizer is BPE.

    Raises:
        InputError: `tokenizer.json` is no JSON object.
    """
    path = os.path.join(directory, byte_level_bpe_json.FILE)
    if files.exists(path):
        return byte_level_bpe_json.is_bpe(json_files.read_object(path))
    return all(files.exists(os.path.join(directory, name)) for name in (VOCABULARY, MERGES))


def read(directory: str) -> ByteLevelBpeTokenizer:
    """The tokenizer of a directory for which `is_here`.

    The five special tokens are not found in texts, unless `never_split` in `tokenizer_config.json` names them; other
    added tokens are. Where no file says whether <mask> takes in the white space before it, it does, as published.

    Raises:
        InputError: a file is broken or contradicts another, or they describe a tokenizer that ours can't be exactly.
    """
    settings = byte_level_bpe_settings.read(directory)
    path = os.path.join(directory, byte_level_bpe_json.FILE)
    vocab_file, merges_file = os.path.join(directory, VOCABULARY), os.path.join(directory, MERGES)
    if not files.exists(path):
        vocab, merges = read_vocabulary(vocab_file), read_merges(merges_file)
        return _build(vocab_file, vocab, merges, bool(settings.add_prefix_space), settings, settings.added)
    described = byte_level_bpe_json.read(path, json_files.read_object(path))
    prefix_space = _prefix_space(settings, described)
    added = [*described.added, *settings.added]
    tokenizer = _build(path, described.vocab, described.merges, prefix_space, settings, added)
    _check_files_beside(vocab_file, merges_file, described)
    return tokenizer


def _check_files_beside(vocab_file: str, merges_file: str, described: BpeJson) -> None:
    if files.exists(vocab_file):
        for token, token_id in read_vocabulary(vocab_file).items():
            other = described.vocab.get(token, token_id)
            if other != token_id:
                spelled = f"{json_files.spell(token)} is {json_files.spell(token_id)}"
                raise InputError(f"{vocab_file}: the id of {spelled}, in {described.path} it is {other}")
    if files.exists(merges_file) and read_merges(merges_file) != described.merges:
        raise InputError(f"{merges_file}: other merges than in {described.path}: the same were expected")


def _prefix_space(settings: Settings, described: BpeJson) -> bool:
    stated = settings.add_prefix_space
    if stated is not None and stated != described.add_prefix_space:
        raise InputError(
            f"{settings.path}: add_prefix_space is {json_files.spell(stated)}, but pre_tokenizer.add_prefix_space is "
            f"{json_files.spell(described.add_prefix_space)} in {described.path}: the same was expected"
        )
    return described.add_prefix_space


def _build(
    path: str,
    vocab: Mapping[str, int],
    merges: Sequence[tuple[str, str]],
    prefix_space: bool,
    settings: Settings,
    added: Sequence[Added],
) -> ByteLevelBpeTokenizer:
    try:
        given = tokens_of(vocab)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    tokens = tokenizer_additions.extend(given, (each.token for each in added))
    last = {each.token.content: each for each in added}
    others = [token for token in last if token not in SPECIAL_TOKENS]
    strips_left = {token for token, each in last.items() if each.lstrip}
    return ByteLevelBpeTokenizer.from_pairs(
        {**vocab, **{token: len(given) + place for place, token in enumerate(tokens[len(given) :])}},
        merges,
        path,
        add_prefix_space=prefix_space,
        atomic_tokens=[token for token in settings.never_split if token in tokens] + others,
        strips_left=strips_left if SPECIAL_TOKENS.mask in last else {*strips_left, SPECIAL_TOKENS.mask},
        strips_right={token for token, each in last.items() if each.rstrip},
    )


def write_hugging_face(tokenizer: ByteLevelBpeTokenizer, directory: str, max_length: int) -> list[str]:
    """Writes what `transformers.AutoTokenizer` reads as RobertaTokenizer: vocabulary, merges and three JSON files.

    Args:
        tokenizer: any of ours.
        directory: made if need be.
        max_length: the number of tokens that the model takes.

    Returns:
        What transformers does otherwise: nothing.

    Raises:
        InputError: a file can't be written, or a token can't stand in it.
    """
    write_vocabulary(tokenizer, directory)
    contents: dict[str, dict[str, Any]] = {
        byte_level_bpe_json.FILE: byte_level_bpe_json.describe(tokenizer),
        byte_level_bpe_settings.SPECIAL_FILE: byte_level_bpe_settings.describe_special(tokenizer),
        byte_level_bpe_settings.FILE: byte_level_bpe_settings.describe(tokenizer, max_length),
    }
    for name, values in contents.items():
        json_files.write(os.path.join(directory, name), values)
    return []


def write_vocabulary(tokenizer: ByteLevelBpeTokenizer, directory: str) -> list[str]:
    """Writes vocabulary and merges.

    Returns:
        What these two files don't hold.

    Raises:
        InputError: a file can't be written, or a token can't stand in it.
    """
    files.make_directory(directory)
    write_files(tokenizer, os.path.join(directory, VOCABULARY), os.path.join(directory, MERGES))
    notes = []
    if tokenizer.atomic_tokens:
        notes.append(f"{', '.join(tokenizer.atomic_tokens)}: kept whole in texts, which {VOCABULARY} doesn't say")
    if tokenizer.add_prefix_space:
        notes.append(f"a space is put before texts, which {VOCABULARY} doesn't say")
    return notes


def describe(tokenizer: ByteLevelBpeTokenizer) -> str:
    """Size and settings in a line."""
    prefix_space = ", a space put before texts" if tokenizer.add_prefix_space else ""
    atomic = f", {len(tokenizer.atomic_tokens)} kept whole" if tokenizer.atomic_tokens else ""
    return f"byte-level BPE, {tokenizer.vocab_size:,} tokens, {len(tokenizer.merges):,} merges{prefix_space}{atomic}"
