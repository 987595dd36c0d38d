"""Record files of windows, as the original's run_squad.py writes them."""

import random

import pytest
import squad_texts as texts
import tensorflow as tf

from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.squad.squad_answers import SearchOptions
from official.tasks.squad.squad_features import WindowSize
from official.tasks.squad.squad_records import write_squad_records
from official.tasks.squad.squad_run import SquadQuestions, SquadRun, SquadTraining

LENGTH = 16
CONTEXT = "the quick fox jumped over the quick brown fox. a quick fox, ab abb"
INTEGER, TOKENS = tf.io.FixedLenFeature([], tf.int64), tf.io.FixedLenFeature([LENGTH], tf.int64)
# What the original's input_fn_builder asks for.
PREDICTED = {"unique_ids": INTEGER, "input_ids": TOKENS, "input_mask": TOKENS, "segment_ids": TOKENS}
TRAINED = PREDICTED | {"start_positions": INTEGER, "end_positions": INTEGER}


def parsed(path, features):
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    return {name: values.numpy() for name, values in tf.io.parse_example(records, features).items()}, records


@pytest.fixture(params=[False, True], ids=["v1", "v2"])
def squad(tmp_path, request):
    answers = [texts.answer("quick fox", 4)]
    asked = [texts.question(str(number), "fox " * (number % 3 + 1), answers=answers) for number in range(7)]
    if request.param:
        asked = [question | {"is_impossible": False} for question in asked]
        asked.append(texts.question("none", "the the", answers=[], is_impossible=True))
    path = texts.write(tmp_path / "squad.json", texts.squad({CONTEXT: asked}))
    search = SearchOptions(version_2_with_negative=request.param)
    return SquadRun(train_file=path, predict_file=path, window=WindowSize(LENGTH, 6, 5), search=search)


def test_records_are_those_that_the_original_writes(squad, tmp_path):
    run = FineTuningRun(output_dir=str(tmp_path / "out"), max_seq_length=LENGTH)
    training, asked = SquadTraining.read(squad, texts.TOKENIZER), SquadQuestions.read(squad, texts.TOKENIZER)
    write_squad_records(run, training, asked)
    found, records = parsed(tmp_path / "out" / "train.tf_record", TRAINED | {"is_impossible": INTEGER})
    kept, _ = parsed(tmp_path / "out" / "eval.tf_record", PREDICTED)
    assert set(tf.train.Example.FromString(records[0]).features.feature) == {*TRAINED, "is_impossible"}
    assert found["unique_ids"].tolist() == kept["unique_ids"].tolist() == list(range(10**9, 10**9 + len(records)))
    assert sorted(map(tuple, found["input_ids"])) == sorted(map(tuple, kept["input_ids"]))  # The same windows.
    order = list(range(len(asked.file.questions)))
    random.Random(12345).shuffle(order)
    questions = [asked.file.questions[number] for number in order]
    for question, row in zip(_by_window(asked, questions), range(len(records)), strict=True):
        ids = found["input_ids"][row]
        expected = texts.TOKENIZER.encode(question.text)
        assert ids[1 : len(expected) + 1].tolist() == expected and found["input_mask"][row].sum() == (ids > 0).sum()
        assert found["is_impossible"][row] == (question.id == "none")
        start, end = found["start_positions"][row], found["end_positions"][row]
        assert ids[start : end + 1].tolist() in (texts.TOKENIZER.encode("quick fox"), [texts.TOKENIZER.cls_id])
    assert found["start_positions"].any() and not found["start_positions"].all()  # Some windows lack the answer.


def _by_window(asked, questions):
    """Each question as often as it has windows."""
    counts = {question.id: 0 for question in questions}
    for number in asked.features.question:
        counts[asked.file.questions[number].id] += 1
    return [question for question in questions for _ in range(counts[question.id])]
