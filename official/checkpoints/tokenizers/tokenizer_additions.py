"""Tokens that Hugging Face's files add to a vocabulary, and find in the text before it is parted into words."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from official.checkpoints.storage import json_files
from official.errors import InputError
from official.tokenization import characters
from official.tokenization.basic import BasicTokenizer
from official.tokenization.wordpiece import SPECIAL_TOKENS


@dataclasses.dataclass(frozen=True)
class AddedToken:
    """A token, and what a file says of it.

    Attributes:
        path: of the file.
        field: where in the file.
        content: the token.
        id: None where the file gives none: the token then stands in the vocabulary, or comes after it.
        normalized: found in the normalised text, in every spelling that becomes `content`; else in the text as it is.
    """

    path: str
    field: str
    content: str
    id: int | None = None
    normalized: bool = False


def parse(path: str, field: str, entry: Any, token_id: Any = None) -> AddedToken:
    """An entry of `added_tokens` (which holds its id) or `added_tokens_decoder` (whose key is `token_id`).

    Whether space around the token goes with it (`lstrip`, `rstrip`) is of no account: no word of BERT's holds any.

    Raises:
        InputError: it is no entry, or asks for what our tokenizer can't do.
    """
    if not isinstance(entry, dict):
        raise json_files.wrong(path, field, entry, "an object")
    special, token_id = entry.get("special", False), entry.get("id") if token_id is None else token_id
    normalized = entry.get("normalized", special is not True)
    if type(normalized) is not bool:
        raise json_files.wrong(path, f"{field}.normalized", normalized, "true or false")
    json_files.check_fixed(path, entry, {"single_word": False}, f"{field}.")
    return named(path, f"{field}.content", entry.get("content"), _checked_id(path, f"{field}.id", token_id), normalized)


def decoder_entries(path: str, decoder: Any) -> Iterator[tuple[int, str, Any]]:
    """The id, the field and the value of each entry of `added_tokens_decoder`.

    Raises:
        InputError: it is no object, or a key is no id.
    """
    if not isinstance(decoder, dict):
        raise json_files.wrong(path, "added_tokens_decoder", decoder, "an object of ids and tokens")
    for key, entry in decoder.items():
        if not re.fullmatch("[0-9]{1,12}", key):
            raise json_files.wrong(path, "a key of added_tokens_decoder", key, "an id")
        yield int(key), f"added_tokens_decoder[{key}]", entry


def content_of(value: Any) -> Any:
    """The token that a field names: by itself, or with what is said of it."""
    return value.get("content") if isinstance(value, dict) else value


def never_split(path: str, tokens: Any, special: Iterable[str]) -> list[str]:
    """The special tokens that stay whole in the text: the tokenizers of today pass over the others.

    Raises:
        InputError: `tokens` are no list.
    """
    if not isinstance(tokens, list | None):
        raise json_files.wrong(path, "never_split", tokens, "a list of tokens")
    return [token for token in special if token in (tokens or [])]


def named(path: str, field: str, content: Any, token_id: int | None = None, normalized: bool = False) -> AddedToken:
    """A token of which a file gives the name, and perhaps the id.

    Raises:
        InputError: it is no name.
    """
    if not json_files.is_text(content) or not content:
        raise json_files.wrong(path, field, content, "a token")
    return AddedToken(path, field, content, token_id, normalized)


def parse_id(path: str, token: str, token_id: Any, normalized: bool) -> AddedToken:
    """A member of `added_tokens.json`: a token and its id.

    Raises:
        InputError: they are none.
    """
    return named(path, "a key", token, _checked_id(path, f"the id of {json_files.spell(token)}", token_id), normalized)


def _checked_id(path: str, field: str, token_id: Any) -> int:
    if not json_files.is_whole_number(token_id):
        raise json_files.wrong(path, field, token_id, "an id, a whole number,")
    return token_id


def extend(tokens: Sequence[str], added: Iterable[AddedToken]) -> list[str]:
    """The vocabulary with the tokens that are not yet in it, in the order of their ids.

    Raises:
        InputError: an id is another token's, or lies beyond the end.
    """
    tokens = list(tokens)
    ids = {token: index for index, token in enumerate(tokens)}
    for token in sorted(added, key=lambda token: (token.id is None, token.id or 0)):
        place = ids.setdefault(token.content, len(tokens))
        if token.id not in (None, place):
            found = f"{token.field} is {json_files.spell(token.content)} with id {token.id}"
            raise InputError(f"{token.path}: {found}: {_expected(tokens, token, place)}")
        if place == len(tokens):
            tokens.append(token.content)
    return tokens


def _expected(tokens: Sequence[str], token: AddedToken, place: int) -> str:
    if place < len(tokens):
        return f"its id in the vocabulary, {place}, was expected"
    if token.id < len(tokens):
        other = json_files.spell(tokens[token.id])
        return f"this is the id of {other}, and {place}, the next after the vocabulary, was expected"
    return f"{place}, the next after the vocabulary, was expected"


def atomic(added: Iterable[AddedToken], changes_letters: bool) -> list[str]:
    """The tokens that stay whole in the text: all but the five special ones, as published.

    Args:
        added: tokens.
        changes_letters: whether text is lower-cased or stripped of accents.

    Raises:
        InputError: one of them would be found in other spellings too, or never.
    """
    found = [token for token in added if token.content not in SPECIAL_TOKENS]
    for token in found:
        where = f"{token.path}: {token.field} is {json_files.spell(token.content)}"
        # Without a change of letters normalisation only sets ideographs apart.
        if token.normalized and (changes_letters or any(map(characters.is_cjk, token.content))):
            raise InputError(
                f"{where} with normalized true, to be found in whatever normalisation makes the same: false was "
                "expected, to be found as it is written"
            )
        try:
            BasicTokenizer(atomic_tokens=[token.content])
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
    return [token.content for token in found]
