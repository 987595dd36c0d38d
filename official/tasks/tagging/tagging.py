"""Tagging, task of the paper's §5.3: a label for each word, of the entity that it belongs to or its part of speech."""

import os
import sys
from collections.abc import Iterable, Sequence

import numpy as np
import tensorflow as tf

from official.errors import InputError
from official.inputs.tokenized import TokenizedExamples
from official.models.config import Config
from official.objectives.token_classification import token_classification
from official.tasks.classification import classification_scores
from official.tasks.eval_results import write_eval_results
from official.tasks.fine_tuning.fine_tuning import FineTuning
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun, read_encoder
from official.tasks.fine_tuning.trials import Outcome, run_trials
from official.tasks.tagging import conll, feature_based, tagging_labels, tagging_scores
from official.tasks.tagging.conll import ColumnFile
from official.tasks.tagging.feature_based import FeatureBasedTuning
from official.tasks.tagging.tagging_data import HEAD, STANDARD_INPUT, TaggingData, TaggingRun
from official.tasks.tagging.tagging_features import TaggingFeatures, make_features
from official.tasks.tagging.tagging_scores import Sentences
from official.tokenization.tokenizer import Tokenizer

PREDICTIONS_FILE = "test_predictions.txt"
SCORE_OF = {tagging_labels.ENTITIES: "f1", tagging_labels.PARTS_OF_SPEECH: "accuracy"}


def run_tagging(run: FineTuningRun, tagging: TaggingRun, strategy: tf.distribute.Strategy) -> Outcome:
    """Trains, scores and predicts, as far as files are named for it.

    Raises:
        InputError: files, labels, checkpoint and flags don't fit together.
    """
    _check(run, tagging)
    encoder = read_encoder(run)
    data = TaggingData(run, tagging, encoder[0])
    return run_trials(
        run, lambda trial: Tagging(trial, tagging, data, encoder, strategy).run_all(), SCORE_OF[data.task]
    )


def _check(run: FineTuningRun, tagging: TaggingRun) -> None:
    if run.num_trials > 1 and not (tagging.train_file and tagging.eval_file):
        raise InputError(f"--num_trials={run.num_trials}: compares scores: --do_train and --do_eval have to be given")
    if run.num_trials > 1 and tagging.predict_file == STANDARD_INPUT:
        raise InputError(f"--num_trials={run.num_trials}: only one model can answer standard input")
    if tagging.train_file is None and run.source is None and run.bert_config_file is None:
        raise InputError(f"{run.output_dir}: holds no model: --do_train or --init_checkpoint was expected")


