"""SentencePiece tokenizers beside a checkpoint: ALBERT's, of Hugging Face's directories and of its own.

Sources: transformers 5.24, models/albert/tokenization_albert.py, and 4.57, where the slow tokenizer of that name does
what google-research/albert does, but for quotes. Where the two of transformers differ, the slow one is followed.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from official import files
from official.checkpoints.storage import json_files
from official.checkpoints.tokenizers import sentence_piece_json, sentence_piece_model, tokenizer_additions
from official.checkpoints.tokenizers.sentence_piece_json import UnigramJson
from official.checkpoints.tokenizers.tokenizer_additions import AddedToken
from official.errors import InputError
from official.tokenization.sentence_piece import ALBERT_TOKENS, AS_ALBERT, AS_XLNET, SentencePieceTokenizer, load
from official.tokenization.sentence_piece_text import TextRules

MODEL, VOCABULARY, SETTINGS = "spiece.model", "vocab.txt", "tokenizer_config.json"
SPECIAL_FILE, ADDED_FILE, CONFIG = "special_tokens_map.json", "added_tokens.json", "config.json"
TF1_MODEL = "30k-clean.model"
CLASSES = ("AlbertTokenizer", "PreTrainedTokenizer", "TokenizersBackend")  # With or without "Fast".
# Settings and the rule of ours that each is; the last is ours alone.
RULES = {
    "do_lower_case": "lower_case", "keep_accents": "keep_accents", "remove_space": "remove_space",
    "convert_quotes": "convert_quotes",
}  # fmt: skip
SPECIAL_FIELDS = {f"{name}_token": token for name, token in ALBERT_TOKENS._asdict().items()}
LISTS = ("additional_special_tokens", "extra_special_tokens")


def is_here(directory: str) -> bool:
    """Whether the tokenizer of a directory is of this kind."""
    path = os.path.join(directory, sentence_piece_json.FILE)
    if files.exists(path):
        model = json_files.read_object(path).get("model")
        return isinstance(model, dict) and model.get("type") == "Unigram"
    return not files.exists(os.path.join(directory, VOCABULARY)) and _find_model(directory) is not None


def _find_model(directory: str) -> str | None:
    """The one file that ends in .model: `spiece.model`, or `30k-clean.model` beside a checkpoint of the original."""
    if not files.is_directory(directory or "."):
        return None
    names = files.list_directory(directory or ".")
    found = [name for name in (MODEL, TF1_MODEL) if name in names] or [n for n in names if n.endswith(".model")]
    return os.path.join(directory, found[0]) if len(found) == 1 or MODEL in found else None


def read(directory: str) -> SentencePieceTokenizer:
    """The tokenizer of a directory that has one.

    In a Hugging Face directory `tokenizer.json` says what is done to text, and `spiece.model`, where there is one, has
    the pieces; what SentencePiece calls a user-defined symbol is then no added token. Without `tokenizer.json` it is
    the slow tokenizer of transformers. Elsewhere it is the original's, lower-casing.

    Raises:
        InputError: a file is broken or contradicts another, or they describe a tokenizer that ours can't be exactly.
    """
    path, model_file = os.path.join(directory, SETTINGS), _find_model(directory)
    settings = json_files.read_object(path) if files.exists(path) else {}
    _check_settings(path, settings)
    json_file = os.path.join(directory, sentence_piece_json.FILE)
    described = None
    if files.exists(json_file):
        described = sentence_piece_json.read(json_file, json_files.read_object(json_file))
    theirs = bool(described or settings or files.exists(os.path.join(directory, CONFIG)))
    model, parts = _read_model(model_file, described)
    added = [*(described.added if described else ()), *_read_added(directory, path, settings)]
    options = {
        "rules": _rules(path, settings, described, theirs),
        "digit_comma": _digit_comma(path, settings, (AS_XLNET if theirs else AS_ALBERT) if parts else None),
    }
    names = _others(SentencePieceTokenizer(model, **options), added)
    if model_file is not None:
        symbols = sentence_piece_model.user_defined(model)
        names = [name for name in names if name not in symbols]
    pieces = {piece.piece for piece in sentence_piece_model.parse(model).pieces}
    appended = [name for name in names if name not in pieces]
    whole = tokenizer_additions.never_split(path, settings.get("never_split"), ALBERT_TOKENS)
    tokenizer = SentencePieceTokenizer(model, **options, added_tokens=appended, atomic_tokens=[*names, *whole])
    tokenizer.vocab_file = model_file or json_file
    return tokenizer


def _read_model(model_file: str | None, described: UnigramJson | None) -> tuple[bytes, bool]:
    """The model, and whether pieces that end in a digit and a comma are parted."""
    if model_file is None:
        model = described.model(ALBERT_TOKENS)
        try:
            load(model)
        except InputError as error:
            raise InputError(f"{described.path}: its vocabulary makes no SentencePiece model") from error
        return model, False
    with files.open_file(model_file, "rb") as file:
        model = file.read()
    try:
        load(model)
    except InputError as error:
        raise InputError(f"{model_file}: {error}") from error
    return model, described is None or described.parts_digit_comma(model, model_file)


def _check_settings(path: str, settings: Mapping[str, Any]) -> None:
    name = settings.get("tokenizer_class")
    if name is not None and (not isinstance(name, str) or name.removesuffix("Fast") not in CLASSES):
        raise json_files.wrong(path, "tokenizer_class", name, f"one of {', '.join(CLASSES)}")
    json_files.check_fixed(path, settings, {"sp_model_kwargs": {}, "add_prefix_space": True})
    for field, token in SPECIAL_FIELDS.items():
        if settings.get(field) is not None and tokenizer_additions.content_of(settings[field]) != token:
            raise json_files.wrong(path, field, settings[field], f'"{token}"')


def _flag(path: str, settings: Mapping[str, Any], field: str, default: bool) -> bool:
    return json_files.one_of(path, field, settings.get(field, default), (True, False))


def _digit_comma(path: str, settings: Mapping[str, Any], default: str | None) -> str | None:
    """A setting of our own: transformers passes over it."""
    value = settings.get("digit_comma", default)
    if value not in (AS_ALBERT, AS_XLNET, None):
        raise json_files.wrong(path, "digit_comma", value, f'"{AS_ALBERT}", "{AS_XLNET}" or null')
    return value


def _rules(path: str, settings: Mapping[str, Any], described: UnigramJson | None, theirs: bool) -> TextRules:
    """What the files say; where they say nothing, what transformers or the original does."""
    default = described.rules if described else TextRules(convert_quotes=theirs)
    rules = TextRules(**{rule: _flag(path, settings, field, getattr(default, rule)) for field, rule in RULES.items()})
    for field, rule in RULES.items():
        if described and rule != "remove_space" and getattr(rules, rule) != getattr(default, rule):
            raise json_files.wrong(
                path, field, settings[field], f"{json_files.spell(getattr(default, rule))}, as in {described.path},"
            )
    return rules


def _read_added(directory: str, path: str, settings: Mapping[str, Any]) -> Iterable[AddedToken]:
    """The tokens that the settings add; the two older files only count where these have no `added_tokens_decoder`."""
    yield from _settings_tokens(path, settings)
    if "added_tokens_decoder" in settings:
        return
    path = os.path.join(directory, SPECIAL_FILE)
    if files.exists(path):
        yield from _settings_tokens(path, json_files.read_object(path))
    path = os.path.join(directory, ADDED_FILE)
    if files.exists(path):
        for token, token_id in json_files.read_object(path).items():
            yield tokenizer_additions.parse_id(path, token, token_id, normalized=False)


def _settings_tokens(path: str, settings: Mapping[str, Any]) -> Iterable[AddedToken]:
    """The tokens that these files add."""
    if (decoder := settings.get("added_tokens_decoder")) is not None:
        for token_id, field, entry in tokenizer_additions.decoder_entries(path, decoder):
            yield tokenizer_additions.parse(path, field, entry, token_id)
    for field in LISTS:
        found = settings.get(field) or []
        if not isinstance(found, list | dict):
            raise json_files.wrong(path, field, found, "a list of tokens")
        for one in found.values() if isinstance(found, dict) else found:
            yield tokenizer_additions.named(path, field, tokenizer_additions.content_of(one))


def _others(tokenizer: SentencePieceTokenizer, added: Iterable[AddedToken]) -> list[str]:
    """The added tokens beyond the five special ones, in the order of their ids.

    Raises:
        InputError: an id is another token's, or one would be found in the normalised text only.
    """
    added = list(added)
    tokenizer_additions.extend(tokenizer.tokens, added)
    others = [token for token in added if token.content not in tokenizer.special]
    for token in others:
        if token.normalized and (tokenizer.rules.lower_case or not tokenizer.rules.keep_accents):
            raise InputError(
                f"{token.path}: {token.field} is {json_files.spell(token.content)} with normalized true, to be found "
                "in whatever normalisation makes the same: false was expected, to be found as it is written"
            )
    return list(dict.fromkeys(token.content for token in sorted(others, key=lambda token: token.id or 1 << 60)))


def describe(tokenizer: SentencePieceTokenizer) -> str:
    """Kind, size and settings in a line."""
    rules = tokenizer.rules
    case = "lower-cased" if rules.lower_case else "cased"
    accents = ", accents kept" if rules.keep_accents else ""
    atomic = f", {len(tokenizer.atomic_tokens)} kept whole" if tokenizer.atomic_tokens else ""
    return f"SentencePiece, {tokenizer.vocab_size:,} tokens, {case}{accents}{atomic}"


def write_hugging_face(tokenizer: SentencePieceTokenizer, directory: str, max_length: int) -> list[str]:
    """Writes what `transformers.AutoTokenizer` reads: the model and three JSON files.

    Args:
        tokenizer: any of this kind.
        directory: made if need be.
        max_length: the number of tokens that the model takes.

    Returns:
        What transformers does otherwise.

    Raises:
        InputError: a file can't be written, or transformers can't be told what the tokenizer does.
    """
    described = sentence_piece_json.describe(tokenizer)
    files.make_directory(directory)
    _write_model(tokenizer, os.path.join(directory, MODEL))
    special = {field: token for field, token in _special_fields(tokenizer).items() if token in tokenizer.vocab}
    contents = {
        sentence_piece_json.FILE: described,
        SPECIAL_FILE: special,
        SETTINGS: _describe_settings(tokenizer, max_length, special),
    }
    for name, values in contents.items():
        json_files.write(os.path.join(directory, name), values)
    if not tokenizer.parted:
        return []
    return [
        f"{len(tokenizer.parted)} pieces that end in a digit and a comma are parted here; "
        "transformers 5 avoids them, which is nearly the same"
    ]


def _special_fields(tokenizer: SentencePieceTokenizer) -> dict[str, str]:
    return {f"{name}_token": token for name, token in tokenizer.special._asdict().items()}


def _describe_settings(
    tokenizer: SentencePieceTokenizer, max_length: int, special: Mapping[str, str]
) -> dict[str, Any]:
    entries = sentence_piece_json.added_tokens(tokenizer)
    rules = {field: getattr(tokenizer.rules, rule) for field, rule in RULES.items()}
    return {
        "added_tokens_decoder": {str(token_id): entry for token_id, entry in entries.items()},
        **rules,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "model_max_length": max_length,
        "never_split": [token for token in tokenizer.special if token in tokenizer.atomic_tokens] or None,
        "digit_comma": tokenizer.digit_comma,
        **special,
        # AlbertTokenizer makes a tokenizer of its own; this one does what tokenizer.json says.
        "tokenizer_class": "PreTrainedTokenizerFast",
    }


def write_vocabulary(tokenizer: SentencePieceTokenizer, directory: str) -> list[str]:
    """Writes what google-research/albert reads: the model, and its pieces with their scores.

    Returns:
        What that doesn't hold, and that the original can't do.

    Raises:
        InputError: a file can't be written.
    """
    files.make_directory(directory)
    path = os.path.join(directory, TF1_MODEL)
    _write_model(tokenizer, path)
    with files.write_whole(f"{path.removesuffix('.model')}.vocab") as file:
        file.writelines(f"{piece}\t{score:g}\n" for piece, score in tokenizer.scores())
    notes = []
    if tokenizer.atomic_tokens:
        notes.append(f"{', '.join(tokenizer.atomic_tokens)}: kept whole here, parted like other text by the original")
    if tokenizer.added_tokens:
        notes.append(f"{', '.join(tokenizer.added_tokens)}: not in the model, unknown to the original")
    if tokenizer.digit_comma != AS_ALBERT:
        notes.append("digit_comma: otherwise here than in the original")
    if tokenizer.rules != (published := TextRules(lower_case=tokenizer.rules.lower_case)):
        differ = [name for name, own, other in zip(published._fields, tokenizer.rules, published) if own != other]
        notes.append(f"{', '.join(differ)}: otherwise here than in the original")
    return notes


def _write_model(tokenizer: SentencePieceTokenizer, path: str) -> None:
    with files.write_whole(path, "wb") as file:
        file.write(tokenizer.model)
