"""The tokenizer that belongs to a checkpoint, from the files beside the weights and to them.

Here is WordPiece; each other kind has a module of its own in KINDS.
"""

import os
import re
from collections.abc import Sequence

from official import files
from official.checkpoints.storage import json_files
from official.checkpoints.tokenizers import (
    byte_level_bpe_files,
    sentence_piece_files,
    tokenizer_additions,
    tokenizer_json,
    tokenizer_keras_hub,
    tokenizer_settings,
)
from official.checkpoints.tokenizers.tokenizer_json import TokenizerJson
from official.checkpoints.tokenizers.tokenizer_settings import Settings
from official.errors import InputError
from official.tokenization.byte_level_bpe import ByteLevelBpeTokenizer
from official.tokenization.sentence_piece import SentencePieceTokenizer
from official.tokenization.tokenizer import Tokenizer
from official.tokenization.wordpiece import WordPieceTokenizer, read_vocabulary

VOCABULARY = "vocab.txt"
HUGGING_FACE_CONFIG = "config.json"
PUBLISHED_LONGEST_WORD, HUGGING_FACE_LONGEST_WORD = 200, 100
# The checkpoints that google-research/bert released, and whether their text was lower-cased (tokenization.py:52-64).
RELEASED = re.compile(r"(?:wwm_|multi_)?(uncased|cased|multilingual|chinese)_L-\d+_H-\d+_A-\d+")
LOWER_CASED = {"uncased": True, "cased": False, "multilingual": True, "chinese": True}

# Other kinds than WordPiece. A module has is_here(directory), read(directory), describe(tokenizer),
# write_hugging_face(tokenizer, directory, max_length) and write_vocabulary(tokenizer, directory).
KINDS = {ByteLevelBpeTokenizer: byte_level_bpe_files, SentencePieceTokenizer: sentence_piece_files}


def read_tokenizer(path: str) -> Tokenizer | None:
    """The tokenizer of a checkpoint. What follows is said of WordPiece.

    Tokens added to the five special ones are atomic: found in the text before it is parted into words. The five are
    not, as published, unless `never_split` names them.

    Where no file says whether to lower-case, the name of a released checkpoint in the path tells, such as
    `cased_L-12_H-768_A-12`. Elsewhere the vocabulary does: a token with a capital letter, other than [..] and <..>,
    can't come from lower-cased text. (transformers lower-cases there whatever the vocabulary.)

    Words longer than 100 characters become [UNK] in Hugging Face's directories and in keras-hub's, 200 in the
    original's, unless `tokenizer.json` says otherwise.

    Args:
        path: a Hugging Face directory, a keras-hub preset, a directory with a TF1 checkpoint, such a checkpoint's
            prefix, or an `output_dir` of ours.

    Returns:
        None where there is no vocabulary.

    Raises:
        InputError: there is nothing of that name, a file is broken or contradicts another, or they describe a
            tokenizer that ours can't be exactly.
    """
    prefix = path.removesuffix(".index")
    if files.exists(f"{prefix}.index"):
        return _read_directory(os.path.dirname(prefix))
    if not files.exists(path):
        raise InputError(f"{path}: no such directory or checkpoint")
    tokenizer = _read_directory(path)
    return tokenizer if tokenizer is not None else _read_directory(os.path.join(path, "model"))


def _read_directory(directory: str) -> Tokenizer | None:
    for kind in KINDS.values():
        if kind.is_here(directory):
            return kind.read(directory)
    settings = tokenizer_settings.read(directory)
    path = os.path.join(directory, tokenizer_json.FILE)
    described = None
    if files.exists(path):
        values = json_files.read_object(path)
        if "class_name" in values:
            return tokenizer_keras_hub.read(directory, path, values)
        described = tokenizer_json.read(path, values)
    vocab_file = os.path.join(directory, VOCABULARY)
    if files.exists(vocab_file):
        tokens = read_vocabulary(vocab_file)
        if described is not None:
            described.check_ids(vocab_file, tokens)
    elif described is not None:
        vocab_file, tokens = path, described.tokens()
    else:
        return None
    return _combine(directory, vocab_file, tokens, settings, described)


def _combine(
    directory: str, vocab_file: str, tokens: Sequence[str], settings: Settings, described: TokenizerJson | None
) -> WordPieceTokenizer:
    added = settings.added if described is None else [*described.added, *settings.added]
    lower_case = _lower_case(settings, described)
    if lower_case is None:
        lower_case = _is_lower_cased(directory, tokens)
    strip_accents = _strip_accents(settings, described, lower_case)
    tokens = tokenizer_additions.extend(tokens, added)
    never_split = [token for token in settings.never_split if token in tokens]
    return WordPieceTokenizer.from_tokens(
        tokens,
        vocab_file,
        lower_case=lower_case,
        strip_accents=strip_accents,
        atomic_tokens=never_split + tokenizer_additions.atomic(added, lower_case or strip_accents),
        max_input_chars_per_word=_longest_word(directory) if described is None else described.max_input_chars_per_word,
    )


def _lower_case(settings: Settings, described: TokenizerJson | None) -> bool | None:
    """What the files say; None where they say nothing."""
    stated = settings.stated.get("do_lower_case")
    if described is None:
        return stated
    if stated is not None and stated != described.lower_case:
        raise _contradiction(settings, "do_lower_case", stated, described, "lowercase", described.lower_case)
    return described.lower_case


