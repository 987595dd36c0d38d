"""What the examples of a student say of each text: the teacher's logits, the file's label, or else the teacher's."""

import dataclasses

import numpy as np
import pytest

from official import checkpoints
from official.errors import InputError
from official.tasks.classification.classification import Wanted
from official.tasks.classification.classification_examples import Example, Task
from official.tasks.distillation.text_distillation import TextDistillation
from official.training.strategy import make_strategy
from tests.official.tasks.distillation.conftest import SPECIAL, WORDS, write_model

TEXTS = ["a good film", "bad story with a dull cast", "very long", "the fine cast of a film"]
PAIRS = [((text, None),) for text in TEXTS]
CHOICES = [tuple((text, other) for other in TEXTS[:2]) for text in TEXTS]


def examples(pairs, labels):
    return [Example(str(number), *each, "file.tsv", number) for number, each in enumerate(zip(pairs, labels), start=2)]


@pytest.mark.parametrize(
    ("label_type", "labels", "head_labels", "given", "known"),
    [
        ("single", ("bad", "good"), ("bad", "good"), [("good",), ("bad",)], [1, 0]),
        ("multi", ("x", "y", "z"), ("x", "y", "z"), [("x", "z"), ()], [[1, 0, 1], [0, 0, 0]]),
        ("regression", None, ("value",), [("2.5",), ("-1",)], [2.5, -1]),
        ("choices", ("0", "1"), ("choice",), [("1",), ("0",)], [1, 0]),
    ],
)
def test_a_file_says_the_first_labels_and_the_teacher_all_others(
    label_type, labels, head_labels, given, known, run, distillation, tmp_path
):
    teacher = write_model(tmp_path / "teacher", labels=head_labels, label_type=label_type.replace("choices", "single"))
    choices = 2 if label_type == "choices" else 1
    pairs = CHOICES if choices > 1 else PAIRS
    task = Task(
        name="own data",
        read=lambda split: examples(pairs[:2], given),
        label_type=label_type.replace("choices", "single"),
        labels=labels,
        choices=choices,
    )
    lesson = TextDistillation(
        run,
        make_strategy("one_device"),
        task,
        Wanted(do_train=True),
        dataclasses.replace(distillation, teacher=teacher),
        lambda: examples(pairs[2:], [None, None]),
        has_labelled=True,
    )
    found = lesson.tokenized["train"].labels
    expected = teachers_logits(teacher, pairs)
    np.testing.assert_allclose(found["teacher_logits"], expected, atol=1e-5)
    np.testing.assert_array_equal(found["labelled"], [1, 1, 0, 0])
    decided = {"multi": expected > 0, "regression": expected[:, 0]}.get(label_type, expected.argmax(-1))
    np.testing.assert_allclose(found["label_ids"], [*known, *decided[2:]], atol=1e-5)


def teachers_logits(teacher, pairs):
    """One text after the other, tokens by their place in the vocabulary."""
    model, ids = checkpoints.load(teacher), {token: number for number, token in enumerate([*SPECIAL, *WORDS])}
    rows = []
    for choices in pairs:
        answers = []
        for a, b in choices:
            first = [ids["[CLS]"], *(ids[word] for word in a.split()), ids["[SEP]"]]
            second = [*(ids[word] for word in b.split()), ids["[SEP]"]] if b else []
            segments = [0] * len(first) + [1] * len(second)
            answers.append(
                model({"input_ids": np.array([first + second]), "segment_ids": np.array([segments])})["logits"]
            )
        rows.append(np.concatenate(answers, axis=-1)[0])
    return np.array(rows)


def test_labels_that_the_teacher_does_not_know_are_refused_with_their_place(run, distillation):
    task = Task(name="own data", read=lambda split: examples(PAIRS[:1], [("dull",)]))
    with pytest.raises(InputError, match="file.tsv:2: the label is 'dull', expected was one of bad, good"):
        TextDistillation(
            run, make_strategy("one_device"), task, Wanted(do_train=True), distillation, list, has_labelled=True
        )


def test_a_task_of_other_labels_is_refused(run, distillation):
    task = Task(name="own data", read=lambda split: [], labels=("no", "yes"))
    with pytest.raises(InputError, match="--teacher=.*: has 2 labels, bad, good, expected were 2, no, yes"):
        TextDistillation(
            run,
            make_strategy("one_device"),
            task,
            Wanted(do_train=True),
            distillation,
            lambda: examples(PAIRS, [None] * 4),
            has_labelled=False,
        )
