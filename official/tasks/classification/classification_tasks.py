"""From the flags of `run_classifier.py` to a task."""

import os
from collections.abc import Mapping

from absl.flags import FlagValues

from official.errors import InputError
from official.tasks.classification.classification_examples import Task
from official.tasks.classification.classification_files import READERS
from official.tasks.classification.glue import TASKS, glue_task
from official.tasks.classification.imdb import imdb_task
from official.tasks.classification.own_data import Columns, Table, own_data
from official.tasks.classification.swag import swag_task

NAMES = (*sorted(TASKS), "imdb", "swag", *READERS)
OWN_DATA_FLAGS = ("label_type", "labels", "text_a_column", "text_b_column", "label_column")
SPLIT_FLAGS = {"train": "train_file", "dev": "eval_file", "test": "predict_file"}
STANDARD_INPUT = "-"


def needed_flags(flags: FlagValues) -> list[str]:
    """The flags that say where the files are, among those that were not given: what has to be asked for."""
    if flags.tfds_name or flags.data_dir:
        return []
    wanted = {"train": flags.do_train, "dev": flags.do_eval, "test": flags.do_predict}
    missing = [SPLIT_FLAGS[split] for split in wanted if wanted[split] and not flags[SPLIT_FLAGS[split]].value]
    return missing if flags.task_name in READERS else ["data_dir"] * bool(missing)


def task_of_flags(flags: FlagValues, given: Mapping[str, str] | None = None) -> Task:
    """The task that the command line describes.

    Args:
        flags: of the script.
        given: by split, files to be read instead of those that the flags name.

    Raises:
        InputError: flags contradict each other, or a data set is not known.
    """
    if given is None:
        given = {split: flags[name].value for split, name in SPLIT_FLAGS.items() if flags[name].value}
    data_dir = flags.data_dir or ""
    if flags.tfds_name:
        from official.tasks.classification.classification_tfds import (
            tfds_task,  # Brings TensorFlow, which only this source needs.
        )

        columns = _columns(flags)
        return tfds_task(flags.tfds_name, flags.tfds_data_dir, given, columns, flags.label_type, _labels(flags))
    if flags.task_name in READERS:
        return _own_data(flags, given, data_dir)
    if useless := [f"--{name}" for name in OWN_DATA_FLAGS if flags[name].present]:
        raise InputError(f"{', '.join(useless)}: are for your own data; what {flags.task_name} has is known")
    if flags.task_name == "imdb":
        return imdb_task(data_dir)
    if flags.task_name == "swag":
        return swag_task(data_dir, given)
    return glue_task(flags.task_name, data_dir, given, flags.xnli_language)


def _own_data(flags: FlagValues, given: Mapping[str, str], data_dir: str) -> Task:
    form, multi = flags.task_name, flags.label_type == "multi"
    usual = {split: os.path.join(data_dir, f"{split}.{form}") for split in SPLIT_FLAGS}
    tables = {split: Table(path, form, _columns(flags), multi) for split, path in {**usual, **given}.items()}
    return own_data(tables, flags.label_type, _labels(flags))


def _columns(flags: FlagValues) -> Columns:
    return Columns(flags.text_a_column, flags.text_b_column, flags.label_column)


def _labels(flags: FlagValues) -> list[str] | None:
    """Those of --labels, in their order."""
    labels = flags.labels
    if labels and flags.label_type == "regression":
        raise InputError("--labels: with --label_type=regression a number is learnt, which has none")
    if labels and (len(set(labels)) < len(labels) or (len(labels) < 2 and flags.label_type == "single")):
        raise InputError(f"--labels={','.join(labels)}: different labels were expected, two at least")
    return labels or None