def _strip_accents(settings: Settings, described: TokenizerJson | None, lower_case: bool) -> bool:
    def whole(value: bool | None) -> bool:
        return lower_case if value is None else value

    stated = settings.stated.get("strip_accents")
    if described is None:
        return whole(stated)
    if "strip_accents" in settings.stated and whole(stated) != whole(described.strip_accents):
        raise _contradiction(settings, "strip_accents", stated, described, "strip_accents", described.strip_accents)
    return whole(described.strip_accents)


def _contradiction(
    settings: Settings, field: str, stated: bool | None, described: TokenizerJson, other: str, value: bool | None
) -> InputError:
    return InputError(
        f"{settings.path}: {field} is {json_files.spell(stated)}, but normalizer.{other} is {json_files.spell(value)} "
        f"in {described.path}: the same was expected"
    )


def _longest_word(directory: str) -> int:
    """What transformers and the original take; only transformers' directories have its files."""
    names = (HUGGING_FACE_CONFIG, tokenizer_settings.FILE)
    theirs = any(files.exists(os.path.join(directory, name)) for name in names)
    return HUGGING_FACE_LONGEST_WORD if theirs else PUBLISHED_LONGEST_WORD


def _is_lower_cased(directory: str, tokens: Sequence[str]) -> bool:
    if released := RELEASED.findall(directory):
        return LOWER_CASED[released[-1]]
    words = (token for token in tokens if token[:1] + token[-1:] not in ("[]", "<>"))
    return all(token == token.lower() for token in words)


def describe_tokenizer(tokenizer: Tokenizer) -> str:
    """Kind, size and settings in a line."""
    if kind := KINDS.get(type(tokenizer)):
        return kind.describe(tokenizer)
    case = "lower-cased" if tokenizer.lower_case else "cased"
    accents = "" if tokenizer.strip_accents == tokenizer.lower_case else f", strip_accents {tokenizer.strip_accents}"
    atomic = f", {len(tokenizer.atomic_tokens)} kept whole" if tokenizer.atomic_tokens else ""
    return f"WordPiece, {tokenizer.vocab_size:,} tokens, {case}{accents}{atomic}"


def write_hugging_face(tokenizer: Tokenizer, directory: str, max_length: int) -> list[str]:
    """Writes what `transformers.AutoTokenizer` reads: the vocabulary and three JSON files.

    Args:
        tokenizer: any of ours.
        directory: made if need be.
        max_length: the number of tokens that the model takes.

    Returns:
        What transformers does otherwise.

    Raises:
        InputError: a file can't be written, or a token can't be a line of a vocabulary.
    """
    if kind := KINDS.get(type(tokenizer)):
        return kind.write_hugging_face(tokenizer, directory, max_length)
    _write_vocabulary(tokenizer, directory)
    contents = {
        tokenizer_json.FILE: tokenizer_json.describe(tokenizer),
        tokenizer_settings.SPECIAL_FILE: tokenizer_settings.describe_special(tokenizer),
        tokenizer_settings.FILE: tokenizer_settings.describe(tokenizer, max_length),
    }
    for name, values in contents.items():
        json_files.write(os.path.join(directory, name), values)
    longest = tokenizer.max_input_chars_per_word
    if longest == HUGGING_FACE_LONGEST_WORD or not tokenizer_json.has_layout(tokenizer):
        return []
    return [
        f"words longer than {HUGGING_FACE_LONGEST_WORD} characters are [UNK] in transformers 5, here from {longest}"
    ]


def write_tf1(tokenizer: Tokenizer, directory: str) -> list[str]:
    """Writes what google-research/bert reads: the vocabulary; of other kinds than WordPiece theirs.

    Returns:
        What that doesn't hold, and that the original can't do.

    Raises:
        InputError: the file can't be written, or a token can't be a line of it.
    """
    if kind := KINDS.get(type(tokenizer)):
        return kind.write_vocabulary(tokenizer, directory)
    _write_vocabulary(tokenizer, directory)
    notes = []
    if tokenizer.atomic_tokens:
        notes.append(f"{', '.join(tokenizer.atomic_tokens)}: kept whole here, parted like other text by the original")
    if tokenizer.strip_accents != tokenizer.lower_case:
        notes.append(f"accents are {'' if tokenizer.strip_accents else 'not '}stripped here, with lower-casing there")
    if tokenizer.max_input_chars_per_word != PUBLISHED_LONGEST_WORD:
        longest = tokenizer.max_input_chars_per_word
        notes.append(f"words longer than {longest} characters are [UNK] here, from {PUBLISHED_LONGEST_WORD} there")
    return notes


def _write_vocabulary(tokenizer: WordPieceTokenizer, directory: str) -> None:
    path = os.path.join(directory, VOCABULARY)
    for token_id, token in enumerate(tokenizer.tokens):
        if token != token.strip() or re.search(r"[\r\n]", token) or not json_files.is_text(token):
            raise InputError(f"{path}: token {token_id} is {token!r}, which can't be a line of a vocabulary")
    files.make_directory(directory)
    with files.write_whole(path) as file:
        file.writelines(f"{token}\n" for token in tokenizer.tokens)
