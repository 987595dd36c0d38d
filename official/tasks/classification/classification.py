"""Classification of texts and pairs of texts: trained, scored, and what it predicts written down."""

import dataclasses
import os
import sys
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from official import files
from official.errors import InputError
from official.inputs.tokenized import TokenizedExamples
from official.models.config import Config
from official.objectives.classification import Classification, MultiLabelClassification, Regression
from official.tasks.classification import classification_outputs, classification_scores
from official.tasks.classification.classification_examples import Example, Task, class_weights, label_array
from official.tasks.classification.classification_features import count_cut, token_rows
from official.tasks.classification.classification_labels import HEAD, find_label_names
from official.tasks.eval_results import write_eval_results
from official.tasks.fine_tuning.fine_tuning import FineTuning
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun, read_encoder
from official.tasks.fine_tuning.tf_records import write_tf_records
from official.tasks.fine_tuning.trials import Outcome, run_trials
from official.tokenization.tokenizer import Tokenizer

RECORD_FILES = {"train": "train.tf_record", "dev": "eval.tf_record", "test": "predict.tf_record"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """What of it all is to be done.

    Attributes:
        class_weights: as `classification_examples.class_weights` understands them.
        from_stdin: whether texts to predict for are typed rather than read from a file.
    """

    do_train: bool = False
    do_eval: bool = False
    do_predict: bool = False
    write_submission: bool = False
    from_stdin: bool = False
    class_weights: str | None = None


def classify(run: FineTuningRun, strategy: tf.distribute.Strategy, task: Task, wanted: Wanted) -> tuple[Outcome, bool]:
    """Does what `run_classifier.py` does; answers with what it leaves, and whether there were pairs of texts.

    Raises:
        InputError: files, labels, checkpoint and flags don't fit together.
    """
    classification = TextClassification(run, strategy, task, wanted)
    return classification.run_all(), classification.reads_pairs


class TextClassification:
    """A task with its examples read and tokenized, before anything is trained that might turn out to be for nothing."""

    def __init__(self, run: FineTuningRun, strategy: tf.distribute.Strategy, task: Task, wanted: Wanted):
        self.run, self.strategy, self.task, self.wanted = run, strategy, task, wanted
        self.reads_pairs = False
        self._check()
        self.encoder = self._read_encoder()
        predicts_file = wanted.do_predict and not wanted.from_stdin
        splits = {"train": wanted.do_train, "dev": wanted.do_eval, "test": predicts_file}
        examples = {split: task.read(split) for split, needed in splits.items() if needed}
        self.labels = self._find_labels(examples.get("train"))
        self.about_inputs = self._about(examples["train"]) if run.dry_run else []
        self.tokenized = {split: self._tokenize(split, found) for split, found in examples.items()}
        self.objective = self._make_objective()

    def _read_encoder(self) -> tuple[Config, Tokenizer]:
        return read_encoder(self.run)

    def _find_labels(self, train: Sequence[Example] | None) -> tuple[str, ...]:
        return find_label_names(self.task, self.run, self.encoder[0], train, self.wanted.do_eval)

    def _make_engine(self, run: FineTuningRun) -> FineTuning:
        return FineTuning(run, self.strategy, HEAD, self._head_labels, self.objective, self.encoder)

    def _check(self) -> None:
        run, wanted = self.run, self.wanted
        if run.num_trials > 1 and not (wanted.do_train and wanted.do_eval and not wanted.from_stdin):
            raise InputError(
                f"--num_trials={run.num_trials}: compares scores: --do_train and --do_eval have to be given"
            )
        for name in ("keep_best", "early_stopping_patience"):
            if getattr(run, name) and wanted.do_train and not wanted.do_eval:
                raise InputError(f"--{name}: compares scores: --do_eval has to be given")
        if wanted.write_submission and self.task.submission is None:
            raise InputError(f"--write_submission: {self.task.name} is no task of the GLUE server's")
        if wanted.class_weights is not None and self.task.label_type != "single":
            raise InputError("--class_weights: are for examples of one label each (--label_type=single)")
        if wanted.write_submission and not wanted.do_predict:
            raise InputError("--write_submission: writes what is predicted, so --do_predict has to be given")

    def _about(self, examples: Sequence[Example]) -> list[tuple[str, str]]:
        """What a dry run says of the training examples."""
        length = self.run.max_seq_length
        rows = len(examples) * self.task.choices
        cut = count_cut(examples, self.encoder[1], length)
        choices = f" of {self.task.choices} choices each" if self.task.choices > 1 else ""
        kind = "pairs" if any(text_b is not None for _, text_b in examples[0].pairs) else "texts"
        texts = f"{rows:,} {kind}; {cut:,} of them ({cut / rows:.1%}) are cut to {length} tokens"
        return [("examples", f"{len(examples):,}{choices}: {texts}")]

    def _tokenize(self, split: str, examples: Sequence[Example]) -> TokenizedExamples:
        labels = {}
        if split != "test":
            labels["label_ids"] = label_array(examples, self.labels, self.task.label_type)
        return self._rows(examples, labels)

    def _rows(self, examples: Sequence[Example], labels: Mapping[str, np.ndarray]) -> TokenizedExamples:
        self.reads_pairs |= any(text_b is not None for example in examples for _, text_b in example.pairs)
        rows = token_rows(examples, self.encoder[1], self.run.max_seq_length)
        return TokenizedExamples.from_rows(rows, labels, group=self.task.choices)

    def _make_objective(self):
        setting = self.wanted.class_weights
        if self.task.label_type != "single":
            return MultiLabelClassification() if self.task.label_type == "multi" else Regression()
        weights = None
        if setting is not None and self.wanted.do_train:
            label_ids = self.tokenized["train"].labels["label_ids"]
            weights = tuple(map(float, class_weights(setting, self.labels, label_ids)))
        return Classification(weights, self.task.choices)

    @property
    def _head_labels(self) -> Sequence[str]:
        """One output where a number is learnt, or how good a choice is."""
        if self.task.label_type == "regression":
            return ("value",)
        return self.labels if self.task.choices == 1 else ("choice",)

    def run_all(self) -> Outcome:
        """Trains and scores once for every seed, then predicts."""
        if self.run.write_tf_records and not self.run.dry_run:
            self._write_tf_records()
        score = f"eval_{self.task.measures[0]}"
        return run_trials(self.run, lambda trial: self._run_trial(trial, score), score)

    def _write_tf_records(self) -> None:
        """The original's record files (run_classifier.py:479-509), with its label 0 where nothing is known."""
        files.make_directory(self.run.output_dir)
        for split, name in RECORD_FILES.items():
            if split in self.tokenized:
                examples = self.tokenized[split]
                ones = np.ones(len(examples), np.int64)
                features = {"label_ids": np.zeros_like(ones)} | dict(examples.labels) | {"is_real_example": ones}
                path = os.path.join(self.run.output_dir, name)
                write_tf_records(path, examples, self.run.max_seq_length, features)

    def _run_trial(self, run: FineTuningRun, score: str) -> Mapping[str, float]:
        tuning = self._make_engine(run)
        if self.task.choices == 1:
            tuning.model.label_type = self.task.label_type
        tuning.about_inputs = self.about_inputs
        wanted, logits, results = self.wanted, None, {}
        if wanted.do_train:
            logits = self._train(tuning, score)
            print(f"model: {tuning.write_model()}")
        else:
            tuning.restore()
        if wanted.do_eval:
            results = self._evaluate(tuning, self._logits(tuning, "dev") if logits is None else logits)
        if wanted.from_stdin:
            self.answer_lines(tuning, sys.stdin.buffer)
        elif wanted.do_predict:
            self._predict(tuning)
        return results

    def _train(self, tuning: FineTuning, score: str) -> np.ndarray | None:
        """Answers with the dev set's logits of the last step, where they were needed and are those of the model."""
        latest = None

        def evaluate() -> Mapping[str, float]:
            nonlocal latest
            latest = self._logits(tuning, "dev")
            return self._score(latest)

        tuning.train(self.tokenized["train"], evaluate if self.wanted.do_eval else None, score)
        keeps_the_last = not self.run.keep_best and self.run.early_stopping_patience is None
        return latest if keeps_the_last else None

    def _logits(self, tuning: FineTuning, split: str) -> np.ndarray:
        """float32 [N, C]; where there is a choice, C are the choices."""
        batch_size = self.run.eval_batch_size if split == "dev" else self.run.predict_batch_size
        return self._logits_of(tuning, self.tokenized[split], batch_size)

    def _logits_of(self, tuning: FineTuning, examples: TokenizedExamples, batch_size: int) -> np.ndarray:
        logits = tuning.predict(examples, batch_size)["logits"].astype(np.float32)
        return logits.reshape(len(examples), -1)  # [N · choices, 1] → [N, choices]

    def _score(self, logits: np.ndarray) -> dict[str, float]:
        labels = self.tokenized["dev"].labels["label_ids"]
        task = self.task
        return classification_scores.scores(logits, labels, task.label_type, task.measures, self.run.eval_batch_size)

    def _evaluate(self, tuning: FineTuning, logits: np.ndarray) -> dict[str, float]:
        labels = self.tokenized["dev"].labels["label_ids"]
        predicted = classification_scores.predictions(logits, self.task.label_type)
        results = self._score(logits)
        if self.task.label_type != "regression":
            print(classification_scores.table(labels, predicted, self.labels))
        write_eval_results(tuning.run.output_dir, results, tuning.step)
        if classification_scores.collapsed(labels, predicted):
            print(
                f"warning: the model says the same of all {len(labels)} examples: it has learnt nothing from the texts "
                "(another --seed, a lower --learning_rate or more steps may help)",
                file=sys.stderr,
            )
        return results

    def _predict(self, tuning: FineTuning) -> None:
        logits, task, directory = self._logits(tuning, "test"), self.task, tuning.run.output_dir
        predicted = classification_scores.predictions(logits, task.label_type)
        probabilities = classification_scores.probabilities(logits, task.label_type)
        written = [classification_outputs.write_test_results(directory, probabilities)]
        if self.wanted.write_submission:
            written.append(classification_outputs.write_submission(directory, task, self.labels, predicted))
        if task.write_predictions is not None:
            columns = classification_outputs.spoken(self.labels, task.label_type, predicted, probabilities)
            written.append(task.write_predictions(directory, "predictions", columns))
        print(f"predictions: {', '.join(written)}")

    def answer_lines(self, tuning: FineTuning, lines: Iterable[bytes]) -> None:
        """Answers each line as it comes: a text, a pair with a tab between, or a text and the choices after it.

        A line without as many choices as there have to be is answered by an empty one.
        """
        if sys.stdin.isatty():
            print("A text a line, a tab between those of a pair; Ctrl-D ends.", file=sys.stderr)
        for raw in lines:
            pairs = self._pairs_of_line(raw.decode(errors="ignore").rstrip("\r\n"))
            print(self._answer(tuning, pairs) if len(pairs) == self.task.choices else "", flush=True)

    def _pairs_of_line(self, line: str) -> tuple[tuple[str, str | None], ...]:
        text_a, _, rest = line.partition("\t")
        if self.task.choices == 1:
            return ((text_a, rest or None),)
        choices = rest.split("\t")
        if len(choices) != self.task.choices:
            expected = f"a text and {self.task.choices} choices were expected, with tabs between"
            print(f"note: {len(choices)} choices; {expected}", file=sys.stderr)
        return tuple((text_a, choice) for choice in choices)

    def _answer(self, tuning: FineTuning, pairs: tuple[tuple[str, str | None], ...]) -> str:
        logits = self._logits_of(tuning, self._rows([Example("", pairs, None, "-")], {}), batch_size=1)
        predicted = classification_scores.predictions(logits, self.task.label_type)
        probabilities = classification_scores.probabilities(logits, self.task.label_type)
        return classification_outputs.answer(self.labels, self.task.label_type, predicted[0], probabilities[0])
