"""`tokenizer.json` as the tokenizers library keeps it: the vocabulary, and all that is done to text before.

Fields: huggingface/tokenizers, tokenizers/src/tokenizer/serialization.rs, normalizers/bert.rs and
models/wordpiece/serialization.rs. The library has no place for a token that a vocabulary repeats. It is written with
invisible characters behind it, which no word can match, so that every id has its token and the size is right.
"""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from official.checkpoints.storage import json_files
from official.checkpoints.tokenizers import tokenizer_additions
from official.checkpoints.tokenizers.tokenizer_additions import AddedToken
from official.errors import InputError
from official.tokenization.wordpiece import CLS, CONTINUATION, SEP, SPECIAL_TOKENS, UNK, WordPieceTokenizer

FILE = "tokenizer.json"
# What our tokenizer does, and nothing else.
FIXED = {
    "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True},
    "pre_tokenizer": {"type": "BertPreTokenizer"},
    "model": {"type": "WordPiece", "unk_token": UNK, "continuing_subword_prefix": CONTINUATION},
}
LONGEST_WORD = 1 << 20  # Characters; more can only be a mistake.


@dataclasses.dataclass(frozen=True)
class TokenizerJson:
    """What such a file says.

    Attributes:
        path: of the file.
        names: id → token.
        lower_case: whether text is lower-cased.
        strip_accents: None follows `lower_case`.
        max_input_chars_per_word: longer words become [UNK].
        added: the added tokens, the special ones among them.
    """

    path: str
    names: dict[int, str]
    lower_case: bool
    strip_accents: bool | None
    max_input_chars_per_word: int
    added: list[AddedToken]

    def tokens(self) -> list[str]:
        """The token of each id, stripped as the lines of a vocabulary are; "" where there is none."""
        return [self.names.get(index, "").strip() for index in range(1 + max(self.names, default=-1))]

    def check_ids(self, vocab_file: str, tokens: Sequence[str]) -> None:
        """Compares the vocabulary with another one.

        Args:
            vocab_file: where the other was read.
            tokens: the other; of a repeated token the last id counts, and only that one must be here.

        Raises:
            InputError: they differ.
        """
        last = {token: index for index, token in enumerate(tokens)}
        for index in sorted({*range(len(tokens)), *self.names}):
            theirs, ours = self.names.get(index), tokens[index] if index < len(tokens) else None
            same = last[ours] != index if theirs is None else theirs.strip() == ours
            if not same:
                found, other = json_files.spell(theirs), json_files.spell(ours)
                raise InputError(f"{self.path}: the token of id {index} is {found}, in {vocab_file} it is {other}")


def read(path: str, values: Mapping[str, Any]) -> TokenizerJson:
    """What the file of this path says, which holds these values.

    Raises:
        InputError: it is broken, or describes what our tokenizer can't do exactly.
    """
    for section, fixed in FIXED.items():
        if not isinstance(values.get(section), dict):
            raise json_files.wrong(path, section, values.get(section), "an object")
        json_files.check_fixed(path, values[section], fixed, f"{section}.")
    normalizer, model = values["normalizer"], values["model"]
    return TokenizerJson(
        path,
        _read_vocabulary(path, model.get("vocab")),
        json_files.one_of(path, "normalizer.lowercase", normalizer.get("lowercase"), (True, False)),
        json_files.one_of(path, "normalizer.strip_accents", normalizer.get("strip_accents"), (None, True, False)),
        _read_longest_word(path, model.get("max_input_chars_per_word")),
        _read_added(path, values.get("added_tokens")),
    )


def _read_longest_word(path: str, value: Any) -> int:
    if not json_files.is_whole_number(value) or not 1 <= value <= LONGEST_WORD:
        raise json_files.wrong(
            path, "model.max_input_chars_per_word", value, f"a whole number from 1 to {LONGEST_WORD}"
        )
    return value


def _read_added(path: str, entries: Any) -> list[AddedToken]:
    if not isinstance(entries, list):
        raise json_files.wrong(path, "added_tokens", entries, "a list")
    return [tokenizer_additions.parse(path, f"added_tokens[{number}]", entry) for number, entry in enumerate(entries)]


