"""From a path to a model: what lies there is found out, compared with the model variable by variable, and assigned."""

import contextlib
import fnmatch
import os
import sys
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import keras

from official import files, layers
from official.checkpoints import labels, registry
from official.checkpoints.family import Family
from official.checkpoints.formats import hugging_face, keras_hub, tf1
from official.checkpoints.report import Entry, Report
from official.checkpoints.source import Source
from official.checkpoints.storage import json_files
from official.errors import InputError
from official.models.registry import read_config


def load(
    path: str, *, config: Any = None, heads: Sequence[str] | None = None, reinitialize: Collection[str] = ()
) -> keras.Model:
    """The model that `path` holds. It answers with `hidden_states` and `attention_probs` as well.

    What was not loaded, and what was not used, is said on stderr.

    Args:
        path: a TF1 checkpoint's prefix, a directory with one such checkpoint, a Hugging Face directory, a keras-hub
            preset, or an `output_dir` of ours.
        config: instead of the one beside the weights.
        heads: instead of those found there.
        reinitialize: heads, or `pooler`, that may be missing or of another shape, and are then left as initialised.

    Raises:
        InputError: nothing that can be loaded is there, or it does not fit.
    """
    family, source = open_source(path, config)
    parts = set(parts_of(family, source))
    if heads is not None:
        headless = {part for part in family.parts if part not in family.model.HEADS}
        parts = set(heads) | (parts | set(reinitialize)) & headless
    if config is None:
        _check_sizes(family, source)
    # Where nothing is left as initialised, nothing has to be drawn.
    with contextlib.nullcontext() if reinitialize else layers.about_to_be_loaded():
        model = family.build(source.config if config is None else config, parts, labels_of(family, source, parts))
    model.label_type = source.label_type
    report = _fill(model, family, source, reinitialize)
    if report.unused or report.reinitialized:
        print(report, file=sys.stderr)
    return model


def _check_sizes(family: Family, source: Source) -> None:
    """Compares the checkpoint's config with its tensors, before a config that lies makes us build a giant.

    Raises:
        InputError: a size of the config is not that of the tensors, or one that shows a size is missing.
    """
    for field, (ours, axis) in family.seen.items():
        said, stored = getattr(source.config, field), source.tensors.get(ours)
        if stored is None:
            raise InputError(f"{source.path}: the checkpoint lacks {ours}")
        if len(stored.shape) <= axis or stored.shape[axis] != said:
            raise InputError(
                f"{source.path}: {stored.theirs} is {list(stored.shape)}, but its config says that {field} is {said}"
            )
    field, _ = family.layer
    said = getattr(source.config, field)
    layers_there = {match[1] for ours in source.tensors if (match := family.name_in_layer.match(ours))}
    if layers_there != {str(number) for number in range(min(said, len(layers_there) + 1))}:
        raise InputError(f"{source.path}: holds {len(layers_there)} layers, but its config says that {field} is {said}")


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
    family, source = open_source(path, model.config)
    if family is not registry.family_of_model(model):
        raise InputError(f"{source.path}: holds a {family.model_type}, the model is a {type(model).__name__}")
    return _fill(model, family, source, reinitialize)


def parts_of(family: Family, source: Source) -> list[str]:
    """The heads that a checkpoint holds, and whatever else may be absent."""
    return [part for part, start in family.parts.items() if any(name.startswith(start) for name in source.tensors)]


def labels_of(family: Family, source: Source, parts: Collection[str]) -> tuple[str, ...]:
    """The labels of the head, among `parts`, that has any: as many as its weights are for.

    Hugging Face's configs can't be relied on: what does not name all of them is a default that nobody has changed.
    """
    counts = [
        source.tensors[family.labelled[part]].shape for part in parts if family.labelled.get(part) in source.tensors
    ]
    if not counts or len(counts[0]) != 1:
        return ()
    (count,) = counts[0]
    return source.labels if len(source.labels) == count else labels.unnamed(count)


def variables_by_name(model: keras.Model) -> dict[str, keras.Variable]:
    """The model's variables by the names that checkpoints know: without the model's own name.

    Raises:
        ValueError: two have the same name, so that a checkpoint could hold only one of them.
    """
    variables = {variable.path.split("/", 1)[1]: variable for variable in model.weights}
    if len(variables) != len(model.weights):
        raise ValueError(f"{len(model.weights)} variables have {len(variables)} names")
    return variables


def open_source(path: str, config: Any = None) -> tuple[Family, Source]:
    """Finds out what lies there and opens it; no tensor is read yet.

    Args:
        path: as in `load`.
        config: for a TF1 checkpoint without one beside it; says which family that is.

    Raises:
        InputError: nothing that can be loaded is there.
    """
    for directory in (path, os.path.join(path, "model")):
        if keras_hub.is_preset(directory):
            return keras_hub.open_directory(directory)
        if files.exists(os.path.join(directory, hugging_face.CONFIG)):
            return hugging_face.open_directory(directory)
    prefix = _find_prefix(path)
    if config is not None:
        family = registry.family_of_config(config)
        return family, tf1.open_checkpoint(prefix, family.tf1_names)
    families = [family for family in registry.FAMILIES if family.tf1_config_file]
    for family in families:
        config_file = tf1.beside(prefix, family.tf1_config_file)
        if files.exists(config_file):
            values = json_files.read_object(config_file)
            return family, tf1.open_checkpoint(
                prefix, family.tf1_names, config=read_config(config_file), labels=labels.from_config(values)
            )
    names = " or ".join(family.tf1_config_file for family in families)
    raise InputError(f"{prefix}: there is no {names} beside it, and no config was given")


