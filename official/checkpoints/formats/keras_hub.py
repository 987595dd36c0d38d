"""Presets of keras-hub: directories with `config.json`, `model.weights.h5`, and a task and a tokenizer if it has them.

Written so that `BertBackbone.from_preset` and `BertMaskedLM.from_preset` read them; keras_hub is not needed for that.
"""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np

from official import files
from official.checkpoints import registry
from official.checkpoints.family import Family
from official.checkpoints.formats import keras_hub_json
from official.checkpoints.formats.keras_hub_json import CONFIG, SETTINGS
from official.checkpoints.names import NameMap, Rule
from official.checkpoints.source import UNPROTECTED, Shape, Source, translate
from official.checkpoints.storage import hdf5, json_files
from official.checkpoints.storage.hdf5 import Hdf5File
from official.errors import InputError
from official.tokenization.tokenizer import Tokenizer
from official.tokenization.wordpiece import CLS, MASK, PAD, SEP

WEIGHTS, TASK_WEIGHTS = "model.weights.h5", "task.weights.h5"
VOCABULARY = os.path.join("assets", "tokenizer", "vocabulary.txt")
OPTIMIZER = "optimizer/"  # Its state lies in the file of a task that was compiled.


def is_preset(directory: str) -> bool:
    """Whether its `config.json` is keras-hub's; Hugging Face's has the same name.

    Raises:
        InputError: it is no JSON object.
    """
    path = os.path.join(directory, CONFIG)
    return files.exists(path) and not {"class_name", "registered_name"}.isdisjoint(json_files.read_object(path))


def open_directory(directory: str) -> tuple[Family, Source]:
    """Opens what `save_directory`, or keras-hub, has written.

    Raises:
        InputError: a file is missing or broken, or the model is one that we do not have.
    """
    path = os.path.join(directory, CONFIG)
    values = json_files.read_object(path)
    family = _family_of(path, keras_hub_json.class_name(path, values))
    metadata = keras_hub_json.read_metadata(directory, family.keras_hub)
    head, notes = keras_hub_json.read_task(directory, family.keras_hub)
    try:
        config = family.keras_hub.from_preset(keras_hub_json.read_settings(path, values))
        if SETTINGS in metadata:
            config = dataclasses.replace(config, **metadata[SETTINGS])
        else:
            notes += family.keras_hub.notes(config, head)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    weights = _Weights(directory, [WEIGHTS] if head is None else [WEIGHTS, TASK_WEIGHTS])
    names = family.keras_hub.names_of(head)
    _check_heads(weights, names, config.num_attention_heads)
    labels = tuple(metadata.get(keras_hub_json.LABELS, ()))
    source = translate(weights, names, config=config, labels=labels, notes=notes, format="keras-hub preset")
    _check_parts(family, source, head)
    return family, source


def _family_of(path: str, name: str) -> Family:
    known = {family.keras_hub.name + "Backbone": family for family in registry.FAMILIES if family.keras_hub}
    if name not in known:
        raise json_files.wrong(path, "class_name", name, "one of " + ", ".join(known))
    return known[name]


def _check_heads(weights: "_Weights", names: NameMap, num_heads: int) -> None:
    """Joined axes no longer show how many heads there are."""
    for theirs, shape in weights.shapes.items():
        found = names.to_ours(theirs)
        if found is None or (axis := found[1].heads_axis) is None:
            continue
        if len(shape) <= axis + 1 or shape[axis] != num_heads:
            raise InputError(f"{weights.path}: {theirs} is {list(shape)}: {num_heads} heads were expected")


def _check_parts(family: Family, source: Source, head: str | None) -> None:
    """Refuses a preset without what the model that it describes must have."""
    found = {family.part_of(ours) for ours in source.tensors} | {None}
    if missing := [part for part in (*family.keras_hub.always, head) if part not in found]:
        raise InputError(f"{source.path}: the weights lack the {missing[0]} altogether")


