"""From a model to files that other programs read."""

import json
import os
from collections.abc import Callable
from typing import Any

import keras

from official import files
from official.checkpoints import labels, registry
from official.checkpoints.formats import hugging_face, keras_hub, tf1
from official.checkpoints.loading import variables_by_name
from official.checkpoints.tokenizers import tokenizer_files
from official.errors import InputError
from official.tokenization.tokenizer import Tokenizer

TF1_NAME = "bert_model.ckpt"


def save(
    model: keras.Model,
    directory: str,
    *,
    format: str = "hugging_face",
    tokenizer: Tokenizer | None = None,
) -> list[str]:
    """Writes a model so that others can load it.

    Args:
        model: of a known family.
        directory: made if need be; each file in it is replaced when the new one is whole.
        format: one of `FORMATS`. `hugging_face` is the native form, which PyTorch users load with no conversion.
        tokenizer: goes along, if given.

    Returns:
        What the format can't hold, or computes differently, a line each.

    Raises:
        InputError: the format can't hold this model, or a file can't be written.
    """
    if tokenizer is not None and tokenizer.vocab_size > model.config.vocab_size:
        raise InputError(
            f"the tokenizer has {tokenizer.vocab_size} tokens, the model embeddings for {model.config.vocab_size}"
        )
    return FORMATS[format](model, directory, tokenizer)


def save_tf1(model: keras.Model, prefix: str, *, tokenizer: Tokenizer | None = None) -> list[str]:
    """Writes a TF1 checkpoint that google-research/bert reads, with config and vocabulary beside it; as `save`.

    Args:
        model: of a known family.
        prefix: such as `output/bert_model.ckpt`; its directory is made if need be.
        tokenizer: goes along as `vocab.txt`, if given.

    Raises:
        InputError: the family has no such checkpoints, or a file can't be written.
    """
    family = registry.family_of_model(model)
    if family.tf1_config_file is None:
        raise InputError(f"{prefix}: {model.config.title} has no TensorFlow 1 form")
    directory = os.path.dirname(prefix)
    if directory:
        files.make_directory(directory)
    tf1.save_variables(variables_by_name(model), prefix, family.tf1_names)
    notes = tokenizer_files.write_tf1(tokenizer, directory) if tokenizer is not None else []
    with files.write_whole(tf1.beside(prefix, family.tf1_config_file)) as file:
        file.write(_tf1_config(model))
    return notes + family.tf1_notes(model.config)


def _tf1_config(model: keras.Model) -> str:
    """The original's JSON; it passes over the names of labels, for which it has no field."""
    names = {key: value for key, value in labels.to_config(model.labels).items() if key == "id2label"}
    if not names:
        return model.config.to_json()
    return json.dumps(json.loads(model.config.to_json()) | names, indent=2, sort_keys=True) + "\n"


def _hugging_face(model, directory, tokenizer):
    return hugging_face.save_directory(model, variables_by_name(model), directory, tokenizer)


def _tf1(model, directory, tokenizer):
    return save_tf1(model, os.path.join(directory, TF1_NAME), tokenizer=tokenizer)


def _keras_hub(model, directory, tokenizer):
    return keras_hub.save_directory(model, variables_by_name(model), directory, tokenizer)


FORMATS: dict[str, Callable[[keras.Model, str, Any], list[str]]] = {
    "hugging_face": _hugging_face,
    "tf1": _tf1,
    "keras_hub": _keras_hub,
}
