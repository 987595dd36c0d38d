"""Directories as Hugging Face's transformers keeps them: `config.json`, `model.safetensors`, tokenizer files."""

import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from official import files
from official.checkpoints import registry
from official.checkpoints.family import Family
from official.checkpoints.safetensors import SafetensorsFile, write
from official.checkpoints.source import Shape, Source, translate
from official.errors import InputError

CONFIG, WEIGHTS, VOCABULARY, TOKENIZER = "config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json"


def open_directory(directory: str) -> tuple[Family, Source]:
    """Opens what `save_directory`, or transformers, has written.

    Raises:
        InputError: a file is missing or broken, or the model is one that we do not have.
    """
    path = os.path.join(directory, CONFIG)
    values = _read_json_object(path)
    try:
        # There was no `model_type` before transformers 2.2, and then these were BERTs.
        family = registry.family_of_type(values.get("model_type", "bert"))
        config = family.from_hugging_face(values)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    weights = SafetensorsFile(os.path.join(directory, WEIGHTS))
    return family, translate(weights.path, weights.shapes, weights.read, family.names, config)


def _read_json_object(path: str) -> dict[str, Any]:
    with files.open_file(path) as file:
        text = file.read()
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: a JSON object was expected")
    return values


def save_directory(
    model: keras.Model,
    variables: Mapping[str, keras.Variable],
    directory: str,
    vocab_file: str | None,
    lower_case: bool,
) -> None:
    """Writes the directory; `config.json`, without which nothing can be loaded from it, comes last.

    Args:
        model: of a known family.
        variables: the model's, by our names.
        directory: made if need be.
        vocab_file: goes along, with the tokenizer's settings, if given.
        lower_case: whether the tokenizer lower-cases.

    Raises:
        InputError: a file can't be read or written.
    """
    family = registry.family_of_model(model)
    config = family.to_hugging_face(model)
    vocabulary = None
    if vocab_file is not None:
        with files.open_file(vocab_file, "rb") as file:
            vocabulary = file.read()
        config["pad_token_id"] = _pad_id(vocabulary)
    files.make_directory(directory)
    write(os.path.join(directory, WEIGHTS), (_foreign(family, ours, variables[ours]) for ours in sorted(variables)))
    if vocabulary is not None:
        with files.write_whole(os.path.join(directory, VOCABULARY), "wb") as file:
            file.write(vocabulary)
        _write_json(os.path.join(directory, TOKENIZER), _tokenizer_settings(config, lower_case))
    _write_json(os.path.join(directory, CONFIG), config)


def _foreign(family: Family, ours: str, variable: keras.Variable) -> tuple[str, Shape, Callable[[], np.ndarray]]:
    """Their name, their shape, and how to get the values in that shape."""
    theirs, rule = family.names.to_theirs(ours)
    if not rule.transposed:
        return theirs, tuple(variable.shape), lambda: keras.ops.convert_to_numpy(variable)
    return theirs, tuple(variable.shape)[::-1], lambda: keras.ops.convert_to_numpy(variable).T


def _pad_id(vocabulary: bytes) -> int | None:
    tokens = [line.strip() for line in vocabulary.split(b"\n")]
    return tokens.index(b"[PAD]") if b"[PAD]" in tokens else None


def _tokenizer_settings(config: Mapping[str, Any], lower_case: bool) -> dict[str, Any]:
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
    return special | {
        "do_basic_tokenize": True,
        "do_lower_case": lower_case,
        "model_max_length": config["max_position_embeddings"],
        "strip_accents": None,  # As `do_lower_case` says: the published behaviour.
        "tokenize_chinese_chars": True,
        "tokenizer_class": "BertTokenizer",
    }


def _write_json(path: str, values: Mapping[str, Any]) -> None:
    with files.write_whole(path) as file:
        file.write(json.dumps(values, indent=2, sort_keys=True) + "\n")
