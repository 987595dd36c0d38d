"""Question answering on SQuAD, v1.1 and v2.0: training, answers, scores (Devlin et al. 2019, §4.2, §4.3)."""

import functools
import os
import sys
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from official.errors import InputError
from official.inputs.tokenized import TokenizedExamples
from official.models.config import Config
from official.objectives.question_answering import question_answering
from official.tasks.eval_results import write_eval_results
from official.tasks.fine_tuning.fine_tuning import FineTuning
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun, read_encoder
from official.tasks.fine_tuning.trials import Outcome, run_trials
from official.tasks.squad import squad_scores
from official.tasks.squad.squad_answers import NBest, find_answers
from official.tasks.squad.squad_console import parse_lines
from official.tasks.squad.squad_files import Question, SquadFile, write_json
from official.tasks.squad.squad_records import write_squad_records
from official.tasks.squad.squad_run import STANDARD_INPUT, SquadQuestions, SquadRun, SquadTraining, as_examples
from official.tasks.squad.squad_threshold import BEST, BEST_THRESHOLD, SCORES_FILE, best_threshold, given_threshold
from official.tokenization.tokenizer import Tokenizer

HEAD = "question_answering"
Logits = tuple[Sequence[np.ndarray], Sequence[np.ndarray]]


def fine_tune(run: FineTuningRun, squad: SquadRun, strategy: tf.distribute.Strategy) -> Outcome:
    """Trains, answers, scores: what `run_squad.py` does.

    Raises:
        InputError: files, checkpoint or flags can't be used.
    """
    encoder = read_encoder(run)
    training = SquadTraining.read(squad, encoder[1]) if squad.do_train else None
    asked = None
    if (squad.do_eval or squad.do_predict) and squad.predict_file != STANDARD_INPUT:
        asked = SquadQuestions.read(squad, encoder[1])
    if run.write_tf_records and not run.dry_run:
        write_squad_records(run, training, asked)

    return run_trials(run, lambda trial: Squad(trial, squad, strategy, encoder).run_all(training, asked), score="f1")


