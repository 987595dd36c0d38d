"""Which labels a model has, and in which order: the task, the data and the checkpoint each say something."""

import os
import sys
from collections.abc import Sequence

from official import files
from official.checkpoints.labels import unnamed
from official.checkpoints.loading import labels_of, open_source
from official.errors import InputError
from official.models.config import Config
from official.tasks.classification.classification_examples import Example, Task, find_labels, listed
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun

HEAD = "sequence_classification"


def find_label_names(
    task: Task, run: FineTuningRun, config: Config, train: Sequence[Example] | None, scores: bool
) -> tuple[str, ...]:
    """The labels by their ids: the task's, those of the training examples, or those that the checkpoint names.

    Where both are the same but for their order, it is the checkpoint's, whose head is used. What was found in the data
    is said on stderr.

    Raises:
        InputError: nothing says what they are, or the checkpoint's head gives something else.
    """
    theirs, label_type = ((), None) if task.choices > 1 else _classes_of_checkpoint(run, config, train is not None)
    if train is None and label_type not in (None, task.label_type):
        raise InputError(
            f"--label_type is {task.label_type}: the checkpoint was trained with --label_type={label_type}"
        )
    if task.label_type == "regression":
        return ()
    ours = task.labels or (None if train is None else find_labels(train, task.label_type))
    named = bool(theirs) and theirs != unnamed(len(theirs))
    if ours is None and not theirs:
        raise InputError("--labels must be given: neither training data nor a fine-tuned checkpoint says what they are")
    if ours is None and scores and not named:
        raise InputError(f"--labels must be given: the checkpoint does not name its {len(theirs)} labels")
    if ours is None and len(theirs) == 1:
        raise InputError("the checkpoint's head has one output: it gives a number, which --label_type=regression takes")
    if ours is None:
        return theirs
    if task.labels is None:
        print(f"{len(ours)} labels in the training data: {listed(ours)}", file=sys.stderr)
    if named and theirs != ours and sorted(theirs) == sorted(ours) and not run.reinitialize_head:
        print(f"note: labels are in the order of the checkpoint: {listed(theirs)}", file=sys.stderr)
        return theirs
    return ours


def _classes_of_checkpoint(run: FineTuningRun, config: Config, trains: bool) -> tuple[tuple[str, ...], str | None]:
    """Labels, and what a label is, of the model in the output directory, or of the one that is about to be trained."""
    own = files.exists(os.path.join(run.output_dir, "model", "config.json"))
    path = run.output_dir if own and not trains else run.init_checkpoint
    if path is None:
        return (), None
    family, source = open_source(path, config)
    return labels_of(family, source, {HEAD}), source.label_type