class Tagging:
    """A tagger on given devices.

    Args:
        run, tagging: what was asked for.
        data: files and labels.
        encoder: config and tokenizer, as `read_encoder` gives them.
        strategy: the devices.
    """

    def __init__(
        self,
        run: FineTuningRun,
        tagging: TaggingRun,
        data: TaggingData,
        encoder: tuple[Config, Tokenizer],
        strategy: tf.distribute.Strategy,
    ):
        self.run, self.tagging, self.data = run, feature_based.settle(run, tagging), data
        self.engine = self._make_engine(encoder, strategy)
        self._numbers = {label: number for number, label in enumerate(data.labels)}

    def _make_engine(self, encoder: tuple[Config, Tokenizer], strategy: tf.distribute.Strategy):
        arguments = self.run, strategy, HEAD, self.data.labels, token_classification, encoder
        if not self.tagging.feature_based:
            return FineTuning(*arguments)
        settings = {"feature_layers": self.tagging.feature_layers, "lstm_size": self.tagging.lstm_size}
        return FeatureBasedTuning(*arguments, **settings)

    def run_all(self) -> dict[str, float]:
        """What was asked for, in order: training, scores, predictions; answers with the scores."""
        scores = {}
        if self.data.train is None:
            self.engine.restore()
        else:
            self.train()
        if self.data.evaluation is not None:
            scores = self._show_evaluation()
        if self.data.predict is not None:
            self.write_predictions(self.data.predict)
        elif self.tagging.predict_file == STANDARD_INPUT:
            self.answer_lines(sys.stdin.buffer)
        return scores

    def train(self) -> None:
        """Learns the training file, scored after each checkpoint if there is a file for it, and writes the model."""
        examples, evaluate = self._training_examples(), None
        if self.data.evaluation is not None:
            features = self.features_of(self.data.evaluation)

            def evaluate():
                return self.evaluate(features)[0]

        if self.run.dry_run:
            tagging_labels.check_learnt(self.data.labels, self.run.output_dir)
            self.engine.about_inputs = self._about(len(examples))
        else:
            tagging_labels.write_labels(self.data.labels, self.run.output_dir)
        self.engine.train(examples, evaluate, SCORE_OF[self.data.task])
        print(f"model: {self.engine.write_model()}")

    def _training_examples(self) -> TokenizedExamples:
        file = self.data.train
        return self.features_of(file).with_labels(self._label_ids(self.data.true_labels(file)))

    def _about(self, windows: int) -> list[tuple[str, str]]:
        """What a dry run says of the training examples."""
        sentences = self.data.train.sentences
        words = sum(len(sentence.words) for sentence in sentences)
        return [("examples", f"{len(sentences):,} sentences of {words:,} words, in {windows:,} windows")]

    def _label_ids(self, sentences: Sentences) -> np.ndarray:
        return np.array([self._numbers[label] for labels in sentences for label in labels], np.int32)

    def features_of(self, file: ColumnFile) -> TaggingFeatures:
        """The words of a file, tokenized."""
        context = [sentence.begins_document for sentence in file.sentences] if self.tagging.document_context else None
        return self._features([sentence.words for sentence in file.sentences], context)

    def _features(self, sentences: Sentences, context: Sequence[bool] | None = None) -> TaggingFeatures:
        length, stride = self.run.max_seq_length, self.tagging.doc_stride
        return make_features(sentences, self.engine.tokenizer, length, stride, context)

    def _word_logits(self, features: TaggingFeatures, batch_size: int) -> np.ndarray:
        return features.word_logits(self.engine.predict(features.examples, batch_size)["logits"])

    def _named(self, logits: np.ndarray, sentences: Iterable[Sequence[str]]) -> list[list[str]]:
        """The label with the largest logit, for the words of each sentence."""
        names = (self.data.labels[number] for number in logits.argmax(axis=-1).tolist())
        return [[next(names) for _ in words] for words in sentences]

    def evaluate(self, features: TaggingFeatures) -> tuple[dict[str, float], Sentences]:
        """Scores of the evaluation file with `loss`, the mean over its words; and the labels that were predicted."""
        true = self.data.true_labels(self.data.evaluation)
        logits = self._word_logits(features, self.run.eval_batch_size)
        loss = classification_scores.losses(logits, self._label_ids(true), "single").mean()
        predicted = self._named(logits, true)
        return self._scores(true, predicted) | {"loss": float(loss)}, predicted

    def _scores(self, true: Sentences, predicted: Sentences) -> dict[str, float]:
        if self.data.task == tagging_labels.ENTITIES:
            return tagging_scores.score_entities(true, predicted, self.data.scheme)
        return tagging_scores.score_labels(true, predicted)

    def _show_evaluation(self) -> dict[str, float]:
        scores, predicted = self.evaluate(self.features_of(self.data.evaluation))
        self._show_table(self.data.evaluation, predicted)
        write_eval_results(self.run.output_dir, scores, self.engine.step)
        return scores

    def _show_table(self, file: ColumnFile, predicted: Sentences) -> None:
        true = self.data.true_labels(file)
        entities = self.data.task == tagging_labels.ENTITIES
        counts = tagging_scores.count_entities(true, predicted) if entities else None
        print(file.path)
        print(tagging_scores.entity_table(counts) if entities else tagging_scores.label_table(true, predicted))
        if label := tagging_scores.collapse(true, predicted):
            print(
                f"warning: every word is labelled {label}: the model has learnt nothing of the others (another --seed "
                "or --learning_rate, or more steps, may help)",
                file=sys.stderr,
            )

    def write_predictions(self, file: ColumnFile) -> None:
        """Writes `test_predictions.txt`: the file with a label for each word; shows scores if it has known labels."""
        logits = self._word_logits(self.features_of(file), self.run.predict_batch_size)
        predicted = self._named(logits, (sentence.words for sentence in file.sentences))
        path = os.path.join(self.run.output_dir, PREDICTIONS_FILE)
        conll.write_with_labels(file, predicted, path)
        if self.data.is_labelled(file):
            self._show_table(file, predicted)
        print(f"predictions: {path}")

    def answer_lines(self, lines: Iterable[bytes]) -> None:
        """Labels each line of words as it comes: `Word/label Word/label …`."""
        if sys.stdin.isatty():
            print("A sentence a line, spaces between its words; Ctrl-D ends.", file=sys.stderr)
        for line in lines:
            words = line.decode(errors="replace").split()
            labels = self._named(self._word_logits(self._features([words]), 1), [words])[0] if words else []
            print(" ".join(f"{word}/{label}" for word, label in zip(words, labels)), flush=True)
