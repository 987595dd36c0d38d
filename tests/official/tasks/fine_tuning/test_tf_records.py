"""Record files as other trainers read them."""

import numpy as np
import pytest
import tensorflow as tf

from official.errors import InputError
from official.inputs.tokenized import TokenizedExamples
from official.tasks.fine_tuning.tf_records import write_tf_records

ROWS = [([5, 6, 7], [0, 0, 1]), ([8], [0]), ([9, 10, 11, 12], [0, 1, 1, 1]), ([300, 70_000], [0, 0])]


def parsed(path, features: dict[str, tuple]) -> dict[str, np.ndarray]:
    """All records of a file at once, by name, for features of these (shape, type)."""
    spec = {name: tf.io.FixedLenFeature(shape, kind) for name, (shape, kind) in features.items()}
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    return {name: values.numpy() for name, values in tf.io.parse_example(records, spec).items()}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "train.tf_record"


TOKENS = dict.fromkeys(("input_ids", "input_mask", "segment_ids"), ((5,), tf.int64))


def test_each_example_is_padded_and_has_what_the_task_adds(path):
    labels = {"label_ids": np.array([2, 0, 1, 0], np.int32), "grades": np.array([[0.5, 1], [2, 3], [4, 5], [6, 7]])}
    write_tf_records(str(path), TokenizedExamples.from_rows(ROWS), 5, labels)
    found = parsed(path, TOKENS | {"label_ids": ((), tf.int64), "grades": ((2,), tf.float32)})
    assert found["input_ids"].tolist() == [[5, 6, 7, 0, 0], [8, 0, 0, 0, 0], [9, 10, 11, 12, 0], [300, 70_000, 0, 0, 0]]
    assert (found["input_mask"] == (found["input_ids"] > 0)).all()
    assert found["segment_ids"].tolist() == [[0, 0, 1, 0, 0], [0] * 5, [0, 1, 1, 1, 0], [0] * 5]
    assert found["label_ids"].tolist() == [2, 0, 1, 0] and found["grades"][1].tolist() == [2, 3]


def test_records_come_in_the_order_asked_for(path):
    write_tf_records(str(path), TokenizedExamples.from_rows(ROWS), 5, {"number": np.arange(4)}, np.array([2, 0, 3, 1]))
    found = parsed(path, TOKENS | {"number": ((), tf.int64)})
    assert found["number"].tolist() == [2, 0, 3, 1] and found["input_ids"][:, 0].tolist() == [9, 5, 300, 8]


def test_the_choices_of_a_question_are_one_record(path):
    write_tf_records(str(path), TokenizedExamples.from_rows(ROWS, group=2), 5, {"label_ids": np.array([1, 0])})
    found = parsed(path, {"input_ids": ((2, 5), tf.int64), "label_ids": ((), tf.int64)})
    assert found["input_ids"][1].tolist() == [[9, 10, 11, 12, 0], [300, 70_000, 0, 0, 0]]
    assert found["label_ids"].tolist() == [1, 0]


def test_a_file_is_there_when_it_is_whole_or_not_at_all(path, tmp_path):
    path.write_text("from before")
    with pytest.raises(IndexError):
        write_tf_records(str(path), TokenizedExamples.from_rows(ROWS), 5, {"too_few": np.arange(3)})
    assert [file.name for file in tmp_path.iterdir()] == [path.name] and path.read_text() == "from before"


def test_a_directory_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match=r"nowhere/train.tf_record: can't be written: "):
        write_tf_records(str(tmp_path / "nowhere" / "train.tf_record"), TokenizedExamples.from_rows(ROWS), 5, {})
