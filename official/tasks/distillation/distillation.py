"""From the flags of `run_distillation.py` to the task that is distilled."""

import dataclasses
from typing import Any, NamedTuple

import tensorflow as tf
from absl.flags import FlagValues

from official.errors import InputError
from official.tasks.classification import classification_tasks
from official.tasks.classification.classification import Wanted
from official.tasks.distillation import distillation_run, squad_distillation, tagging_distillation, text_distillation
from official.tasks.distillation.distillation_flags import SQUAD, TAGGING
from official.tasks.distillation.unlabelled_texts import read_unlabelled
from official.tasks.fine_tuning import fine_tuning_run
from official.tasks.squad import squad_run, squad_threshold
from official.tasks.tagging import tagging_data


class Distilled(NamedTuple):
    """What a run leaves.

    model: directory of the student.
    served_as: what an export of it has to know.
    """

    model: str
    served_as: dict[str, Any]


def kind_of(flags: FlagValues) -> dict[str, Any]:
    """What an export is told before anything is trained."""
    if flags.task == SQUAD:
        return {"kind": "question_answering", "model_name": "squad"}
    if flags.task == TAGGING:
        return {"kind": "tagger", "model_name": "ner"}
    task = classification_tasks.task_of_flags(flags)
    return {
        "kind": "classifier" if task.choices == 1 else "multiple_choice",
        "label_type": task.label_type,
        "model_name": flags.task_name or "classifier",
    }


def distil(flags: FlagValues, strategy: tf.distribute.Strategy) -> Distilled:
    """Does what the command line says.

    Raises:
        InputError: files, labels, models and flags don't fit together.
    """
    distil_task = {SQUAD: _squad, TAGGING: _tagging}.get(flags.task, _classification)
    return distil_task(flags, fine_tuning_run.run_of_flags(flags), distillation_run.run_of_flags(flags), strategy)


def _classification(flags, run, distillation, strategy) -> Distilled:
    task = classification_tasks.task_of_flags(flags)
    wanted = Wanted(
        do_train=True,
        do_eval=flags.do_eval,
        do_predict=flags.do_predict,
        from_stdin=flags.do_predict and flags.predict_file == classification_tasks.STANDARD_INPUT,
    )
    has_labelled = bool(flags.train_file or flags.data_dir or flags.tfds_name)
    if not (has_labelled or distillation.unlabelled_file):
        raise InputError("--unlabelled_file or --train_file must be given: there is no text to learn from")
    outcome, pairs = text_distillation.distil(
        run, strategy, task, wanted, distillation, lambda: read_unlabelled(flags, task), has_labelled
    )
    return Distilled(outcome.model, {"text_pairs": pairs})


def _squad(flags, run, distillation, strategy) -> Distilled:
    asked = squad_run.run_of_flags(flags)
    _require_texts(asked.train_file, distillation)
    outcome = squad_distillation.distil(run, asked, distillation, strategy)
    threshold = squad_threshold.given_threshold(
        flags.null_score_diff_threshold, outcome.output_dir, run.init_checkpoint
    )
    return Distilled(outcome.model, {"null_score_diff_threshold": threshold})


def _tagging(flags, run, distillation, strategy) -> Distilled:
    tagging = dataclasses.replace(
        tagging_data.tagging_run_of_flags(flags, learns_from_labels=False),
        task=None,  # As the teacher's labels show; the flag of this name is another.
        labels=",".join(flags.labels) if flags.labels else None,
        label_column=_number(flags.label_column),
    )
    _require_texts(tagging.train_file, distillation)
    return Distilled(tagging_distillation.distil(run, tagging, distillation, strategy).model, {})


def _require_texts(train_file: str | None, distillation: distillation_run.DistillationRun) -> None:
    if train_file is None and distillation.unlabelled_file is None:
        raise InputError("--unlabelled_file or --train_file must be given: there is no text to learn from")


def _number(column: str | None) -> int | None:
    try:
        return None if column is None else int(column)
    except ValueError as error:
        raise InputError(f"--label_column={column}: a number was expected") from error
