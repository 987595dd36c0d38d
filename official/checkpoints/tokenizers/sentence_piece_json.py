"""`tokenizer.json` of type Unigram: a SentencePiece model, and what is done to text before.

Forms that are read: those that transformers 4 and 5 write for ALBERT (convert_slow_tokenizer.py, `AlbertConverter`;
models/albert/tokenization_albert.py), and ours. Where the tokenizers library does otherwise than the published code,
that decides: white space at the end of a text, Σ at the end of a word, marks without a combining class (vowels of
Thai).
"""

import base64
import binascii
import dataclasses
import unicodedata
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from official.checkpoints.storage import json_files
from official.checkpoints.tokenizers import sentence_piece_model, tokenizer_additions
from official.checkpoints.tokenizers.tokenizer_additions import AddedToken
from official.errors import InputError
from official.tokenization.code_points import assigned_characters
from official.tokenization.sentence_piece import SPACE, SentencePieceTokenizer, ends_in_digit_comma
from official.tokenization.sentence_piece_text import WHITE_SPACE, TextRules

FILE = "tokenizer.json"
# Pieces that end in a digit and a comma are as good as never taken: transformers' way to part them.
COMMA_PENALTY = 100.0
_METASPACE = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always", "split": True}
_WHITE_SPACE_RUN = f"[{WHITE_SPACE}]+"


@dataclasses.dataclass(frozen=True)
class UnigramJson:
    """What such a file says.

    Attributes:
        path: of the file.
        vocabulary: pieces and their scores.
        unk_id: which of them is [UNK].
        rules: what is done to text before.
        character_map: of SentencePiece's own normalisation.
        added: the added tokens, special ones among them.
        special: those of them that are special.
    """

    path: str
    vocabulary: list[tuple[str, float]]
    unk_id: int
    rules: TextRules
    character_map: bytes
    added: list[AddedToken]
    special: list[str]

    def model(self, control: Sequence[str]) -> bytes:
        """A `spiece.model` that says the same."""
        return sentence_piece_model.build(self.vocabulary, self.unk_id, {*control, *self.special}, self.character_map)

    def parts_digit_comma(self, model: bytes, model_file: str) -> bool:
        """Compares with a model: whether pieces that end in a digit and a comma are to be parted.

        Raises:
            InputError: it is another one.
        """
        theirs = [(piece.piece, piece.score) for piece in sentence_piece_model.parse(model).pieces]
        for index, (own, other) in enumerate(zip(self.vocabulary, theirs)):
            if own[0] != other[0]:
                found, there = json_files.spell(own[0]), json_files.spell(other[0])
                raise InputError(f"{self.path}: the piece of id {index} is {found}, in {model_file} it is {there}")
        if len(self.vocabulary) != len(theirs):
            raise InputError(f"{self.path}: {len(self.vocabulary)} pieces, and {len(theirs)} in {model_file}")
        parted = [(own[1], other[1]) for own, other in zip(self.vocabulary, theirs) if ends_in_digit_comma(own[0])]
        return all(own < other - COMMA_PENALTY / 2 for own, other in parted)


def read(path: str, values: Mapping[str, Any]) -> UnigramJson:
    """What the file of this path says, which holds these values.

    Raises:
        InputError: it is broken, or describes what our tokenizer can't do exactly.
    """
    model = _object(path, "model", values.get("model"))
    json_files.check_fixed(path, model, {"type": "Unigram", "byte_fallback": False}, "model.")
    vocabulary = _read_vocabulary(path, model.get("vocab"))
    unk_id = model.get("unk_id")
    if not json_files.is_whole_number(unk_id) or unk_id >= len(vocabulary):
        raise json_files.wrong(path, "model.unk_id", unk_id, "the id of a piece")
    _check_pre_tokenizer(path, _object(path, "pre_tokenizer", values.get("pre_tokenizer")))
    rules, character_map = _read_normalizer(path, values.get("normalizer"))
    entries = values.get("added_tokens")
    if not isinstance(entries, list):
        raise json_files.wrong(path, "added_tokens", entries, "a list")
    added = [tokenizer_additions.parse(path, f"added_tokens[{index}]", entry) for index, entry in enumerate(entries)]
    special = [entry["content"] for entry in entries if entry.get("special") is True]
    return UnigramJson(path, vocabulary, unk_id, rules, character_map, added, special)


