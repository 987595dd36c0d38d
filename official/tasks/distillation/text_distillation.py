"""Texts, pairs of texts and choices, labelled by a teacher: logits are of whole examples, whatever the tokenizers."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from official.inputs.tokenized import TokenizedExamples
from official.models.config import Config
from official.objectives.distilled_tasks import DistilledClassification
from official.tasks.classification.classification import TextClassification, Wanted
from official.tasks.classification.classification_examples import Example, Task, label_array
from official.tasks.classification.classification_features import token_rows
from official.tasks.classification.classification_labels import HEAD, find_label_names
from official.tasks.distillation.distillation_run import DistillationRun
from official.tasks.distillation.student import Student, read_student
from official.tasks.distillation.teacher import Labelling, Teacher
from official.tasks.fine_tuning.fine_tuning import FineTuning
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.fine_tuning.trials import Outcome
from official.tokenization.tokenizer import Tokenizer


def distil(
    run: FineTuningRun,
    strategy: tf.distribute.Strategy,
    task: Task,
    wanted: Wanted,
    distillation: DistillationRun,
    read_unlabelled: Callable[[], list[Example]],
    has_labelled: bool,
) -> tuple[Outcome, bool]:
    """Labels and trains, then scores and predicts as `classify` does; answers as it does.

    Args:
        run, strategy, task, wanted: as of `classify`; `wanted` is to train.
        distillation: who teaches, and how.
        read_unlabelled: gives the texts that only the teacher labels.
        has_labelled: whether the task's training set is there too.

    Raises:
        InputError: files, labels, models and flags don't fit together.
    """
    lesson = TextDistillation(run, strategy, task, wanted, distillation, read_unlabelled, has_labelled)
    return lesson.run_all(), lesson.reads_pairs


class TextDistillation(TextClassification):
    """A classification whose training examples say what a teacher thinks of them."""

    def __init__(
        self,
        run: FineTuningRun,
        strategy: tf.distribute.Strategy,
        task: Task,
        wanted: Wanted,
        distillation: DistillationRun,
        read_unlabelled: Callable[[], list[Example]],
        has_labelled: bool,
    ):
        self.distillation = distillation
        self._parts: dict[str, list[Example]] = {}

        def read(split: str) -> list[Example]:
            if split != "train":
                return task.read(split)
            self._parts = {
                "labelled texts": task.read(split) if has_labelled else [],
                "unlabelled texts": read_unlabelled(),
            }
            return [example for part in self._parts.values() for example in part]

        super().__init__(run, strategy, dataclasses.replace(task, read=read), wanted)
        self._ask_the_teacher()

    def _read_encoder(self) -> tuple[Config, Tokenizer]:
        """Of the student; the teacher is looked at as well."""
        self.teacher = Teacher(self.run, self.distillation)
        self.teacher.require_head(HEAD)
        return read_student(self.run, self.distillation, self.teacher)

    def _find_labels(self, train: Sequence[Example] | None) -> tuple[str, ...]:
        """The teacher's: a label that it does not know is an error."""
        return find_label_names(self.task, self.teacher.run, self.teacher.config, None, scores=True)

    def _make_objective(self) -> DistilledClassification:
        return DistilledClassification(self.distillation.imitation, self.task.label_type, self.task.choices)

    def _make_engine(self, run: FineTuningRun) -> FineTuning:
        layers = self.distillation.student_layers
        arguments = run, self.strategy, HEAD, self._head_labels, self.objective, self.encoder
        return Student(self.teacher, layers, *arguments)

    def _tokenize(self, split: str, examples: Sequence[Example]) -> TokenizedExamples:
        """Those to train on without labels, of which only part may have some; the teacher is asked when all else is
        known to be right."""
        if split != "train":
            return super()._tokenize(split, examples)
        self._labels_of_file = label_array(self._parts["labelled texts"], self.labels, self.task.label_type)
        return self._rows(examples, {})

    def _ask_the_teacher(self) -> None:
        self.teacher.require_labels(HEAD, self._head_labels)
        labelling = Labelling(self.teacher, self.strategy, HEAD, tuple(self._head_labels), self.objective)
        logits = [
            labelling.logits(self._rows_of_teacher(part), name)["logits"].reshape(len(part), -1)  # [n, C]
            for name, part in self._parts.items()
            if part
        ]
        labels = self._labels(np.concatenate(logits))
        self.tokenized["train"] = dataclasses.replace(self.tokenized["train"], labels=labels)
        self.about_inputs += labelling.about

    def _rows_of_teacher(self, examples: Sequence[Example]) -> TokenizedExamples:
        rows = token_rows(examples, self.teacher.tokenizer, self.run.max_seq_length)
        return TokenizedExamples.from_rows(rows, group=self.task.choices)

    def _labels(self, logits: np.ndarray) -> Mapping[str, np.ndarray]:
        """What the objective is given: where the file says nothing, `label_ids` are what the teacher decides."""
        known = len(self._labels_of_file)
        label_ids = {
            "single": lambda: logits.argmax(axis=-1).astype(np.int32),
            "multi": lambda: (logits > 0).astype(np.float32),
            "regression": lambda: logits[:, 0].copy(),
        }[self.task.label_type]()
        if known:
            label_ids[:known] = self._labels_of_file
        labelled = (np.arange(len(logits)) < known).astype(np.float32)
        return {"teacher_logits": logits, "label_ids": label_ids, "labelled": labelled}
