"""Data sets of tensorflow-datasets, read as if each example were a line of JSON."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from official.errors import InputError
from official.tasks.classification.classification_examples import Task
from official.tasks.classification.classification_files import Row, flat
from official.tasks.classification.own_data import Columns, Table, own_data

# The first of these that a data set has.
SPLITS = {
    "train": ("train",),
    "dev": ("validation", "validation_matched", "dev", "test"),
    "test": ("test", "test_matched", "validation"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSet(Table):
    """A split of a data set; `path` is `NAME/CONFIG:SPLIT`."""

    builder: tfds.core.DatasetBuilder

    def read(self) -> tuple[None, Iterator[Row]]:
        """No header, and the examples in the order of their files, each with its place from 1."""
        split = self.path.partition(":")[2]
        # One file after another: the order must not depend on how many are read at a time.
        config = tfds.ReadConfig(interleave_cycle_length=1)
        try:
            self.builder.download_and_prepare()
            examples = tfds.as_numpy(self.builder.as_dataset(split=split, read_config=config))
        except Exception as error:
            # The library raises what its parts raise, from parsers to downloads, with no class in common.
            raise _explained(self.path, error) from error
        features = self.builder.info.features
        return None, (Row(number, _plain(example, features)) for number, example in enumerate(examples, start=1))


def tfds_task(
    name: str,
    data_dir: str | None,
    splits: Mapping[str, str],
    columns: Columns,
    label_type: str,
    labels: Sequence[str] | None,
) -> Task:
    """The task of a data set; its labels are the names that it gives its classes, in its order.

    Args:
        name: `NAME` or `NAME/CONFIG`.
        data_dir: where data sets are prepared, or None for the library's own place.
        splits: by `train`, `dev` and `test`, splits to be read instead of the usual ones.
        columns: the features that hold text and labels, with `/` between the levels of nested ones.
        label_type, labels: as in `Task`.

    Raises:
        InputError: no such data set.
    """
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except Exception as error:
        raise _explained(name, error) from error
    there = builder.info.splits
    tables = {
        split: DataSet(
            path=f"{name}:{splits.get(split) or next((usual for usual in names if usual in there), names[0])}",
            form="jsonl",
            columns=columns,
            multi=label_type == "multi",
            builder=builder,
        )
        for split, names in SPLITS.items()
    }
    return own_data(tables, label_type, labels or _class_names(builder.info.features, columns, name))


def _explained(name: str, error: Exception) -> InputError:
    return InputError(f"--tfds_name={name}: {' '.join(str(error).split())[:300]}")


def _class_names(features: tfds.features.FeaturesDict, columns: Columns, name: str) -> tuple[str, ...] | None:
    kinds = flat(_as_dict(features))
    label = columns.find(list(kinds), name).label
    feature = kinds[label] if label else None
    feature = getattr(feature, "feature", feature)  # Of a sequence.
    return tuple(feature.names) if isinstance(feature, tfds.features.ClassLabel) else None


def _as_dict(features: tfds.features.FeaturesDict) -> dict[str, Any]:
    nested = tfds.features.FeaturesDict
    return {name: _as_dict(kind) if isinstance(kind, nested) else kind for name, kind in features.items()}


def _plain(example: Mapping[str, Any], features: tfds.features.FeaturesDict) -> dict[str, Any]:
    """What JSON can hold of an example: texts, numbers, and lists of them; classes by their names."""
    kinds = flat(_as_dict(features))
    return {
        name: _plain_value(value, getattr(kinds.get(name), "feature", kinds.get(name)))
        for name, value in flat(example).items()
        if isinstance(value, (bytes, np.generic, np.ndarray))
    }


def _plain_value(value: Any, kind: Any) -> Any:
    if isinstance(value, np.ndarray):
        return [_plain_value(part, kind) for part in value]
    if isinstance(value, bytes):
        return value.decode(errors="ignore")
    if isinstance(kind, tfds.features.ClassLabel):
        return kind.int2str(int(value)) if value >= 0 else None  # -1 where labels are kept back.
    return value.item()
