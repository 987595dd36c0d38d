"""Where to draw the line between the best answer and none under SQuAD v2.0: found on labelled questions, kept, used."""

import json
import math
import os
from collections.abc import Mapping, Sequence

from official import files
from official.errors import InputError
from official.tasks.squad.squad_files import Question
from official.tasks.squad.squad_scores import Threshold, best_score, f1_with_empty, golds_of

BEST = "best"  # As a value of --null_score_diff_threshold.
SCORES_FILE = "squad_scores.json"
BEST_THRESHOLD = "best_null_score_diff_threshold"  # There.


def best_threshold(
    questions: Sequence[Question], answers: Mapping[str, str], null_odds: Mapping[str, float]
) -> Threshold:
    """The `null_score_diff_threshold` that gives the best F1.

    Args:
        questions: with their answers.
        answers: by id, the best answers that are not empty. (The official search gets what is left of these after one
            threshold, and can only find a lower one.)
        null_odds: by id; above the threshold the answer is taken back.
    """
    golds = {question.id: golds_of(question) for question in questions}
    gains: dict[float, float] = {}
    for name, odds in null_odds.items():
        gain = best_score(f1_with_empty, answers[name], golds[name]) - best_score(f1_with_empty, "", golds[name])
        gains[odds] = gains.get(odds, 0.0) + gain
    current = best = sum(best_score(f1_with_empty, "", texts) for texts in golds.values())
    threshold = min(null_odds.values()) - 1.0  # Every answer is taken back.
    for odds in sorted(gains):
        current += gains[odds]
        if current > best:
            best, threshold = current, odds
    return Threshold(threshold, 100.0 * best / len(golds))


def given_threshold(value: str, output_dir: str, init_checkpoint: str | None) -> float:
    """What --null_score_diff_threshold=`value` is after a run.

    Raises:
        InputError: as `stored_threshold`.
    """
    return stored_threshold(output_dir, init_checkpoint) if value == BEST else float(value)


def stored_threshold(output_dir: str, init_checkpoint: str | None) -> float:
    """The best threshold that --do_eval found: in `output_dir`, or in the run that made `init_checkpoint`.

    Raises:
        InputError: there is none.
    """
    places = [output_dir]
    if init_checkpoint:  # output_dir/model, or output_dir/checkpoints/ckpt-…
        parent = os.path.dirname(init_checkpoint.rstrip("/"))
        places += [init_checkpoint, parent, os.path.dirname(parent)]
    for path in (os.path.join(place, SCORES_FILE) for place in places):
        if files.exists(path):
            return _read_threshold(path)
    raise InputError(
        f"--null_score_diff_threshold={BEST}: there is no {SCORES_FILE} in {output_dir} or beside --init_checkpoint: "
        "--do_eval finds the best threshold and writes it there"
    )


def _read_threshold(path: str) -> float:
    with files.open_file(path) as file:
        try:
            value = json.load(file)[BEST_THRESHOLD]
        except (ValueError, KeyError, TypeError, RecursionError):
            value = None
    if type(value) not in (int, float) or not math.isfinite(value):
        raise InputError(f"{path}: holds no {BEST_THRESHOLD}: --do_eval with --version_2_with_negative writes it")
    return float(value)
