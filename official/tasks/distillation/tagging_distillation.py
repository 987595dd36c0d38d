"""Words labelled by a teacher.

Both models say what they think of a word at its first piece, whatever the pieces and windows of each: logits of words
are compared, and the models may be of different tokenizers.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from official.inputs.tokenized import NO_LABEL, TokenizedExamples
from official.objectives.distilled_tasks import DistilledTokenClassification
from official.tasks.distillation.distillation_run import DistillationRun
from official.tasks.distillation.student import Student, read_student
from official.tasks.distillation.teacher import Labelling, Teacher
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.fine_tuning.trials import Outcome, run_trials
from official.tasks.tagging import conll, tagging_labels
from official.tasks.tagging.conll import ColumnFile
from official.tasks.tagging.tagging import SCORE_OF, Tagging
from official.tasks.tagging.tagging_data import HEAD, TaggingData, TaggingRun
from official.tasks.tagging.tagging_features import TaggingFeatures, make_features
from official.tokenization.tokenizer import Tokenizer


def distil(
    run: FineTuningRun, tagging: TaggingRun, distillation: DistillationRun, strategy: tf.distribute.Strategy
) -> Outcome:
    """Labels and trains, then scores and predicts as `run_tagging` does.

    Raises:
        InputError: files, labels, models and flags don't fit together.
    """
    teacher = Teacher(run, distillation)
    teacher.require_head(HEAD)
    lessons = TaggingLessons(run, tagging, distillation, teacher)
    encoder = read_student(run, distillation, teacher)
    lessons.label(strategy, encoder[1])

    def train_and_score(trial: FineTuningRun) -> dict[str, float]:
        return TaggingDistillation(trial, lessons, encoder, strategy).run_all()

    return run_trials(run, train_and_score, SCORE_OF[lessons.data.task])


class TaggingLessons:
    """The files that a student learns from, and what the teacher says of them.

    Attributes:
        data: the files to score and predict on, with labels, task and scheme of the teacher.
        examples: to train on, once the teacher was asked.
        about: of a dry run, as (name, text).

    Raises:
        InputError: a file can't be read, or has labels that the teacher does not know: file and line are named.
    """

    def __init__(self, run: FineTuningRun, tagging: TaggingRun, distillation: DistillationRun, teacher: Teacher):
        self.run, self.tagging, self.teacher = run, tagging, teacher
        self.objective = DistilledTokenClassification(distillation.imitation)
        self.layers = distillation.student_layers
        self.data = TaggingData(teacher.run, dataclasses.replace(tagging, train_file=None), teacher.config)
        teacher.require_labels(HEAD, self.data.labels)
        columns = tagging.token_column, tagging.label_column
        self.labelled = [] if tagging.train_file is None else [conll.read(tagging.train_file, *columns)]
        self.unlabelled = [conll.read(path, *columns, labels_expected=False) for path in distillation.unlabelled_files]
        for file in self.labelled:
            tagging_labels.check_known(file, self.data.true_labels(file), self.data.labels)
        self.data.train = self.files[0]
        self.examples: TokenizedExamples | None = None
        self.about: list[tuple[str, str]] = []

    @property
    def files(self) -> list[ColumnFile]:
        return self.labelled + self.unlabelled

    def features_of(self, file: ColumnFile, tokenizer: Tokenizer) -> TaggingFeatures:
        """A file's words in the pieces of one of the models."""
        context = [sentence.begins_document for sentence in file.sentences] if self.tagging.document_context else None
        sentences = [sentence.words for sentence in file.sentences]
        return make_features(sentences, tokenizer, self.run.max_seq_length, self.tagging.doc_stride, context)

    def label(self, strategy: tf.distribute.Strategy, student: Tokenizer) -> None:
        """Asks the teacher, and puts what it says where the student's pieces are."""
        labelling = Labelling(self.teacher, strategy, HEAD, self.data.labels, self.objective)
        parts = []
        for file in self.files:
            theirs = self.features_of(file, self.teacher.tokenizer)
            logits = labelling.logits(theirs.examples, file.path)["logits"][theirs.token]  # [W, labels]
            ids = self._label_ids(file) if file in self.labelled else logits.argmax(axis=-1)
            features = self.features_of(file, student)
            parts.append(with_logits(features, logits, ids, labelled=file in self.labelled))
        self.examples, self.about = TokenizedExamples.joined(parts), labelling.about

    def _label_ids(self, file: ColumnFile) -> np.ndarray:
        numbers = {label: number for number, label in enumerate(self.data.labels)}
        return np.array([numbers[label] for labels in self.data.true_labels(file) for label in labels], np.int32)


def with_logits(
    features: TaggingFeatures, logits: np.ndarray, label_ids: np.ndarray, labelled: bool
) -> TokenizedExamples:
    """Examples that say at the first piece of each word, once, what the teacher thinks of it, and its label.

    Args:
        features: W words in the student's pieces.
        logits: float32 [W, labels].
        label_ids: int [W].
        labelled: whether the labels are a file's rather than the teacher's.
    """
    tokens = len(features.examples.input_ids)
    values = np.zeros((tokens, logits.shape[1]), np.float32)
    values[features.token] = logits
    examples = features.with_labels(label_ids)
    marks = np.where(examples.token_labels != NO_LABEL, float(labelled), 0.0).astype(np.float32)
    return dataclasses.replace(examples, token_values={"teacher_logits": values, "labelled": marks})


class TaggingDistillation(Tagging):
    """A tagger that learns what a teacher says."""

    def __init__(self, run: FineTuningRun, lessons: TaggingLessons, *arguments):
        self.lessons = lessons
        super().__init__(run, lessons.tagging, lessons.data, *arguments)

    def _make_engine(self, encoder, strategy) -> Student:
        lessons = self.lessons
        arguments = self.run, strategy, HEAD, self.data.labels, lessons.objective, encoder
        return Student(lessons.teacher, lessons.layers, *arguments)

    def _training_examples(self) -> TokenizedExamples:
        return self.lessons.examples

    def _about(self, windows: int) -> list[tuple[str, str]]:
        files = self.lessons.files
        sentences = sum(len(file.sentences) for file in files)
        return [
            ("examples", f"{sentences:,} sentences of {len(files)} files, in {windows:,} windows"),
            *self.lessons.about,
        ]