class Squad:
    """A run on given devices.

    Raises:
        InputError: checkpoint, config and vocabulary don't fit, or output can't be written.
    """

    def __init__(
        self,
        run: FineTuningRun,
        squad: SquadRun,
        strategy: tf.distribute.Strategy,
        encoder: tuple[Config, Tokenizer],
    ):
        self.run, self.squad = run, squad
        self.threshold = 0.0  # Of v1.1, where it decides nothing.
        if squad.search.version_2_with_negative:
            self.threshold = self._threshold()
        self.engine = self._make_engine(encoder, strategy)

    def _make_engine(self, encoder: tuple[Config, Tokenizer], strategy: tf.distribute.Strategy) -> FineTuning:
        return FineTuning(self.run, strategy, HEAD, (), question_answering, encoder)

    def _threshold(self) -> float | None:
        """What the flag says; None for the best, where that is found on the very questions that are asked."""
        given = self.squad.null_score_diff_threshold
        if given == BEST and self.squad.do_eval:
            return None
        return given_threshold(given, self.run.output_dir, self.run.init_checkpoint)

    def run_all(self, training: SquadTraining | None, asked: SquadQuestions | None) -> dict[str, float]:
        """Trains on what there is to train on, answers and scores; answers with the scores."""
        if training is None:
            self.engine.restore()
        else:
            tokenizer = self.engine.tokenizer
            self.engine.about_inputs = training.about(tokenizer, self.squad.window) if self.run.dry_run else ()
            self.train(training.examples, asked)
        if self.squad.do_predict and asked is None:
            self.answer_standard_input()
        return self.answer(asked) if asked else {}

    def train(self, examples: TokenizedExamples, asked: SquadQuestions | None) -> None:
        """Trains and writes the model, the best by the F1 on the questions asked where the run keeps the best."""
        keeps_best = self.run.keep_best or self.run.early_stopping_patience is not None
        evaluate = functools.partial(self._score_alone, asked) if keeps_best else None
        self.engine.train(examples, evaluate, score="f1")
        print(f"model: {self.engine.write_model()}")

    def _score_alone(self, asked: SquadQuestions) -> dict[str, float]:
        return self._scores(asked, self.candidates(asked))[0]

    def candidates(self, asked: SquadQuestions) -> dict[str, NBest]:
        """The n best answers to every question, by its id; of an id that comes twice, to the last.

        The original takes the best starts and ends over padding too, so that its n-best list depends on it. With
        --group_by_length, windows are padded to the longest of their batch only: faster, and some of the less likely
        candidates may be others.
        """
        found = self.engine.predict(as_examples(asked.features), padded=not self.run.group_by_length)
        return self._search(asked, (found.get("start_logits", []), found.get("end_logits", [])))

    def _search(self, asked: SquadQuestions, logits: Logits) -> dict[str, NBest]:
        if not all(np.isfinite(row).all() for side in logits for row in side):
            raise InputError("the model's logits are not finite: nothing can be predicted from them")
        answers = find_answers(
            asked.file.questions,
            asked.file.contexts,
            asked.features,
            logits,
            self.engine.tokenizer,
            self.squad.search,
            _tell_unaligned if self.squad.verbose_logging else None,
        )
        return {question.id: n_best for question, n_best in zip(asked.file.questions, answers)}

    def answer(self, asked: SquadQuestions) -> dict[str, float]:
        """Answers and writes the original's files; under --do_eval scores them, and answers with the scores."""
        candidates = self.candidates(asked)
        scores, threshold = self._scores(asked, candidates) if self.squad.do_eval else ({}, self.threshold)
        self._write_predictions(candidates, threshold)
        if scores:
            self._write_scores(scores)
        return scores

    def _scores(self, asked: SquadQuestions, candidates: dict[str, NBest]) -> tuple[dict[str, float], float]:
        """The official scores, and the threshold that the answers were taken with."""
        questions = asked.file.questions
        if not self.squad.search.version_2_with_negative:
            answers = {name: n_best.text() for name, n_best in candidates.items()}
            return squad_scores.score_v1(questions, answers), self.threshold
        odds = {name: n_best.null_odds for name, n_best in candidates.items()}
        answers = {name: n_best.best_text for name, n_best in candidates.items()}
        best = best_threshold(questions, answers, odds)
        threshold = best.value if self.threshold is None else self.threshold
        predictions = {name: n_best.text(threshold) for name, n_best in candidates.items()}
        scores = squad_scores.score_v2(questions, predictions, odds)
        return scores | {BEST_THRESHOLD: best.value, f"{BEST_THRESHOLD}_f1": best.score}, threshold

    def _write_predictions(self, candidates: dict[str, NBest], threshold: float) -> None:
        """`predictions.json`, `nbest_predictions.json` and, of v2.0, `null_odds.json`."""
        path = functools.partial(os.path.join, self.run.output_dir)
        write_json(path("predictions.json"), ((name, n_best.text(threshold)) for name, n_best in candidates.items()))
        write_json(path("nbest_predictions.json"), ((name, n_best.as_json()) for name, n_best in candidates.items()))
        if self.squad.search.version_2_with_negative:
            write_json(path("null_odds.json"), ((name, n_best.null_odds) for name, n_best in candidates.items()))

    def _write_scores(self, scores: dict[str, float]) -> None:
        """`squad_scores.json`, and `eval_results.txt` as the other tasks have it; shows them as a table."""
        write_json(os.path.join(self.run.output_dir, SCORES_FILE), scores.items())
        write_eval_results(self.run.output_dir, scores, self.engine.step)
        print(squad_scores.as_table(scores))

    def answer_standard_input(self) -> None:
        """Answers each line at once; an empty one, or one that can't be understood, by an empty line."""
        for asked in parse_lines(sys.stdin.buffer):
            line = ""
            if asked is not None:
                file = SquadFile("standard input", [asked.context], [Question("", asked.question, 0)])
                questions = SquadQuestions.of_file(file, self.squad, self.engine.tokenizer)
                line = asked.answer(self._answer_now(questions), self.threshold)
            print(line, flush=True)

    def _answer_now(self, asked: SquadQuestions) -> NBest:
        windows = len(asked.features.question)
        batch_size = min(windows, self.run.predict_batch_size)  # One question is not to wait for a batch of eight.
        found = self.engine.predict(as_examples(asked.features), batch_size) if windows else {}
        (n_best,) = self._search(asked, (found.get("start_logits", []), found.get("end_logits", []))).values()
        return n_best


def _tell_unaligned(pieces: str, words: str) -> None:
    print(f"note: {pieces!r} is not found in {words!r}, which becomes the answer as a whole", file=sys.stderr)
