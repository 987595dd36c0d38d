"""Labels: found, numbered, weighed, and refused where they are not the task's."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from official.errors import InputError
from official.tasks.classification.classification_examples import Example, class_weights, find_labels, label_array


def labelled(*labels):
    """One example for each: a text for one label, a tuple for any number, None for none."""
    return [
        Example(f"dev-{line}", (("text", None),), (label,) if isinstance(label, str) else label, "dev.tsv", line)
        for line, label in enumerate(labels, start=2)
    ]


@pytest.mark.parametrize(
    "labels, label_type, found",
    [
        (["b", "a", "b"], "single", ("a", "b")),
        (["10", "9", "0"], "single", ("0", "9", "10")),
        (["10", "9", "x"], "single", ("10", "9", "x")),
        ([("b", "a"), (), ("c",)], "multi", ("a", "b", "c")),
        ([("b",), ()], "multi", ("b",)),
    ],
)
def test_labels_are_found_and_sorted(labels, label_type, found):
    assert find_labels(labelled(*labels), label_type) == found


@pytest.mark.parametrize(
    "labels, label_type, message",
    [
        (["a", "a"], "single", "dev.tsv: every example has the label 'a', at least two labels were expected"),
        (["a", None], "single", "dev.tsv:3: has no label"),
        (["a", ("a", "b")], "single", "dev.tsv:3: has 2 labels, one was expected"),
        ([(), ()], "multi", "dev.tsv: no example has a label"),
        ([f"{number}.5" for number in range(30)], "single", "dev.tsv: 30 different labels in 30 examples"),
    ],
)
def test_labels_that_can_not_be_learnt_are_refused(labels, label_type, message):
    with pytest.raises(InputError) as error:
        find_labels(labelled(*labels), label_type)
    assert message in str(error.value)


def test_arrays_of_labels():
    single = label_array(labelled("b", "a", "b"), ("a", "b"), "single")
    assert single.dtype == np.int32 and single.tolist() == [1, 0, 1]
    multi = label_array(labelled(("b",), (), ("b", "a")), ("a", "b"), "multi")
    assert multi.dtype == np.float32 and multi.tolist() == [[0, 1], [0, 0], [1, 1]]
    regression = label_array(labelled("3.25", "-1e-3"), (), "regression")
    assert regression.dtype == np.float32 and regression.tolist() == [3.25, np.float32(-1e-3)]


@pytest.mark.parametrize(
    "label, label_type, message",
    [
        ("neutral", "single", "dev.tsv:2: the label is 'neutral', expected was one of 0, 1: is this the file"),
        (None, "single", "dev.tsv:2: has no label"),
        (("0", "x"), "multi", "dev.tsv:2: the label is 'x', expected was one of 0, 1"),
        ("good", "regression", "dev.tsv:2: the label is 'good', a number was expected"),
        ("nan", "regression", "dev.tsv:2: the label is 'nan', a number was expected"),
        ("1e39", "regression", "dev.tsv:2: the label is '1e39', a number was expected"),
        ("y" * 10_000, "single", "dev.tsv:2: the label is '" + "y" * 40 + "…'"),
    ],
)
def test_labels_of_another_task_are_refused_with_their_line(label, label_type, message):
    with pytest.raises(InputError) as error:
        label_array(labelled(label), ("0", "1"), label_type)
    assert message in str(error.value) and len(str(error.value)) < 300


def test_balanced_weights_are_those_of_scikit_learn():
    label_ids = np.array([0, 0, 0, 1, 2, 2], np.int32)
    expected = compute_class_weight("balanced", classes=np.arange(3), y=label_ids)
    assert class_weights("balanced", ("a", "b", "c"), label_ids) == pytest.approx(expected)


def test_a_class_that_does_not_occur_does_not_change_the_balance():
    label_ids = np.array([0, 0, 2], np.int32)
    assert class_weights("balanced", ("a", "b", "c"), label_ids).tolist() == [0.75, 1.0, 1.5]


@pytest.mark.parametrize("setting, expected", [("a:2", [2, 1, 1]), ("c:0.5,a:3", [3, 1, 0.5]), ("b:x:4", [1, 4, 1])])
def test_weights_are_given_by_label(setting, expected):
    labels = ("a", "b:x", "c")
    assert class_weights(setting, labels, np.zeros(1, np.int32)).tolist() == expected


@pytest.mark.parametrize("setting", ["d:1", "a", "", "a:0", "a:-1", "a:nan", "a:inf", "a:b"])
def test_weights_that_make_no_sense_are_refused(setting):
    with pytest.raises(InputError, match="--class_weights"):
        class_weights(setting, ("a", "b"), np.zeros(1, np.int32))