class _Weights:
    """The files of weights of a preset as one; each tensor's name starts with its file's."""

    def __init__(self, directory: str, names: Sequence[str]):
        self.path = directory
        opened = {name: Hdf5File(os.path.join(directory, name)) for name in names}
        self._places = {
            f"{file_name}/{name}": (file, name)
            for file_name, file in opened.items()
            for name in file.shapes
            if not name.startswith(OPTIMIZER)
        }
        self.shapes = {name: file.shapes[inner] for name, (file, inner) in self._places.items()}
        self.dtypes = {name: file.dtypes[inner] for name, (file, inner) in self._places.items()}
        found = {file.integrity for file in opened.values()}
        self.integrity = found.pop() if len(found) == 1 else UNPROTECTED

    def read(self, name: str) -> np.ndarray:
        file, inner = self._places[name]
        return file.read(inner)


def save_directory(
    model: keras.Model,
    variables: Mapping[str, keras.Variable],
    directory: str,
    tokenizer: Tokenizer | None,
) -> list[str]:
    """Writes a preset; `config.json`, without which nothing can be loaded from it, comes last.

    Args:
        model: of a known family.
        variables: the model's, by our names.
        directory: made if need be.
        tokenizer: goes along, if given.

    Returns:
        What a preset can't hold, and what keras-hub computes differently, a line each.

    Raises:
        InputError: keras-hub has no such model, or a file can't be written.
    """
    family = registry.family_of_model(model)
    hub = family.keras_hub
    if hub is None:
        raise InputError(f"{directory}: presets of {model.config.title} for keras-hub are not written here")
    settings = hub.to_preset(model.config)
    if missing := set(hub.always) - {family.part_of(ours) for ours in variables}:
        raise InputError(f"the model has no {min(missing)}: keras-hub's always has one, which would be made up")
    if tokenizer is not None:
        tokenizer.require(PAD, CLS, SEP, MASK)  # Their tokenizer refuses to load without.
    head = next((head for head in hub.tasks if head in model.heads), None)
    files.make_directory(directory)
    _write_weights(directory, hub.names_of(head), variables, model.config.num_attention_heads)
    if tokenizer is not None:
        _write_vocabulary(os.path.join(directory, VOCABULARY), tokenizer)
    for name, values in keras_hub_json.describe(hub, model, head, settings, tokenizer).items():
        _write_or_remove(os.path.join(directory, name), values)
    return _left_out(model.heads, head) + hub.notes(model.config, head)


def _left_out(heads: Sequence[str], kept: str | None) -> list[str]:
    others = [head for head in heads if head != kept]
    return [f"a preset has one task and no place for {', '.join(others)}: left out"] if others else []


def _write_or_remove(path: str, values: Mapping | None) -> None:
    """What an older preset in the same directory had would be taken for a part of this one."""
    if values is None:
        files.remove_if_there(path)
    else:
        json_files.write(path, values)


def _write_weights(directory: str, names: NameMap, variables: Mapping[str, keras.Variable], num_heads: int) -> None:
    """Writes the variables that have a name there, each in the file that its name starts with."""
    stored: dict[str, list] = {WEIGHTS: [], TASK_WEIGHTS: []}
    for ours in sorted(variables):
        if (found := names.find_theirs(ours)) is not None:
            file_name, name = found[0].split("/", 1)
            stored[file_name].append((name, *_foreign(variables[ours], found[1], num_heads)))
    for file_name, tensors in stored.items():
        path = os.path.join(directory, file_name)
        if tensors:
            hdf5.write(path, tensors)
        else:
            files.remove_if_there(path)


def _foreign(variable: keras.Variable, rule: Rule, num_heads: int) -> tuple[Shape, Callable[[], np.ndarray]]:
    """Their shape, and how to get the values in that shape."""
    shape = tuple(variable.shape)
    if rule.transposed:
        return shape[::-1], lambda: keras.ops.convert_to_numpy(variable).T
    if (axis := rule.heads_axis) is not None:
        shape = (*shape[:axis], num_heads, shape[axis] // num_heads, *shape[axis + 1 :])
    return shape, lambda: keras.ops.convert_to_numpy(variable).reshape(shape)


def _write_vocabulary(path: str, tokenizer: Tokenizer) -> None:
    files.make_directory(os.path.dirname(path))
    with files.write_whole(path) as file:
        file.writelines(token + "\n" for token in tokenizer.tokens)
