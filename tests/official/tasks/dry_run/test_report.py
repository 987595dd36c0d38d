"""How numbers are written, and how often labels occur."""

import numpy as np
import pytest

from official.inputs.tokenized import TokenizedExamples
from official.tasks.dry_run import report
from official.tasks.dry_run.label_shares import label_shares


@pytest.mark.parametrize(
    ("write", "number", "text"),
    [
        (report.in_bytes, 440_425_712, "440 MB"),
        (report.in_bytes, 1_344_000_000, "1.34 GB"),
        (report.in_bytes, 2_500_000_000_000, "2,500 GB"),
        (report.in_bytes, 12_340, "12.3 kB"),
        (report.in_flops, 2.5e12, "2.5 TFLOP"),
        (report.in_flops, 3.4e19, "34 EFLOP"),
        (report.in_flops, 5e21, "5,000 EFLOP"),
        (report.in_flops, 4.2e5, "0.42 MFLOP"),
        (report.in_time, 0.0125, "12.5 ms"),
        (report.in_time, 4.206, "4.21 s"),
        (report.in_time, 200, "3 min 20 s"),
        (report.in_time, 7_500, "2 h 5 min"),
        (report.in_time, 3 * 86_400 + 4 * 3_600, "3 days 4 h"),
        (report.in_time, 365 * 86_400, "365 days"),
        (report.in_time, 12_345 * 86_400, "12,345 days"),
        (report.in_figures, 12_500.2, "12,500"),
        (report.in_figures, 2.504, "2.5"),
    ],
)
def test_numbers_are_written_for_people(write, number, text):
    assert write(number) == text


def test_what_is_said_stands_in_columns_and_long_lines_are_wrapped():
    shown = report.section("Title", [("a", "  12 MB  "), ("name", "words " * 30)])
    title, first, *rest = shown.split("\n")
    assert (title, first) == ("Title", "  a       12 MB")
    assert [len(line) <= 120 for line in rest] == [True, True]
    assert rest[0].startswith("  name  words") and rest[1].startswith(" " * 8 + "words")
    assert sum(line.count("words") for line in rest) == 30


def examples(labels=None, token_labels=None, group=1):
    labels = {name: np.array(values) for name, values in (labels or {}).items()}
    rows = [([1, 2], [0, 0])] * 4 * group
    return TokenizedExamples.from_rows(rows, labels, token_labels, group)


@pytest.mark.parametrize(
    ("given", "names", "label_type", "said"),
    [
        (dict(labels={"label_ids": [1, 0, 1, 1]}), ("no", "yes"), "single", "yes 75.0%, no 25.0%"),
        (dict(labels={"label_ids": np.eye(4, 2)}), ("a", "b"), "multi", "a 25.0%, b 25.0%"),
        (
            dict(labels={"label_ids": [0.5, 1, 2, 3]}),
            ("value",),
            "regression",
            "numbers from 0.5 to 3, 1.62 on average",
        ),
        (dict(labels={"label_ids": [1, 1, 0, 1]}, group=2), ("choice",), None, "choice 2 75.0%, choice 1 25.0%"),
        (dict(token_labels=[[-1, 1], [0, 1], [-1, 1], [-1, -1]]), ("O", "B"), None, "B 75.0%, O 25.0%"),
        (
            dict(labels={"start_positions": [0, 1, 0, 0], "end_positions": [0, 1, 1, 0]}),
            (),
            None,
            "50.0% of the windows hold no answer",
        ),
    ],
)
def test_shares_of_labels(given, names, label_type, said):
    assert label_shares(examples(**given), names, label_type) == said


def test_of_many_labels_the_commonest_are_named():
    names = [f"l{number}" for number in range(20)]
    said = label_shares(examples({"label_ids": [7, 7, 3, 12]}), names, "single")
    assert said.startswith("l7 50.0%, l3 25.0%, l12 25.0%, l0 0.0%") and said.endswith(", … (20)")