def _find_prefix(path: str) -> str:
    """The prefix of the TF1 checkpoint that `path` is, or holds."""
    prefix = path.removesuffix(tf1.INDEX)
    if files.exists(prefix + tf1.INDEX):
        return prefix
    if not files.is_directory(path):
        raise InputError(f"{path}: no such checkpoint: {prefix + tf1.INDEX} is not there, nor is it a directory")
    indices = sorted(fnmatch.filter(files.list_directory(path), "*.ckpt*" + tf1.INDEX))
    names = [name.removesuffix(tf1.INDEX) for name in indices]
    if len(names) == 1:
        return os.path.join(path, names[0])
    if names:
        raise InputError(f"{path}: holds {len(names)} checkpoints: name one of {', '.join(names)}")
    raise InputError(f"{path}: holds neither {hugging_face.CONFIG} nor a TF1 checkpoint (*.ckpt{tf1.INDEX})")


def _fill(model: keras.Model, family: Family, source: Source, reinitialize: Collection[str]) -> Report:
    if unknown := sorted(set(reinitialize) - set(family.parts)):
        raise InputError(f"{unknown[0]!r} can't be reinitialised: one of {', '.join(family.parts)} was expected")
    variables = variables_by_name(model)
    report = _compare(model, variables, family, source, reinitialize)
    report.check()
    _check_labels(model, source, report)
    source.check_tied(model.heads)
    for entry in report.loaded:
        variables[entry.ours].assign(source.read(entry.ours))
    return report


def _check_labels(model: keras.Model, source: Source, report: Report) -> None:
    """Refuses a head whose classes mean something else in the model."""
    loaded = {entry.part for entry in report.loaded}
    if model.WITH_LABELS.isdisjoint(loaded) or len(source.labels) != len(model.labels):
        return
    unnamed = labels.unnamed(len(model.labels))
    if source.labels != model.labels and unnamed not in (source.labels, model.labels):
        raise InputError(
            f"{source.path}: its labels are {', '.join(source.labels[:9])}, the model's are "
            f"{', '.join(model.labels[:9])}: --reinitialize_head starts the head anew"
        )


def _compare(
    model: keras.Model,
    variables: Mapping[str, keras.Variable],
    family: Family,
    source: Source,
    reinitialize: Collection[str],
) -> Report:
    entries = {ours: _entry(ours, variable, source, family) for ours, variable in variables.items()}
    unfit = {ours for ours, entry in entries.items() if entry.their_shape != entry.our_shape}
    # A part is loaded whole or not at all: half of a head is worth nothing.
    left = {entries[ours].part for ours in unfit} & set(reinitialize)
    kept = {ours: entry for ours, entry in entries.items() if entry.part not in left}
    homeless = [ours for ours in source.tensors if ours not in kept]
    return Report(
        path=source.path,
        loaded=[entry for ours, entry in kept.items() if ours not in unfit],
        missing=[entry for entry in kept.values() if entry.theirs is None],
        mismatched=[entry for ours, entry in kept.items() if ours in unfit and entry.theirs is not None],
        reinitialized=[entry for ours, entry in entries.items() if ours not in kept],
        unused=_stored(source, homeless) + [_unknown(source, theirs) for theirs in source.unknown],
        astray=_astray(family, source, homeless) if source.config == model.config else (),
        notes=_differences(model.config, source.config, family),
    )


def _stored(source: Source, names: Sequence[str]) -> list[Entry]:
    """What the model has no place for, by our names."""
    return [Entry(None, source.tensors[ours].theirs, None, source.tensors[ours].shape) for ours in names]


def _unknown(source: Source, theirs: str) -> Entry:
    return Entry(None, theirs, None, source.unknown[theirs])


def _astray(family: Family, source: Source, homeless: Sequence[str]) -> list[Entry]:
    """What can't be left out without computing something else than the model that was saved."""
    inside = [ours for ours in homeless if ours.startswith(family.encoder) and family.part_of(ours) is None]
    return _stored(source, inside) + [_unknown(source, theirs) for theirs in source.astray]


def _entry(ours: str, variable: keras.Variable, source: Source, family: Family) -> Entry:
    stored = source.tensors.get(ours)
    return Entry(
        ours=ours,
        theirs=stored and stored.theirs,
        our_shape=tuple(variable.shape),
        their_shape=stored and stored.shape,
        part=family.part_of(ours),
    )


def _differences(config: Any, other: Any, family: Family) -> list[str]:
    """Settings that no shape shows and on which the numbers depend."""
    return [
        f"{field} is {getattr(config, field)!r} in the model, {getattr(other, field)!r} in the checkpoint's config"
        for field in family.unseen
        if other is not None and getattr(config, field) != getattr(other, field)
    ]
