"""Answers to questions, labelled by a teacher: its scores of where they start and end (`squad_projection.py`)."""

import dataclasses

import numpy as np
import tensorflow as tf

from official.inputs.tokenized import TokenizedExamples
from official.models.config import Config
from official.objectives.distilled_tasks import DistilledQuestionAnswering
from official.tasks.distillation.distillation_run import DistillationRun
from official.tasks.distillation.squad_projection import scores_for_student
from official.tasks.distillation.student import Student, read_student
from official.tasks.distillation.teacher import Labelling, Teacher
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.fine_tuning.trials import Outcome, run_trials
from official.tasks.squad.squad import HEAD, Squad
from official.tasks.squad.squad_features import SquadFeatures, WindowSize, make_features, tokenize_contexts
from official.tasks.squad.squad_files import Question, read_squad
from official.tasks.squad.squad_run import STANDARD_INPUT, SquadQuestions, SquadRun, SquadTraining, as_examples
from official.tokenization.tokenizer import Tokenizer


def distil(
    run: FineTuningRun, squad: SquadRun, distillation: DistillationRun, strategy: tf.distribute.Strategy
) -> Outcome:
    """Labels and trains, then answers and scores as `squad.fine_tune` does.

    Raises:
        InputError: files, models and flags don't fit together.
    """
    teacher = Teacher(run, distillation)
    teacher.require_head(HEAD)
    encoder = read_student(run, distillation, teacher)
    sources = read_sources(squad, distillation, encoder[1])
    asked = None
    if (squad.do_eval or squad.do_predict) and squad.predict_file != STANDARD_INPUT:
        asked = SquadQuestions.read(squad, encoder[1])
    objective = DistilledQuestionAnswering(distillation.imitation)
    lessons = SquadLessons(sources, Labelling(teacher, strategy, HEAD, (), objective), teacher.tokenizer, squad.window)

    def train_and_score(trial: FineTuningRun) -> dict[str, float]:
        student = SquadDistillation(teacher, distillation, objective, trial, squad, strategy, encoder)
        return student.run_all(lessons, asked)

    return run_trials(run, train_and_score, score="f1")


@dataclasses.dataclass(frozen=True)
class Source:
    """A file's questions in the student's tokens.

    Attributes:
        path: of the file.
        contexts: its texts.
        questions: some of its own.
        features: their windows.
        positions: int32 [2, W], where each window's answer starts and ends; None where only the teacher knows.
    """

    path: str
    contexts: list[str]
    questions: list[Question]
    features: SquadFeatures
    positions: np.ndarray | None


def read_sources(squad: SquadRun, distillation: DistillationRun, tokenizer: Tokenizer) -> list[Source]:
    """The file with answers, if there is one, and those whose answers are not looked at.

    Raises:
        InputError: a file is not SQuAD's.
    """
    sources = []
    if squad.train_file is not None:
        read = SquadTraining.read(squad, tokenizer)
        positions = np.stack(read.features.positions(read.targets.starts, read.targets.ends))
        sources.append(Source(read.file.path, read.file.contexts, read.targets.questions, read.features, positions))
    for path in distillation.unlabelled_files:
        asked = SquadQuestions.of_file(read_squad(path), squad, tokenizer)
        sources.append(Source(path, asked.file.contexts, asked.file.questions, asked.features, None))
    return sources


class SquadLessons:
    """What a student learns from, in the place of `SquadTraining`.

    Attributes:
        examples: windows with the teacher's scores, and its answers where the file has none.
    """

    def __init__(self, sources: list[Source], labelling: Labelling, teacher: Tokenizer, window: WindowSize):
        self._sources = sources
        self.examples = TokenizedExamples.joined([_examples(source, labelling, teacher, window) for source in sources])
        self._about_teacher = labelling.about  # Not all of it: the teacher's weights are no longer needed.

    def about(self, tokenizer: Tokenizer, window: WindowSize) -> list[tuple[str, str]]:
        """What a dry run says of the questions, as (name, text)."""
        del tokenizer, window  # Which `SquadTraining` counts with.
        questions = sum(len(source.questions) for source in self._sources)
        said = f"{questions:,} of {len(self._sources)} files, in {len(self.examples):,} windows"
        return [("questions", said), *self._about_teacher]


def _examples(source: Source, labelling: Labelling, teacher: Tokenizer, window: WindowSize) -> TokenizedExamples:
    theirs = make_features(source.questions, tokenize_contexts(source.contexts, teacher), teacher, window)
    logits = labelling.logits(as_examples(theirs), source.path)
    scores = np.stack([logits["start_logits"], logits["end_logits"]], axis=-1)  # [tokens, 2]
    scores = scores_for_student(theirs, scores, source.features, source.questions)
    starts, ends = _best(scores, source.features.row_splits) if source.positions is None else source.positions
    labelled = np.full(len(starts), float(source.positions is not None), np.float32)
    return dataclasses.replace(
        as_examples(source.features),
        labels={"start_positions": starts, "end_positions": ends, "labelled": labelled},
        token_values={"teacher_logits": scores},
    )


def _best(scores: np.ndarray, row_splits: np.ndarray) -> np.ndarray:
    """The best start and end of each window: int32 [2, W]."""
    rows = [scores[start:end].argmax(axis=0) for start, end in zip(row_splits, row_splits[1:])]
    return np.array(rows, np.int32).reshape(-1, 2).T


class SquadDistillation(Squad):
    """A student of question answering on given devices; what follows the objective is as of `Squad`."""

    def __init__(
        self, teacher: Teacher, distillation: DistillationRun, objective: DistilledQuestionAnswering, *arguments
    ):
        self._teacher, self._layers, self._objective = teacher, distillation.student_layers, objective
        super().__init__(*arguments)

    def _make_engine(self, encoder: tuple[Config, Tokenizer], strategy: tf.distribute.Strategy) -> Student:
        return Student(self._teacher, self._layers, self.run, strategy, HEAD, (), self._objective, encoder)
