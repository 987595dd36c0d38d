"""From a path to a model: what lies there is found out, compared with the model variable by variable, and assigned."""

import os
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from official import files
from official.checkpoints import hugging_face, registry, tf1
from official.checkpoints.family import Family
from official.checkpoints.report import Entry, Report
from official.checkpoints.source import Shape, Source
from official.errors import InputError


def load(
    path: str, *, config: Any = None, heads: Sequence[str] | None = None, reinitialize: Collection[str] = ()
) -> keras.Model:
    """The model that `path` holds. It answers with `hidden_states` and `attention_probs` as well.

    What was not loaded, and what was not used, is said on stderr.

    Args:
        path: a TF1 checkpoint's prefix, a directory with one such checkpoint, a Hugging Face directory, or an
            `output_dir` of ours.
        config: instead of the one beside the weights.
        heads: instead of those found there.
        reinitialize: heads, or `pooler`, that may be missing or of another shape, and are then left as initialised.

    Raises:
        InputError: nothing that can be loaded is there, or it does not fit.
    """
    family, source = _open(path, config)
    config = source.config if config is None else config
    parts = {part for part, start in family.parts.items() if any(name.startswith(start) for name in source.tensors)}
    if heads is not None:
        headless = {part for part in family.parts if part not in family.model.HEADS}
        parts = set(heads) | (parts | set(reinitialize)) & headless
    model = family.build(config, parts)
    report = _fill(model, family, source, reinitialize)
    if report.unused or report.reinitialized:
        print(report, file=sys.stderr)
    return model


def load_weights(model: keras.Model, path: str, *, reinitialize: Collection[str] = ()) -> Report:
    """Loads the weights that `path` holds into a model, as `--init_checkpoint` does.

    Shapes are compared before anything is assigned. If a tensor turns out to be broken, the model is left half loaded.

    Args:
        model: of a known family; its variables may belong to a distribution strategy.
        path: as in `load`.
        reinitialize: heads, or `pooler`, that may be missing or of another shape, and are then left as initialised.

    Returns:
        What became of each variable.

    Raises:
        InputError: nothing that can be loaded is there, it does not fit, or it holds values that are not finite.
    """
    family, source = _open(path, model.config)
    if family is not registry.family_of_model(model):
        raise InputError(f"{source.path}: holds a {family.model_type}, the model is a {type(model).__name__}")
    return _fill(model, family, source, reinitialize)


def variables_by_name(model: keras.Model) -> dict[str, keras.Variable]:
    """The model's variables by the names that checkpoints know: without the model's own name.

    Raises:
        ValueError: two have the same name, so that a checkpoint could hold only one of them.
    """
    variables = {variable.path.split("/", 1)[1]: variable for variable in model.weights}
    if len(variables) != len(model.weights):
        raise ValueError(f"{len(model.weights)} variables have {len(variables)} names")
    return variables


def _open(path: str, config: Any) -> tuple[Family, Source]:
    for directory in (path, os.path.join(path, "model")):
        if files.exists(os.path.join(directory, hugging_face.CONFIG)):
            return hugging_face.open_directory(directory)
    prefix = _find_prefix(path)
    if config is not None:
        return registry.family_of_config(config), tf1.open_checkpoint(prefix, config)
    for family in registry.FAMILIES:
        config_file = tf1.beside(prefix, family.tf1_config_file)
        if files.exists(config_file):
            return family, tf1.open_checkpoint(prefix, family.read_tf1_config(config_file))
    names = " or ".join(family.tf1_config_file for family in registry.FAMILIES)
    raise InputError(f"{prefix}: there is no {names} beside it, and no config was given")


def _find_prefix(path: str) -> str:
    """The prefix of the TF1 checkpoint that `path` is, or holds."""
    prefix = path.removesuffix(tf1.INDEX)
    if files.exists(prefix + tf1.INDEX):
        return prefix
    if not tf.io.gfile.isdir(path):
        raise InputError(f"{path}: no such checkpoint: {prefix + tf1.INDEX} is not there, nor is it a directory")
    found = sorted(tf.io.gfile.glob(os.path.join(path, "*.ckpt*" + tf1.INDEX)))
    if len(found) == 1:
        return found[0].removesuffix(tf1.INDEX)
    if found:
        names = ", ".join(os.path.basename(name).removesuffix(tf1.INDEX) for name in found)
        raise InputError(f"{path}: holds {len(found)} checkpoints: name one of {names}")
    raise InputError(f"{path}: holds neither {hugging_face.CONFIG} nor a TF1 checkpoint (*.ckpt{tf1.INDEX})")


def _fill(model: keras.Model, family: Family, source: Source, reinitialize: Collection[str]) -> Report:
    if unknown := sorted(set(reinitialize) - set(family.parts)):
        raise InputError(f"{unknown[0]!r} can't be reinitialised: one of {', '.join(family.parts)} was expected")
    variables = variables_by_name(model)
    report = _compare(model, variables, family, source, reinitialize)
    report.check()
    source.check_tied(model.heads)
    for entry in report.loaded:
        variables[entry.ours].assign(source.read(entry.ours))
    return report


def _compare(
    model: keras.Model,
    variables: Mapping[str, keras.Variable],
    family: Family,
    source: Source,
    reinitialize: Collection[str],
) -> Report:
    entries = {ours: _entry(ours, variable, source) for ours, variable in variables.items()}
    unfit = {ours for ours, entry in entries.items() if entry.their_shape != entry.our_shape}
    # A part is loaded whole or not at all: half of a head is worth nothing.
    left = {family.part_of(ours) for ours in unfit} & set(reinitialize)
    kept = {ours: entry for ours, entry in entries.items() if family.part_of(ours) not in left}
    return Report(
        path=source.path,
        loaded=[entry for ours, entry in kept.items() if ours not in unfit],
        missing=[entry for entry in kept.values() if entry.theirs is None],
        mismatched=[entry for ours, entry in kept.items() if ours in unfit and entry.theirs is not None],
        reinitialized=[entry for ours, entry in entries.items() if ours not in kept],
        unused=[Entry(None, theirs, None, shape) for theirs, shape in _unused(source, kept)],
        notes=_differences(model.config, source.config),
    )


def _unused(source: Source, kept: Collection[str]) -> list[tuple[str, Shape]]:
    """Their names and shapes of what the model has no place for."""
    homeless = [(tensor.theirs, tensor.shape) for ours, tensor in source.tensors.items() if ours not in kept]
    return homeless + list(source.unknown.items())


def _entry(ours: str, variable: keras.Variable, source: Source) -> Entry:
    stored = source.tensors.get(ours)
    if stored is None:
        return Entry(ours, None, tuple(variable.shape), None)
    return Entry(ours, stored.theirs, tuple(variable.shape), stored.shape)


def _differences(config: Any, other: Any) -> list[str]:
    """Settings that no shape shows and on which the numbers depend."""
    return [
        f"{field} is {getattr(config, field)!r} in the model, {getattr(other, field)!r} in the checkpoint's config"
        for field in ("hidden_act", "num_attention_heads")
        if other is not None and getattr(config, field, None) != getattr(other, field, None)
    ]
