"""A feature-based tagger on the disk: `tagger.json` and `tagger.safetensors`, beside the files of its encoder.

The tensors have the names and the shapes that PyTorch gives them: `lstm` is an `nn.LSTM` of two layers in both
directions, `classifier` an `nn.Linear`; `mix` holds the scalars of a weighted sum of layers, where there is one.
"""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from official import files
from official.checkpoints.source import Shape, Tensor
from official.checkpoints.storage import json_files, safetensors
from official.checkpoints.storage.safetensors import SafetensorsFile
from official.errors import InputError
from official.models.feature_based_tagger import FEATURE_LAYERS, LARGEST_LSTM, FeatureBasedTagger

SETTINGS, WEIGHTS = "tagger.json", "tagger.safetensors"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaggerSettings:
    """What makes a tagger of an encoder; as in `FeatureBasedTagger`."""

    labels: tuple[str, ...]
    feature_layers: str
    lstm_size: int


def find(path: str | None) -> str | None:
    """The directory with a feature-based tagger that `path` is, or has as `model`; None where there is none."""
    for directory in () if path is None else (path, os.path.join(path, "model")):
        if files.exists(os.path.join(directory, SETTINGS)):
            return directory
    return None


def write_settings(settings: TaggerSettings, directory: str) -> None:
    """Begins a directory: weights of an earlier tagger are no longer there.

    Raises:
        InputError: the file can't be written.
    """
    files.make_directory(directory)
    files.remove_if_there(os.path.join(directory, WEIGHTS))
    json_files.write(os.path.join(directory, SETTINGS), dataclasses.asdict(settings))


def read_settings(directory: str) -> TaggerSettings:
    """The settings, compared with the weights if these are there: before a giant is built for a number that lies.

    Raises:
        InputError: the file says something else than a tagger's settings do.
    """
    path, weights = os.path.join(directory, SETTINGS), os.path.join(directory, WEIGHTS)
    values = json_files.read_object(path)
    for field, (is_right, expected) in _FIELDS.items():
        if not is_right(values.get(field)):
            raise json_files.wrong(path, field, values.get(field), expected)
    settings = TaggerSettings(**{field: values[field] for field in _FIELDS} | {"labels": tuple(values["labels"])})
    shape = (len(settings.labels), 2 * settings.lstm_size)
    if files.exists(weights) and (stored := SafetensorsFile(weights).shapes.get("classifier.weight")) != shape:
        raise InputError(f"{path}: makes a classifier of shape {list(shape)}, but in {WEIGHTS} it is {_spell(stored)}")
    return settings


def _are_labels(value: Any) -> bool:
    texts = isinstance(value, list) and all(json_files.is_text(label) and label for label in value)
    return texts and 0 < len(set(value)) == len(value)


_FIELDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "labels": (_are_labels, "a list of texts, no two alike,"),
    "feature_layers": (lambda value: isinstance(value, str) and value in FEATURE_LAYERS, " or ".join(FEATURE_LAYERS)),
    "lstm_size": (
        lambda value: json_files.is_whole_number(value) and 0 < value <= LARGEST_LSTM,
        f"a whole number from 1 to {LARGEST_LSTM}",
    ),
}


def write_weights(model: FeatureBasedTagger, directory: str) -> None:
    """Writes what stands on the encoder.

    Raises:
        InputError: the file can't be written.
    """
    tensors = []
    for name, variable in _variables(model).items():
        tensors.append((name, _their_shape(name, variable), lambda name=name, kept=variable: _theirs(name, kept)))
        if name.startswith(_BIAS):  # Of PyTorch's two only the sum counts.
            shape = tuple(variable.shape)
            tensors.append((_other_bias(name), shape, lambda shape=shape: np.zeros(shape, np.float32)))
    safetensors.write(os.path.join(directory, WEIGHTS), tensors, {})


def read_weights(model: FeatureBasedTagger, directory: str) -> None:
    """Reads what stands on the encoder. Names and shapes are compared before anything is assigned.

    Raises:
        InputError: there is no such file, it is damaged, or it is of another model.
    """
    path, variables = os.path.join(directory, WEIGHTS), _variables(model)
    file = SafetensorsFile(path)
    expected = {name: _their_shape(name, variable) for name, variable in variables.items()}
    expected |= {_other_bias(name): shape for name, shape in expected.items() if name.startswith(_BIAS)}
    for name in sorted(expected.keys() | file.shapes.keys()):
        if file.shapes.get(name) != expected.get(name):
            raise InputError(
                f"{path}: {name} is {_spell(file.shapes.get(name))}: {_spell(expected.get(name))} was expected"
            )
    for name, variable in variables.items():
        values = _read(file, name)
        if name.startswith(_BIAS):
            values = values + _read(file, _other_bias(name))
        variable.assign(values)


def _read(file: SafetensorsFile, name: str) -> np.ndarray:
    """Values in our order of axes."""
    try:
        return Tensor(name, file.shapes[name], lambda: file.read(name), transposed=_is_transposed(name)).read()
    except InputError as error:
        raise InputError(f"{file.path}: {error}") from error


_BIAS = "lstm.bias_ih"


def _other_bias(name: str) -> str:
    return name.replace("_ih_", "_hh_")


def _variables(model: FeatureBasedTagger) -> dict[str, keras.Variable]:
    """Ours by their names."""
    head = model.classifier
    variables = {"classifier.weight": head.output_weights, "classifier.bias": head.output_bias}
    if model.mix is not None:
        variables |= {"mix.scalars": model.mix.scalars, "mix.gamma": model.mix.gamma}
    for number, lstm in enumerate(model.lstms):
        for end, direction in ((f"l{number}", lstm.forward_layer), (f"l{number}_reverse", lstm.backward_layer)):
            cell = direction.cell  # The gates stand in PyTorch's order: input, forget, new values, output.
            variables[f"lstm.weight_ih_{end}"] = cell.kernel
            variables[f"lstm.weight_hh_{end}"] = cell.recurrent_kernel
            variables[f"lstm.bias_ih_{end}"] = cell.bias
    return variables


def _is_transposed(name: str) -> bool:
    return name.startswith("lstm.weight")


def _their_shape(name: str, variable: keras.Variable) -> Shape:
    return tuple(variable.shape)[:: -1 if _is_transposed(name) else 1]


def _theirs(name: str, variable: keras.Variable) -> np.ndarray:
    values = keras.ops.convert_to_numpy(variable)
    return values.T if _is_transposed(name) else values


def _spell(shape: Sequence[int] | None) -> str:
    return "not there" if shape is None else str(list(shape))
