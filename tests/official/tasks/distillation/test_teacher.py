"""A teacher's logits: those of its model, kept, found again, and never another's."""

import dataclasses
import os
import pathlib

import numpy as np
import pytest

from official import checkpoints
from official.errors import InputError
from official.inputs.tokenized import TokenizedExamples
from official.objectives.distilled_tasks import DistilledClassification, Imitation
from official.tasks.distillation import teacher as teacher_module
from official.tasks.distillation.teacher import Labelling, Teacher
from official.training.strategy import make_strategy
from tests.official.tasks.distillation.conftest import CONFIG, write_model


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(teacher_module, "SHARD_EXAMPLES", 4)


def examples(count=10, seed=0):
    random = np.random.RandomState(seed)
    rows = [[2, *random.randint(5, CONFIG.vocab_size, random.randint(1, 9)), 3] for _ in range(count)]
    return TokenizedExamples.from_rows((row, [0] * len(row)) for row in rows)


def labelling(run, distillation):
    objective = DistilledClassification(Imitation())
    model = Teacher(run, distillation)
    strategy = make_strategy("one_device")
    return Labelling(model, strategy, "sequence_classification", ("bad", "good"), objective)


def shards(run):
    return {path.name: path.read_bytes() for path in pathlib.Path(run.output_dir, "teacher_logits").iterdir()}


def test_logits_are_the_models_and_are_kept_in_shards(run, distillation, teacher, capsys):
    given = examples()
    found = labelling(run, distillation).logits(given, "texts")["logits"]
    model = checkpoints.load(teacher)
    for number in range(len(given)):
        ids = given.input_ids[given.row_splits[number] : given.row_splits[number + 1]]
        np.testing.assert_allclose(found[number], model({"input_ids": ids[None]})["logits"][0], atol=1e-5)
    assert len(shards(run)) == 3
    assert "texts: 10 examples labelled by the teacher\n" in capsys.readouterr().err


def test_what_is_there_is_not_computed_again(run, distillation, monkeypatch, capsys):
    given = examples()
    first = labelling(run, distillation).logits(given, "texts")["logits"]
    kept = shards(run)
    lost = sorted(kept)[0]
    os.remove(os.path.join(run.output_dir, "teacher_logits", lost))
    again, asked = labelling(run, distillation), []
    predict = again._engine.predict
    monkeypatch.setattr(
        again._engine, "predict", lambda part, **given: asked.append(len(part)) or predict(part, **given)
    )
    np.testing.assert_array_equal(again.logits(given, "texts")["logits"], first)
    assert len(asked) == 1 and shards(run) == kept
    assert f"texts: 10 examples labelled by the teacher, {10 - asked[0]} of them before" in capsys.readouterr().err


def test_a_damaged_shard_is_made_again(run, distillation, capsys):
    given = examples()
    labelling(run, distillation).logits(given, "texts")
    kept = shards(run)
    name = sorted(kept)[1]
    path = pathlib.Path(run.output_dir, "teacher_logits", name)
    path.write_bytes(kept[name][:-3] + bytes([kept[name][-3] ^ 64]) + kept[name][-2:])
    labelling(run, distillation).logits(given, "texts")
    assert shards(run) == kept
    assert "is damaged" in (said := capsys.readouterr().err) and "its examples are labelled again" in said


@pytest.mark.parametrize("change", ["weights", "texts", "precision"])
def test_logits_of_another_teacher_or_text_are_not_taken_for_these(change, run, distillation, tmp_path):
    labelling(run, distillation).logits(examples(), "texts")
    before, given = shards(run), examples()
    if change == "weights":
        other = write_model(tmp_path / "other", dataclasses.replace(CONFIG, initializer_range=0.31))
        distillation = dataclasses.replace(distillation, teacher=other)
    elif change == "texts":
        given.input_ids[1] = 5 if given.input_ids[1] != 5 else 6
    else:
        run = dataclasses.replace(run, mixed_precision="bfloat16")
    labelling(run, distillation).logits(given, "texts")
    after = shards(run)
    assert before.items() < after.items() and len(after) - len(before) == (1 if change == "texts" else 3)


def test_more_texts_behind_are_all_that_is_labelled(run, distillation):
    labelling(run, distillation).logits(examples(8), "texts")
    before = set(shards(run))
    labelling(run, distillation).logits(examples(12), "texts")
    assert len(set(shards(run)) - before) == 1 and before < set(shards(run))


def test_a_dry_run_asks_for_a_few_and_writes_nothing(run, distillation, monkeypatch):
    monkeypatch.setattr(teacher_module, "DRY_RUN_EXAMPLES", 4)
    at_work = labelling(dataclasses.replace(run, dry_run=True), distillation)
    found = at_work.logits(examples(), "texts")["logits"]
    assert found.shape == (10, 2) and not os.path.exists(run.output_dir)
    np.testing.assert_array_equal(found[4:8], found[:4])
    assert "for its 10; here 4 were labelled, and the others have the same labels" in at_work.about[0][1]


def test_a_model_without_the_head_is_no_teacher(run, distillation, tmp_path):
    pretrained = write_model(tmp_path / "pretrained", heads=("mlm",), labels=())
    model = Teacher(run, dataclasses.replace(distillation, teacher=pretrained))
    with pytest.raises(InputError, match="has no head for sequence_classification .*mlm.*: a model that is fine-tuned"):
        model.require_head("sequence_classification")
    with pytest.raises(InputError, match="--teacher: .*: holds neither config.json nor"):
        Teacher(run, dataclasses.replace(distillation, teacher=str(tmp_path)))
