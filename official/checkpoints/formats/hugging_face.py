"""Directories as Hugging Face's transformers keeps them: `config.json`, weights, tokenizer files.

Weights are read from `model.safetensors` or `pytorch_model.bin`, whole or in shards; they are written as the first.
"""

import functools
import json
import os
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np

from official import files
from official.checkpoints import labels, registry
from official.checkpoints.family import Family
from official.checkpoints.names import NameMap
from official.checkpoints.source import Shape, Source, TensorFile, translate, transpose
from official.checkpoints.storage import json_files, safetensors
from official.checkpoints.storage.safetensors import SafetensorsFile
from official.checkpoints.storage.shards import ShardedFiles
from official.checkpoints.storage.torch_file import TorchFile
from official.checkpoints.tokenizers import tokenizer_files
from official.errors import InputError
from official.tokenization.tokenizer import Tokenizer

CONFIG, WEIGHTS = "config.json", "model.safetensors"
# In the order in which transformers looks for them.
OPENED_BY: dict[str, Callable[[str], TensorFile]] = {
    WEIGHTS: SafetensorsFile,
    "model.safetensors.index.json": functools.partial(ShardedFiles, open_file=SafetensorsFile),
    "pytorch_model.bin": TorchFile,
    "pytorch_model.bin.index.json": functools.partial(ShardedFiles, open_file=TorchFile),
}
SETTINGS = "computes_with"  # Our key in the metadata of the weights: the config's fields that no shape shows.


def open_directory(directory: str) -> tuple[Family, Source]:
    """Opens what `save_directory`, or transformers, has written.

    Raises:
        InputError: a file is missing or broken, or the model is one that we do not have.
    """
    path = os.path.join(directory, CONFIG)
    values = json_files.read_object(path)
    try:
        # There was no `model_type` before transformers 2.2, and then these were BERTs.
        family = registry.family_of_type(values.get("model_type", "bert"))
        config = family.from_hugging_face(values)
        names, label_names = family.names_of(values), labels.from_config(values)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    weights = _open_weights(directory)
    _check_settings(path, weights, family, config)
    return family, translate(
        weights,
        names,
        config=config,
        labels=label_names,
        label_type=labels.type_from_config(values),
        notes=_notes(values, config),
        format=f"Hugging Face, {os.path.basename(weights.path)}",
    )


def _open_weights(directory: str) -> TensorFile:
    for name, open_file in OPENED_BY.items():
        path = os.path.join(directory, name)
        if files.exists(path):
            return open_file(path)
    raise InputError(f"{directory}: no weights: one of {', '.join(OPENED_BY)} was expected")


def _check_settings(path: str, weights: TensorFile, family: Family, config: Any) -> None:
    """Refuses a config that would compute something else with these weights than the model they were saved from."""
    metadata = getattr(weights, "metadata", {})
    for field, saved in safetensors.read_json_field(weights.path, metadata, SETTINGS).items():
        if field in family.unseen and saved != getattr(config, field):
            raise InputError(
                f"{path}: {field} is {getattr(config, field)!r}, but the model whose weights are in "
                f"{os.path.basename(weights.path)} had {saved!r}: one of the two files is not as it was saved"
            )


def _notes(values: Mapping[str, Any], config: Any) -> list[str]:
    theirs = next((key for key, ours in config.renamed.items() if ours == "hidden_act"), "hidden_act")
    act = values.get(theirs, "gelu")
    form = {"gelu": "tanh", "gelu_erf": "exact, erf"}.get(config.hidden_act)
    if form is None:
        return []
    return [f"{theirs} {act!r} of {CONFIG} is the {form} form: {config.hidden_act!r} here"]


def save_directory(
    model: keras.Model,
    variables: Mapping[str, keras.Variable],
    directory: str,
    tokenizer: Tokenizer | None,
) -> list[str]:
    """Writes the directory; `config.json`, without which nothing can be loaded from it, comes last.

    Args:
        model: of a known family.
        variables: the model's, by our names.
        directory: made if need be.
        tokenizer: goes along, if given.

    Returns:
        What transformers computes differently, a line each.

    Raises:
        InputError: a file can't be written.
    """
    family = registry.family_of_model(model)
    config = family.to_hugging_face(model)
    names = family.names_of(config)
    if tokenizer is not None and tokenizer.special.pad in tokenizer.vocab:
        config.setdefault("pad_token_id", tokenizer.pad_id)
    files.make_directory(directory)
    safetensors.write(
        os.path.join(directory, WEIGHTS),
        (_foreign(names, ours, variables[ours]) for ours in sorted(variables)),
        {SETTINGS: json.dumps({field: getattr(model.config, field) for field in family.unseen})},
    )
    notes = family.hugging_face_notes(model.config)
    if tokenizer is not None:
        notes += tokenizer_files.write_hugging_face(tokenizer, directory, model.config.longest_sequence)
    json_files.write(os.path.join(directory, CONFIG), dict(sorted(config.items())))
    return notes


def _foreign(names: NameMap, ours: str, variable: keras.Variable) -> tuple[str, Shape, Callable[[], np.ndarray]]:
    """Their name, their shape, and how to get the values in that shape."""
    theirs, rule = names.to_theirs(ours)
    if not rule.transposed:
        return theirs, tuple(variable.shape), lambda: keras.ops.convert_to_numpy(variable)
    return theirs, tuple(variable.shape)[::-1], lambda: transpose(keras.ops.convert_to_numpy(variable))