def _read_vocabulary(path: str, vocab: Any) -> dict[int, str]:
    """id → token, if the ids are ids."""
    if not isinstance(vocab, dict):
        raise json_files.wrong(path, "model.vocab", vocab, "an object of tokens and their ids")
    names: dict[int, str] = {}
    for token, token_id in vocab.items():
        if not json_files.is_text(token):
            raise json_files.wrong(path, "a key of model.vocab", token, "a token that UTF-8 can spell")
        if not json_files.is_whole_number(token_id) or token_id >= 2 * len(vocab):
            expected = f"a whole number below {2 * len(vocab)}, of {len(vocab)} tokens,"
            raise json_files.wrong(path, f"the id of {json_files.spell(token)} in model.vocab", token_id, expected)
        if token_id in names:
            one, other = json_files.spell(names[token_id]), json_files.spell(token)
            raise InputError(f"{path}: {one} and {other} have the same id in model.vocab, {token_id}")
        names[token_id] = token
    _check_repeated(path, vocab)
    return names


def _check_repeated(path: str, vocab: Mapping[str, int]) -> None:
    """Of tokens that differ in the space around them only the bare one matches words: for us it must be the last."""
    for token, token_id in vocab.items():
        bare = token.strip()
        if vocab.get(bare, token_id) < token_id:
            raise json_files.wrong(
                path,
                f"the id of {json_files.spell(token)} in model.vocab",
                token_id,
                f"one below that of {json_files.spell(bare)}",
            )


def describe(tokenizer: WordPieceTokenizer) -> dict[str, Any]:
    """What the file says of a tokenizer."""
    normalizer = {"strip_accents": stated_accents(tokenizer), "lowercase": tokenizer.lower_case}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": token_id, **entry} for token_id, entry in added_tokens(tokenizer).items()],
        "normalizer": FIXED["normalizer"] | normalizer,
        "pre_tokenizer": FIXED["pre_tokenizer"],
        "post_processor": _layout(tokenizer),
        "decoder": {"type": "WordPiece", "prefix": CONTINUATION, "cleanup": True},
        "model": FIXED["model"]
        | {"max_input_chars_per_word": tokenizer.max_input_chars_per_word, "vocab": _unique_names(tokenizer.tokens)},
    }


def stated_accents(tokenizer: WordPieceTokenizer) -> bool | None:
    """Whether accents are stripped; None where that follows lower-casing, as published."""
    return None if tokenizer.strip_accents == tokenizer.lower_case else tokenizer.strip_accents


def added_tokens(tokenizer: WordPieceTokenizer) -> dict[int, dict[str, Any]]:
    """id → entry of the special and the atomic tokens, in the order of the ids."""
    names = {token for token in SPECIAL_TOKENS if token in tokenizer.vocab} | set(tokenizer.atomic_tokens)
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {
        tokenizer.vocab[token]: {"content": token, **flags, "special": token in SPECIAL_TOKENS}
        for token in sorted(names, key=tokenizer.vocab.__getitem__)
    }


def has_layout(tokenizer: WordPieceTokenizer) -> bool:
    """Whether the vocabulary has what stands around texts."""
    return CLS in tokenizer.vocab and SEP in tokenizer.vocab


def _layout(tokenizer: WordPieceTokenizer) -> dict[str, Any] | None:
    """[CLS] a [SEP], and [CLS] a [SEP] b [SEP] with b and what follows in segment 1."""
    if not has_layout(tokenizer):
        return None
    first = [_special(CLS, 0), {"Sequence": {"id": "A", "type_id": 0}}, _special(SEP, 0)]
    return {
        "type": "TemplateProcessing",
        "single": first,
        "pair": [*first, {"Sequence": {"id": "B", "type_id": 1}}, _special(SEP, 1)],
        "special_tokens": {
            token: {"id": token, "ids": [tokenizer.vocab[token]], "tokens": [token]} for token in (CLS, SEP)
        },
    }


def _special(token: str, segment: int) -> dict[str, Any]:
    return {"SpecialToken": {"id": token, "type_id": segment}}


def _unique_names(tokens: Sequence[str]) -> dict[str, int]:
    """Token → id; a repeated token keeps its name at its last id, and has invisible characters behind it before."""
    left = Counter(tokens)
    names = {}
    for index, token in enumerate(tokens):
        left[token] -= 1
        names[token + _invisible(left[token])] = index
    return names


def _invisible(number: int) -> str:
    """A number in binary, of spaces and tabs; nothing for 0."""
    return f"{number:b}".replace("0", " ").replace("1", "\t") if number else ""
