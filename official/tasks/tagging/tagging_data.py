"""What a run of tagging is told, and its files as the tagger sees them."""

import dataclasses
import os
import sys

from absl.flags import FlagValues

from official.checkpoints.loading import labels_of, open_source, parts_of
from official.errors import InputError
from official.models.config import Config
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.tagging import conll, tagger_files, tagging_labels
from official.tasks.tagging.conll import ColumnFile
from official.tasks.tagging.tag_schemes import Scheme
from official.tasks.tagging.tagging_scores import Sentences

HEAD = "token_classification"
STANDARD_INPUT = "-"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TaggingRun:
    """What `run_ner.py` is told beside what all scripts of fine-tuning are; each field is the flag of that name."""

    train_file: str | None = None
    eval_file: str | None = None
    predict_file: str | None = None
    task: str | None = None  # None: as the labels show
    labels: str | None = None
    token_column: int | None = None
    label_column: int | None = None
    tag_scheme: str | None = None
    doc_stride: int | None = None
    document_context: bool = False
    feature_based: bool = False
    feature_layers: str | None = None  # None: the paper's best, or as the tagger that is there has it
    lstm_size: int | None = None  # None: the paper's, or as the tagger that is there has it


def tagging_run_of_flags(flags: FlagValues, learns_from_labels: bool = True) -> TaggingRun:
    """The run that the command line describes; files of `data_dir` stand in for those that are not named.

    Args:
        flags: of the script.
        learns_from_labels: whether there has to be a file to learn from.

    Raises:
        InputError: a file that is needed is not named.
    """
    names = {field.name for field in dataclasses.fields(TaggingRun)} & set(flags)
    values = {name: flags[name].value for name in names}
    for wanted, name in (("train", "train"), ("eval", "dev"), ("predict", "test")):
        if not flags[f"do_{wanted}"].value:
            values[f"{wanted}_file"] = None
        elif values[f"{wanted}_file"] is None:
            if flags.data_dir is None and wanted == "train" and not learns_from_labels:
                continue
            if flags.data_dir is None:
                raise InputError(f"--do_{wanted} needs --{wanted}_file, or --data_dir with {name}.txt")
            values[f"{wanted}_file"] = os.path.join(flags.data_dir, f"{name}.txt")
    return TaggingRun(**values)


def labels_of_checkpoint(path: str, config: Config) -> tuple[str, ...]:
    """Those of the tagger that a checkpoint holds; none if it holds no tagger."""
    if home := tagger_files.find(path):
        return tagger_files.read_settings(home).labels
    family, source = open_source(path, config)
    return labels_of(family, source, [HEAD]) if HEAD in parts_of(family, source) else ()


class TaggingData:
    """The files of a run as the tagger sees them: labels, task and scheme are those of the training file, if any.

    Args:
        run, tagging: what was asked for.
        config: of the model.

    Attributes:
        labels: what the tagger tells apart.
        task: `ner` or `pos`.
        scheme: how its tags spell entities.
        train, evaluation, predict: the files; None where there is none.

    Raises:
        InputError: a file can't be read, has labels that don't fit, or nothing says which labels there are.
    """

    def __init__(self, run: FineTuningRun, tagging: TaggingRun, config: Config):
        self.train = self._read(tagging, tagging.train_file)
        self.evaluation = self._read(tagging, tagging.eval_file)
        from_file = tagging.predict_file is not None and tagging.predict_file != STANDARD_INPUT
        self.predict = self._read(tagging, tagging.predict_file, labels_expected=False) if from_file else None
        known = self._known_labels(run, tagging, config)
        learnt = [sentence.labels for sentence in self.train.sentences] if self.train else [[label] for label in known]
        self.task = tagging.task or tagging_labels.task_of(label for labels in learnt for label in labels)
        if self.train is not None:
            learnt = tagging_labels.labels_in(self.train, self.task)
        self.scheme = tagging_labels.scheme_of(self.task, learnt)
        if tagging.tag_scheme and self.task == tagging_labels.ENTITIES:
            self.scheme = Scheme(tagging.tag_scheme)
        self.labels = self._choose_labels(known, fixed=tagging.labels is not None)
        for file in (self.train, self.evaluation):
            if file is not None:
                tagging_labels.check_known(file, self.true_labels(file), self.labels)

    @staticmethod
    def _read(tagging: TaggingRun, path: str | None, labels_expected: bool = True) -> ColumnFile | None:
        if path is None:
            return None
        file = conll.read(path, tagging.token_column, tagging.label_column, labels_expected)
        if tagging.document_context and not file.marks_documents:
            print(f"note: {path}: nothing marks documents: it is read as one", file=sys.stderr)
        return file

    @staticmethod
    def _known_labels(run: FineTuningRun, tagging: TaggingRun, config: Config) -> tuple[str, ...]:
        """Labels that are given, or that go with the weights that the run starts from."""
        if tagging.labels is not None:
            given = tagging_labels.labels_of_flag(tagging.labels)
            if tagging.train_file is None:
                tagging_labels.check_learnt(given, run.output_dir)
            return given
        if tagging.train_file is None and (learnt := tagging_labels.read_labels(run.output_dir)):
            return learnt
        source = run.source if tagging.train_file is None else run.init_checkpoint
        starts_anew = source is None or (tagging.train_file is not None and run.reinitialize_head)
        known = () if starts_anew else labels_of_checkpoint(source, config)
        if tagging.train_file is None and not known:
            raise InputError(f"{source}: is no tagger that says its labels: --do_train or --labels was expected")
        return known

    def _choose_labels(self, known: tuple[str, ...], fixed: bool) -> tuple[str, ...]:
        if fixed or self.train is None:
            return known
        found = tagging_labels.in_order(label for labels in self.true_labels(self.train) for label in labels)
        return known if set(found) <= set(known) else found  # A tagger that is trained further keeps its own.

    def true_labels(self, file: ColumnFile) -> Sentences:
        """The labels of each sentence of a file, in the tagger's scheme."""
        return tagging_labels.labels_in(file, self.task, self.scheme)

    def is_labelled(self, file: ColumnFile) -> bool:
        """Whether a file has labels, and none that the tagger does not know: which is said."""
        if not file.has_labels:
            return False
        try:
            tagging_labels.check_known(file, self.true_labels(file), self.labels)
        except InputError as error:
            print(f"note: no scores: {error}", file=sys.stderr)
            return False
        return True
