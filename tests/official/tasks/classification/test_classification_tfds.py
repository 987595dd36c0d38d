"""Data sets of tensorflow-datasets, made on this machine."""

import numpy as np
import pytest

from official.errors import InputError
from official.tasks.classification.classification_tfds import tfds_task
from official.tasks.classification.own_data import Columns

NO_COLUMNS = Columns()


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """`made_pairs`: pairs, a class, topics and a nested grade; the labels of the test set are kept back."""
    import tensorflow_datasets as tfds

    class MadePairs(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            text, topics = tfds.features.Text(), tfds.features.ClassLabel(names=["art", "law", "war"])
            features = {
                "sentence1": text,
                "sentence2": text,
                "label": tfds.features.ClassLabel(names=["same", "other"]),
                "topics": tfds.features.Sequence(topics),
                "meta": {"grade": tfds.features.Scalar(np.float32)},
                "idx": tfds.features.Scalar(np.int32),
            }
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

        def _split_generators(self, dl_manager):
            return {
                "train": self._generate_examples(6, 0),
                "validation": self._generate_examples(2, 0),
                "test": self._generate_examples(2, -1),
            }

        def _generate_examples(self, count, label):
            for k in range(count):
                yield (
                    k,
                    {
                        "sentence1": f"é {k}",
                        "sentence2": f"b {k}",
                        "label": label if label < 0 else k % 2,
                        "topics": ["law"] * (k % 2) + ["war"],
                        "meta": {"grade": k / 2},
                        "idx": k,
                    },
                )

    path = tmp_path_factory.mktemp("tfds")
    MadePairs(data_dir=path).download_and_prepare()
    return str(path)


def read(data_dir, split, columns=NO_COLUMNS, label_type="single", splits=None):
    task = tfds_task("made_pairs", data_dir, splits or {}, columns, label_type, None)
    return task, task.read(split)


@pytest.mark.parametrize("split, count", [("train", 6), ("dev", 2), ("test", 2)])
def test_features_are_found_by_their_names(data_dir, split, count):
    task, examples = read(data_dir, split)
    assert task.labels == ("same", "other")
    assert len(examples) == count
    assert {example.pairs for example in examples} == {((f"é {k}", f"b {k}"),) for k in range(count)}
    expected = {None} if split == "test" else {("same",), ("other",)}
    assert {example.labels for example in examples} == expected


def test_the_order_is_the_same_each_time(data_dir):
    assert read(data_dir, "train")[1] == read(data_dir, "train")[1]


def test_other_features_and_splits_can_be_named(data_dir):
    columns = Columns(text_a="sentence2", label="meta/grade")
    task, examples = read(data_dir, "dev", columns, "regression", {"dev": "train[:50%]"})
    assert (task.labels, len(examples)) == (None, 3)
    assert all(example.pairs[0][1] is None for example in examples)
    assert {float(example.labels[0]) * 2 for example in examples} == {
        float(example.pairs[0][0].split()[1]) for example in examples
    }


def test_lists_of_classes_are_labels(data_dir):
    task, examples = read(data_dir, "train", Columns(label="topics"), "multi")
    assert task.labels == ("art", "law", "war")
    assert {example.labels for example in examples} == {("war",), ("law", "war")}


def test_predictions_stand_beside_the_features(data_dir, tmp_path):
    task, _ = read(data_dir, "test")
    path = task.write_predictions(str(tmp_path), "predictions", [{"prediction": "same"}] * 2)
    assert path.endswith("predictions.jsonl")
    lines = (tmp_path / "predictions.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 2 and '"prediction": "same"' in lines[0] and '"meta/grade"' in lines[0] and "é" in lines[0]


@pytest.mark.parametrize(
    "name, splits, columns, message",
    [
        ("no_such_data_set", {}, NO_COLUMNS, "--tfds_name=no_such_data_set"),
        ("made_pairs", {"train": "nothing"}, NO_COLUMNS, "--tfds_name=made_pairs:nothing"),
        ("made_pairs", {}, Columns("body"), "made_pairs: has no column 'body'"),
        ("made_pairs", {}, Columns("idx"), "made_pairs:train:1: 'idx' is "),
    ],
)
def test_what_is_not_there_is_told(data_dir, name, splits, columns, message):
    with pytest.raises(InputError) as error:
        tfds_task(name, data_dir, splits, columns, "single", None).read("train")
    assert message in str(error.value) and "\n" not in str(error.value)
