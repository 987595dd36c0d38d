"""A model that starts with some of another's layers, its embeddings and its heads, as DistilBERT does from BERT."""

import sys
from collections.abc import Sequence

import keras

from official.checkpoints import registry
from official.checkpoints.family import Family
from official.checkpoints.loading import open_source, variables_by_name
from official.errors import InputError
from official.models.config import Config


def load_some_layers(model: keras.Model, path: str, layers: Sequence[int], config: Config | None = None) -> None:
    """Gives each of a model's variables the value that it has in a deeper model of the same width.

    The deeper one may be of another family that is laid out alike. What the model has no place for is left out: of a
    DistilBERT that starts from BERT, segments and pooler (Sanh et al. 2019, arXiv:1910.01108, §3).

    Args:
        model: whose layers are as many as `layers`.
        path: of the other's weights, as in `load`.
        layers: which of them, from 0, in the order in which the model has them.
        config: of the other, where there is none beside its weights.

    Raises:
        InputError: the other has no such variable, or it has another shape.
    """
    family, source = open_source(path, config)
    own = registry.family_of_model(model)
    for ours, variable in variables_by_name(model).items():
        theirs = name_in_other(ours, own, family, layers)
        if theirs not in source.tensors:
            raise InputError(f"{source.path}: has no {theirs} to start from")
        if (shape := source.tensors[theirs].shape) != tuple(variable.shape):
            raise InputError(
                f"{source.path}: {theirs} is {list(shape)}, {list(variable.shape)} is wanted to start from"
            )
        variable.assign(source.read(theirs))
    print(f"started from layers {', '.join(map(str, layers))} of {source.path}", file=sys.stderr)


def name_in_other(name: str, own: Family, other: Family, layers: Sequence[int]) -> str:
    """What a variable is called in the model whose layers it has: layer n there is layers[n]."""
    if match := own.name_in_layer.match(name):
        return other.layer[1].format(n=layers[int(match[1])]) + name[match.end() :]
    inside = name.startswith(own.encoder)
    return other.encoder + name.removeprefix(own.encoder) if inside else name
