"""What `run_squad.py` is told, and the questions that it reads: to train on, and to be answered."""

import dataclasses
import functools
import sys

import numpy as np
from absl.flags import FlagValues

from official.inputs.tokenized import TokenizedExamples
from official.tasks.squad.squad_answers import SearchOptions
from official.tasks.squad.squad_features import SquadFeatures, WindowSize, make_features, tokenize_contexts
from official.tasks.squad.squad_files import SquadFile, name_some, read_squad
from official.tasks.squad.squad_scores import require_answers
from official.tasks.squad.squad_targets import Targets, find_targets
from official.tokenization.tokenizer import Tokenizer

STANDARD_INPUT = "-"


@dataclasses.dataclass(frozen=True, kw_only=True)
class SquadRun:
    """What `run_squad.py` is told beside the flags that all fine-tuning shares; each field is the flag of that name."""

    train_file: str | None = None
    predict_file: str | None = None
    window: WindowSize = WindowSize()
    search: SearchOptions = SearchOptions()
    null_score_diff_threshold: str = "0.0"  # A number, or squad_threshold.BEST.
    verbose_logging: bool = False
    do_train: bool = False
    do_eval: bool = False
    do_predict: bool = False


def run_of_flags(flags: FlagValues) -> SquadRun:
    """The run that the command line describes."""

    def same_names(kind: type) -> dict:
        names = {field.name for field in dataclasses.fields(kind)} & set(flags)
        return {name: flags[name].value for name in names}

    window, search = WindowSize(**same_names(WindowSize)), SearchOptions(**same_names(SearchOptions))
    return SquadRun(window=window, search=search, **same_names(SquadRun))


@dataclasses.dataclass(frozen=True)
class SquadTraining:
    """Questions to train on, with their answers, and their windows."""

    file: SquadFile
    targets: Targets
    features: SquadFeatures

    @classmethod
    def read(cls, squad: SquadRun, tokenizer: Tokenizer) -> "SquadTraining":
        """Those of the training file.

        Raises:
            InputError: the file is not SQuAD's, or has questions that can't be trained on.
        """
        file = read_squad(squad.train_file)
        contexts = tokenize_contexts(file.contexts, tokenizer)
        targets = find_targets(file, contexts, tokenizer, squad.search.version_2_with_negative)
        features = make_features(targets.questions, contexts, tokenizer, squad.window)
        count = f"{len(targets.questions)} questions, {len(features.question)} windows"
        print(f"{squad.train_file}: {count}", file=sys.stderr)
        return cls(file, targets, features)

    @functools.cached_property
    def examples(self) -> TokenizedExamples:
        """The windows, each with the positions of its answer."""
        starts, ends = self.features.positions(self.targets.starts, self.targets.ends)
        labels = {"start_positions": starts, "end_positions": ends}
        return dataclasses.replace(as_examples(self.features), labels=labels)

    def about(self, tokenizer: Tokenizer, window: WindowSize) -> list[tuple[str, str]]:
        """What a dry run says of the questions, as (name, text)."""
        questions, windows = self.targets.questions, np.bincount(self.features.question)
        cut = sum(len(tokenizer.encode(question.text)) > window.max_query_length for question in questions)
        several = int((windows > 1).sum())
        return [
            ("questions", f"{len(questions):,}; {cut:,} are cut to {window.max_query_length} tokens"),
            ("windows", f"{windows.sum():,}; the contexts of {several:,} questions take more than one"),
        ]


def as_examples(features: SquadFeatures) -> TokenizedExamples:
    """The windows as the engine takes them."""
    return TokenizedExamples(features.input_ids, features.row_splits, features.segment_ids)


@dataclasses.dataclass(frozen=True)
class SquadQuestions:
    """Questions to be answered, and their windows."""

    file: SquadFile
    features: SquadFeatures

    @classmethod
    def read(cls, squad: SquadRun, tokenizer: Tokenizer) -> "SquadQuestions":
        """Those of the file to be predicted.

        Raises:
            InputError: it is not SQuAD's, or lacks answers to score against.
        """
        asked = cls.of_file(read_squad(squad.predict_file), squad, tokenizer)
        if squad.do_eval:
            require_answers(asked.file)
        if not squad.search.version_2_with_negative:
            _tell_of_unanswerable(asked.file, squad.do_eval)
        count = f"{len(asked.file.questions)} questions, {len(asked.features.question)} windows"
        print(f"{squad.predict_file}: {count}", file=sys.stderr)
        return asked

    @classmethod
    def of_file(cls, file: SquadFile, squad: SquadRun, tokenizer: Tokenizer) -> "SquadQuestions":
        contexts = tokenize_contexts(file.contexts, tokenizer)
        return cls(file, make_features(file.questions, contexts, tokenizer, squad.window))


def _tell_of_unanswerable(file: SquadFile, to_be_scored: bool) -> None:
    """The original says nothing here; the official scorer of v1.1 fails."""
    unanswerable = [
        question.id for question in file.questions if question.is_impossible or (to_be_scored and not question.answers)
    ]
    if unanswerable:
        what = "questions without answer, which get one all the same and can only be wrong"
        print(
            f"note: {file.path}: {what}; --version_2_with_negative allows none: {name_some(unanswerable)}",
            file=sys.stderr,
        )
