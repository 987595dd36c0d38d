"""Windows as the record files of the original: `train.tf_record` and `eval.tf_record`."""

import os
import random

import numpy as np

from official import files
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.fine_tuning.tf_records import write_tf_records
from official.tasks.squad.squad_features import SquadFeatures
from official.tasks.squad.squad_run import SquadQuestions, SquadTraining, as_examples
from official.tasks.squad.squad_targets import NO_ANSWER

FIRST_UNIQUE_ID = 1_000_000_000  # convert_examples_to_features of run_squad.py.
SHUFFLE_SEED = 12_345  # Of its main: the training questions are shuffled before they are cut into windows.


def write_squad_records(run: FineTuningRun, training: SquadTraining | None, asked: SquadQuestions | None) -> None:
    """Writes those that there are windows for.

    Both have `unique_ids`; the training records, whose questions are shuffled as the original's, also
    `start_positions`, `end_positions` and `is_impossible` (FeatureWriter of run_squad.py).

    Raises:
        InputError: they can't be written.
    """
    files.make_directory(run.output_dir)
    if training is not None:
        of_question = training.features.question
        order = _shuffled(of_question, len(training.targets.questions))
        impossible = training.targets.starts[of_question] == NO_ANSWER
        labels = dict(training.examples.labels) | {"is_impossible": impossible.astype(np.int64)}
        _write(run, "train.tf_record", training.features, order, labels)
    if asked is not None:
        _write(run, "eval.tf_record", asked.features, np.arange(len(asked.features.question)), {})


def _shuffled(of_question: np.ndarray, questions: int) -> np.ndarray:
    """The windows in the order of the shuffled questions: int64 [W]."""
    order = list(range(questions))
    random.Random(SHUFFLE_SEED).shuffle(order)
    return np.argsort(np.argsort(order)[of_question], kind="stable")


def _write(
    run: FineTuningRun, name: str, features: SquadFeatures, order: np.ndarray, labels: dict[str, np.ndarray]
) -> None:
    unique_ids = FIRST_UNIQUE_ID + np.argsort(order)
    path, examples = os.path.join(run.output_dir, name), as_examples(features)
    write_tf_records(path, examples, run.max_seq_length, {"unique_ids": unique_ids} | labels, order)
