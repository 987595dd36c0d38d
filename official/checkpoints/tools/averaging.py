"""The mean of several checkpoints, as a model."""

import dataclasses
import functools
import itertools
from collections.abc import Iterator, Sequence

import keras
import numpy as np

from official.checkpoints import loading
from official.checkpoints.source import Shape, Source, Tensor
from official.checkpoints.tokenizers import tokenizer_files
from official.checkpoints.tools.tables import with_tables
from official.errors import InputError


def average(checkpoints: Sequence[str | keras.Model]) -> keras.Model:
    """A new model in which every variable is the arithmetic mean of those of the checkpoints.

    Sums are made in float64 and rounded once, a variable at a time, so that no more than one model is in memory
    beside those given. The mean of one checkpoint is that checkpoint, to the last bit. Checkpoints of one run, or runs
    from one beginning, have a mean that is worth something (Vaswani et al. 2017, arXiv:1706.03762, section 6.1).

    Args:
        checkpoints: at least one; each is a path, as `load` takes it (the numbered states under `checkpoints/` of an
            `output_dir` are not), or a model of a known family.

    Raises:
        InputError: there is none, one can't be loaded, or two differ in their configs, variables, labels or
            vocabularies.
    """
    if not checkpoints:
        raise InputError("there is no checkpoint to average")
    sources = [_open(checkpoint, number) for number, checkpoint in enumerate(checkpoints, start=1)]
    for other in sources[1:]:
        if difference := next(_differences(sources[0], other), None):
            raise InputError(f"these can't be averaged: {difference}")
    _check_vocabularies([checkpoint for checkpoint in checkpoints if isinstance(checkpoint, str)])
    first = checkpoints[0]
    model = loading.load(first) if isinstance(first, str) else with_tables(first, first.config, {})
    for source in sources[1:]:
        source.check_tied(model.heads)
    for name, variable in loading.variables_by_name(model).items():
        variable.assign(_mean(sources, name))
    return model


def _open(checkpoint: str | keras.Model, number: int) -> Source:
    if isinstance(checkpoint, str):
        return loading.open_source(checkpoint)[1]
    tensors = {
        name: Tensor(name, tuple(variable.shape), functools.partial(keras.ops.convert_to_numpy, variable))
        for name, variable in loading.variables_by_name(checkpoint).items()
    }
    return Source(path=f"model {number}", tensors=tensors, config=checkpoint.config, labels=checkpoint.labels)


def _differences(first: Source, other: Source) -> Iterator[str]:
    """What speaks against averaging these two, a line each."""
    if type(first.config) is not type(other.config):
        yield f"{first.path} has a {type(first.config).__name__}, {other.path} a {type(other.config).__name__}"
        return
    for field in dataclasses.fields(first.config):
        mine, theirs = getattr(first.config, field.name), getattr(other.config, field.name)
        if mine != theirs:
            yield f"{field.name} is {mine!r} in {first.path}, {theirs!r} in {other.path}"
    mine, theirs = _shapes(first), _shapes(other)
    for name in sorted(mine.keys() | theirs.keys()):
        if name not in mine or name not in theirs:
            having, lacking = (first, other) if name in mine else (other, first)
            yield f"{name} is in {having.path}, not in {lacking.path}"
        elif mine[name] != theirs[name]:
            yield f"{name} is {list(mine[name])} in {first.path}, {list(theirs[name])} in {other.path}"
    if first.labels and other.labels and first.labels != other.labels:
        yield f"the labels are {', '.join(first.labels)} in {first.path}, {', '.join(other.labels)} in {other.path}"


def _shapes(source: Source) -> dict[str, Shape]:
    return {name: tensor.shape for name, tensor in source.tensors.items()} | dict(source.unknown)


def _check_vocabularies(paths: Sequence[str]) -> None:
    """Refuses checkpoints if the vocabularies that two of them carry differ."""
    tokenizers = [(path, tokenizer_files.read_tokenizer(path)) for path in paths]
    vocabularies = [(path, tokenizer.tokens) for path, tokenizer in tokenizers if tokenizer is not None]
    for path, tokens in vocabularies[1:]:
        first_path, first_tokens = vocabularies[0]
        for token_id, (mine, theirs) in enumerate(itertools.zip_longest(first_tokens, tokens)):
            if mine != theirs:
                raise InputError(
                    f"these can't be averaged: token {token_id} is {mine!r} in {first_path}, {theirs!r} in {path}"
                )


def _mean(sources: Sequence[Source], name: str) -> np.ndarray:
    total = np.zeros(sources[0].tensors[name].shape, np.float64)
    for source in sources:
        total += source.read(name)
    total /= len(sources)
    return total.astype(np.float32)
