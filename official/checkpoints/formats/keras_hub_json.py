"""The JSON files of keras-hub's presets. Objects in them are never made by Keras: their fields are read as they are."""

import os
import re
from collections.abc import Mapping
from typing import Any

import keras

from official import files
from official.checkpoints.family import KerasHub
from official.checkpoints.storage import json_files
from official.errors import InputError
from official.tokenization.tokenizer import Tokenizer
from official.tokenization.wordpiece import CONTINUATION, UNK

CONFIG, TASK, METADATA = "config.json", "task.json", "metadata.json"
PREPROCESSOR, TOKENIZER = "preprocessor.json", "tokenizer.json"
# Our keys in the metadata, which keras-hub writes and never reads (preset_utils.py:947), and its own.
SETTINGS, LABELS = "computes_with", "labels"
THEIR_METADATA = {"keras_version", "keras_hub_version", "keras_nlp_version", "parameter_count", "date_saved", "tasks"}


def class_name(path: str, values: Mapping[str, Any]) -> str:
    """The class of the object that a file describes.

    Raises:
        InputError: it names none, or two.
    """
    name = values.get("class_name")
    if not isinstance(name, str):
        raise json_files.wrong(path, "class_name", name, "a name")
    registered = values.get("registered_name") or name  # `keras_hub>BertBackbone`, or keras_nlp's as it once was.
    if not isinstance(registered, str) or registered.split(">")[-1] != name:
        raise json_files.wrong(path, "registered_name", registered, f"that of {name}")
    return name


def read_settings(path: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """With what the object is to be made."""
    found = values.get("config")
    if not isinstance(found, dict):
        raise json_files.wrong(path, "config", found, "a JSON object")
    return found


def read_task(directory: str, hub: KerasHub) -> tuple[str | None, list[str]]:
    """The head that a preset has, and what is to be said of one that we have not.

    Raises:
        InputError: the file is broken.
    """
    path = os.path.join(directory, TASK)
    if not files.exists(path):
        return None, []
    name = class_name(path, json_files.read_object(path))
    for head, task in hub.tasks.items():
        if name == hub.name + task:
            return head, []
    return None, [f"{TASK} is of a {name}: that head is not read"]


def read_metadata(directory: str, hub: KerasHub) -> dict[str, Any]:
    """The metadata, with what keras-hub's own files have no place for if we wrote it.

    Raises:
        InputError: the file is broken.
    """
    path = os.path.join(directory, METADATA)
    if not files.exists(path):
        return {}
    metadata = json_files.read_object(path)
    if unknown := metadata.keys() - THEIR_METADATA - {SETTINGS, LABELS}:
        raise InputError(f"{path}: {min(unknown)!r} is unknown: it might be a setting that changes what is computed")
    settings, labels = metadata.get(SETTINGS), metadata.get(LABELS)
    if SETTINGS in metadata and (not isinstance(settings, dict) or settings.keys() != set(hub.extra)):
        raise json_files.wrong(path, SETTINGS, settings, "an object with " + ", ".join(hub.extra))
    if LABELS in metadata and not (isinstance(labels, list) and all(map(json_files.is_text, labels))):
        raise json_files.wrong(path, LABELS, labels, "a list of names")
    return metadata


def describe(
    hub: KerasHub,
    model: keras.Model,
    head: str | None,
    settings: Mapping[str, Any],
    tokenizer: Tokenizer | None,
) -> dict[str, dict[str, Any] | None]:
    """The files of a preset in the order in which they are to be written; None for what it has not.

    Args:
        hub: the family's.
        model: to be described.
        head: the one of its heads that goes along.
        settings: of the backbone.
        tokenizer: goes along, if given.
    """
    backbone = _serialized(hub, "Backbone", settings, "float32")
    reader = None if tokenizer is None else _serialized(hub, "Tokenizer", _tokenizer_settings(tokenizer), "int32")
    task = preprocessor = None
    if head is not None:
        if reader is not None:
            length = model.config.max_position_embeddings
            inside = {"tokenizer": reader, "config_file": PREPROCESSOR, "sequence_length": length}
            preprocessor = _serialized(hub, hub.tasks[head] + "Preprocessor", inside, "float32")
        classes = {"num_classes": len(model.labels)} if head in model.WITH_LABELS else {}
        task = _serialized(hub, hub.tasks[head], {"backbone": backbone, "preprocessor": preprocessor} | classes)
    metadata = {"keras_version": keras.version(), SETTINGS: {name: getattr(model.config, name) for name in hub.extra}}
    if model.labels:
        metadata[LABELS] = list(model.labels)
    return {METADATA: metadata, TOKENIZER: reader, PREPROCESSOR: preprocessor, TASK: task, CONFIG: backbone}


def _tokenizer_settings(tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "config_file": TOKENIZER,
        "vocabulary": None,  # In a file of its own.
        "lowercase": tokenizer.lower_case,
        "strip_accents": tokenizer.strip_accents,
        "split": True,
        "suffix_indicator": CONTINUATION,
        "oov_token": UNK,
        "special_tokens": None,
        "special_tokens_in_strings": False,
    }


def _serialized(hub: KerasHub, kind: str, settings: Mapping[str, Any], dtype: str | None = None) -> dict[str, Any]:
    """An object in the form of `keras.saving.serialize_keras_object`."""
    name = hub.name + kind
    module = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": dtype}, "registered_name": None}
    common = {"name": module, "trainable": True, "dtype": policy} if dtype else {"name": module}
    return {
        "module": f"keras_hub.src.models.{hub.package}.{module}",
        "class_name": name,
        "config": common | dict(settings),
        "registered_name": f"keras_hub>{name}",
    }
