"""The files of predictions."""

import numpy as np
import pytest

from official.tasks.classification import classification_outputs as outputs
from official.tasks.classification.classification_examples import Task
from official.tasks.classification.glue import TASKS, glue_task

PROBABILITIES = np.array([[0.25, 0.75], [0.1, 0.9]], np.float32)


def test_probabilities_are_written_with_the_digits_of_float32(tmp_path):
    path = outputs.write_test_results(str(tmp_path), PROBABILITIES)
    assert (tmp_path / "test_results.tsv").read_text() == "0.25\t0.75\n0.1\t0.9\n"
    assert path == str(tmp_path / "test_results.tsv")


# The names that gluebenchmark.com asks for.
@pytest.mark.parametrize(
    "name, file, predicted, written",
    [
        ("cola", "CoLA", [1, 0], ["1", "0"]),
        ("sst-2", "SST-2", [1, 0], ["1", "0"]),
        ("mrpc", "MRPC", [1, 0], ["1", "0"]),
        ("qqp", "QQP", [1, 0], ["1", "0"]),
        ("sts-b", "STS-B", [5.2, -0.25, 2.71828], ["5.000", "0.000", "2.718"]),
        ("mnli", "MNLI-m", [0, 1, 2], ["contradiction", "entailment", "neutral"]),
        ("mnli-mm", "MNLI-mm", [2], ["neutral"]),
        ("qnli", "QNLI", [0, 1], ["entailment", "not_entailment"]),
        ("rte", "RTE", [0, 1], ["entailment", "not_entailment"]),
        ("wnli", "WNLI", [1, 0], ["1", "0"]),
        ("ax", "AX", [1], ["entailment"]),
    ],
)
def test_submissions_are_as_the_server_wants_them(tmp_path, name, file, predicted, written):
    task = glue_task(name, "", {})
    outputs.write_submission(str(tmp_path), task, task.labels, np.array(predicted))
    lines = (tmp_path / f"{file}.tsv").read_text().splitlines()
    assert lines == ["index\tprediction", *(f"{number}\t{value}" for number, value in enumerate(written))]


def test_no_glue_task_lacks_a_submission():
    assert [name for name, task in TASKS.items() if task.submission is None] == ["xnli"]
    assert Task(name="own", read=list).submission is None


@pytest.mark.parametrize(
    "label_type, predicted, expected, answer",
    [
        ("single", [1, 1], {"prediction": "b", "probability_a": 0.25, "probability_b": 0.75}, "b\t0.7500"),
        ("multi", [[1, 1], [0, 0]], {"prediction": "a,b", "probability_a": 0.25, "probability_b": 0.75}, None),
        ("regression", np.array([0.1, 2.0], np.float32), {"prediction": 0.1}, "0.1000"),
    ],
)
def test_predictions_are_spoken(label_type, predicted, expected, answer):
    predicted = np.array(predicted)
    assert next(outputs.spoken(("a", "b"), label_type, predicted, PROBABILITIES)) == expected
    said = outputs.answer(("a", "b"), label_type, predicted[0], PROBABILITIES[0])
    assert said == (answer or "a\t0.2500\tb\t0.7500")