def _object(path: str, field: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise json_files.wrong(path, field, value, "an object")
    return value


def _read_vocabulary(path: str, entries: Any) -> list[tuple[str, float]]:
    if not isinstance(entries, list) or not entries:
        raise json_files.wrong(path, "model.vocab", entries, "a list of pieces and scores")
    for index, entry in enumerate(entries):
        well_formed = isinstance(entry, list) and len(entry) == 2 and json_files.is_text(entry[0]) and entry[0]
        if not well_formed or type(entry[1]) not in (int, float) or not abs(entry[1]) < 1e30:
            raise json_files.wrong(path, f"model.vocab[{index}]", entry, "a piece and its score")
    return [(piece, float(score)) for piece, score in entries]


def _check_pre_tokenizer(path: str, value: dict[str, Any]) -> None:
    """Words, each with ▁ before it; `add_prefix_space` and `str_rep` are what older files have."""
    parts = value.get("pretokenizers") if value.get("type") == "Sequence" else [value]
    parts = [part for part in parts if part != {"type": "WhitespaceSplit"}] if isinstance(parts, list) else []
    if len(parts) != 1 or not isinstance(parts[0], dict):
        raise json_files.wrong(path, "pre_tokenizer", value, "Metaspace, with or without WhitespaceSplit,")
    fixed = {"type": "Metaspace", "replacement": SPACE, "add_prefix_space": True, "split": True}
    json_files.check_fixed(path, parts[0], fixed, "pre_tokenizer.")
    if parts[0].get("prepend_scheme", "always") not in ("always", "first"):
        raise json_files.wrong(path, "pre_tokenizer.prepend_scheme", parts[0]["prepend_scheme"], '"always"')


def _read_normalizer(path: str, value: Any) -> tuple[TextRules, bytes]:
    steps = value.get("normalizers") if isinstance(value, dict) and value.get("type") == "Sequence" else [value]
    if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
        raise json_files.wrong(path, "normalizer", value, "a sequence of steps")
    character_map, names = b"", []
    for number, step in enumerate(steps):
        if step.get("type") == "Precompiled":
            character_map = _read_character_map(path, f"normalizer.normalizers[{number}]", step)
            continue
        name = next((name for name, known in _steps().items() if step in known), None)
        if name is None:
            raise json_files.wrong(path, f"normalizer.normalizers[{number}]", step, "a step of ALBERT's")
        names.append(name)
    expected = [name for name in _steps() if name in names]
    if names != expected or ("decompose" in names) != ("strip" in names):
        raise json_files.wrong(path, "normalizer", " ".join(names), f"{' '.join(_steps())}, in this order,")
    rules = TextRules(convert_quotes="quotes" in names, keep_accents="strip" not in names, lower_case="lower" in names)
    return rules, character_map


def _read_character_map(path: str, field: str, step: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(step.get("precompiled_charsmap"), validate=True)
    except (TypeError, ValueError, binascii.Error) as error:
        raise json_files.wrong(path, f"{field}.precompiled_charsmap", None, "base64") from error


def _replace(pattern: Mapping[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": dict(pattern), "content": content}


def _steps() -> dict[str, list[dict[str, Any]]]:
    """What is done to text, in this order: the ways to say each step, ours first."""
    return {
        "spaces": [_replace({"Regex": _WHITE_SPACE_RUN}, " ")],
        "quotes": [_replace({"String": "``"}, '"')],
        "single quotes": [_replace({"String": "''"}, '"')],
        "decompose": [{"type": "NFKD"}],
        "strip": [_replace({"Regex": combining_pattern()}, ""), {"type": "StripAccents"}],
        "lower": [{"type": "Lowercase"}],
        "runs": [_replace({"Regex": " {2,}"}, " ")],  # Characters may become spaces.
        "ends": [{"type": "Strip", "strip_left": True, "strip_right": True}],
    }


def combining_pattern() -> str:
    """A regular expression for the marks that `strip_combining` drops."""
    marks = [ord(character) for character in assigned_characters() if unicodedata.combining(character)]
    starts = [marks[0], *(mark for before, mark in pairwise(marks) if mark != before + 1)]
    ends = [*(before for before, mark in pairwise(marks) if mark != before + 1), marks[-1]]
    ranges = (rf"\x{{{start:X}}}-\x{{{end:X}}}" for start, end in zip(starts, ends))
    return f"[{''.join(ranges)}]+"


def describe(tokenizer: SentencePieceTokenizer) -> dict[str, Any]:
    """What the file says of a tokenizer.

    Raises:
        InputError: the library can't do what it does.
    """
    model = sentence_piece_model.require_usual(tokenizer.model)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": token_id, **entry} for token_id, entry in added_tokens(tokenizer).items()],
        "normalizer": {
            "type": "Sequence",
            "normalizers": _describe_steps(tokenizer.rules, model.normalizer_spec.precompiled_charsmap),
        },
        "pre_tokenizer": _METASPACE,
        "post_processor": _layout(tokenizer),
        "decoder": _METASPACE,
        "model": {
            "type": "Unigram",
            "unk_id": tokenizer.unk_id,
            "vocab": [[piece.piece, _score(piece, tokenizer.digit_comma is not None)] for piece in model.pieces],
            "byte_fallback": False,
        },
    }


def _score(piece: Any, parts_digit_comma: bool) -> float:
    return piece.score - (COMMA_PENALTY if parts_digit_comma and ends_in_digit_comma(piece.piece) else 0.0)


def _describe_steps(rules: TextRules, character_map: bytes) -> list[dict[str, Any]]:
    left_out = set()
    if not rules.remove_space:
        left_out |= {"spaces"}
    if not rules.convert_quotes:
        left_out |= {"quotes", "single quotes"}
    if rules.keep_accents:
        left_out |= {"decompose", "strip"}
    if not rules.lower_case:
        left_out |= {"lower"}
    steps = [ways[0] for name, ways in _steps().items() if name not in left_out]
    if character_map:
        encoded = base64.b64encode(character_map).decode("ascii")
        steps.insert(-2, {"type": "Precompiled", "precompiled_charsmap": encoded})
    return steps


def added_tokens(tokenizer: SentencePieceTokenizer) -> dict[int, dict[str, Any]]:
    """id → entry of the special, the added and the atomic tokens, in the order of the ids."""
    special = {token for token in tokenizer.special if token in tokenizer.vocab}
    names = special | set(tokenizer.atomic_tokens) | set(tokenizer.added_tokens)
    flags = {"single_word": False, "rstrip": False, "normalized": False}
    return {
        tokenizer.vocab[token]: {
            "content": token, "lstrip": token == tokenizer.special.mask, **flags, "special": token in special
        }
        for token in sorted(names, key=tokenizer.vocab.__getitem__)
    }  # fmt: skip


def has_layout(tokenizer: SentencePieceTokenizer) -> bool:
    """Whether the vocabulary has what stands around texts."""
    return tokenizer.special.cls in tokenizer.vocab and tokenizer.special.sep in tokenizer.vocab


def _layout(tokenizer: SentencePieceTokenizer) -> dict[str, Any] | None:
    """[CLS] a [SEP], and [CLS] a [SEP] b [SEP] with b and what follows in segment 1."""
    if not has_layout(tokenizer):
        return None
    cls, sep = tokenizer.special.cls, tokenizer.special.sep

    def mark(token: str, segment: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": token, "type_id": segment}}

    first = [mark(cls, 0), {"Sequence": {"id": "A", "type_id": 0}}, mark(sep, 0)]
    return {
        "type": "TemplateProcessing",
        "single": first,
        "pair": [*first, {"Sequence": {"id": "B", "type_id": 1}}, mark(sep, 1)],
        "special_tokens": {
            token: {"id": token, "ids": [tokenizer.vocab[token]], "tokens": [token]} for token in (cls, sep)
        },
    }
