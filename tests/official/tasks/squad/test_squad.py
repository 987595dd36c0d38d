"""The task: logits over padding, several seeds, and weights that are of no use."""

import json

import numpy as np
import pytest
import squad_texts as texts
import tensorflow as tf

from official import checkpoints
from official.errors import InputError
from official.models.bert import Bert, BertConfig
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun, read_encoder
from official.tasks.squad import squad
from official.tasks.squad.squad_answers import SearchOptions
from official.tasks.squad.squad_features import WindowSize
from official.tasks.squad.squad_run import SquadQuestions, SquadRun, as_examples
from official.training.strategy import make_strategy

CONFIG = BertConfig(
    vocab_size=texts.TOKENIZER.vocab_size,
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=24,
    type_vocab_size=2,
)
CONTEXT = "the quick fox jumped over the CAFE\u0301 (1999). a quick fox, ab abb"


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    directory = str(tmp_path_factory.mktemp("model"))
    tf.keras.utils.set_random_seed(1)
    checkpoints.save(Bert(CONFIG, ("question_answering",), pooler=False), directory, tokenizer=texts.TOKENIZER)
    return directory


@pytest.fixture
def run(model, tmp_path):
    return FineTuningRun(
        output_dir=str(tmp_path / "out"),
        init_checkpoint=model,
        max_seq_length=24,
        train_batch_size=4,
        num_train_epochs=2,
        fusion="none",
    )


@pytest.fixture
def asking(tmp_path):
    answers = [texts.answer("quick fox", 4)]
    values = texts.squad(
        {
            CONTEXT: [texts.question(str(number), "the fox" * number, answers=answers) for number in range(5)],
            "the quick fox": [texts.question("short", answers=answers)],
            "\u200b": [texts.question("nothing", answers=[], is_impossible=True)],
        }
    )
    path = texts.write(tmp_path / "asked.json", values)
    return SquadRun(
        train_file=path,
        predict_file=path,
        window=WindowSize(24, 6, 5),
        search=SearchOptions(version_2_with_negative=True),
        do_predict=True,
    )


def task_of(run, asking, distribution="one_device"):
    encoder = read_encoder(run)
    task = squad.Squad(run, asking, make_strategy(distribution), encoder)
    task.engine.restore()
    return task, SquadQuestions.read(asking, encoder[1])


@pytest.mark.parametrize("distribution", ["one_device", "mirrored"])
def test_logits_over_padding_come_after_those_of_the_tokens(run, asking, distribution):
    task, asked = task_of(run, asking, distribution)
    examples = as_examples(asked.features)
    cut, padded = task.engine.predict(examples), task.engine.predict(examples, padded=True)
    for name in ("start_logits", "end_logits"):
        assert {len(row) for row in padded[name]} == {24} and {len(row) for row in cut[name]} != {24}
        for short, long in zip(cut[name], padded[name], strict=True):
            np.testing.assert_allclose(long[: len(short)], short, atol=1e-5)


def test_logits_that_are_not_finite_give_no_predictions(run, asking):
    task, asked = task_of(run, asking)
    task.engine.model.trainable_variables[0].assign(np.nan * task.engine.model.trainable_variables[0])
    with pytest.raises(InputError, match="logits are not finite"):
        task.answer(asked)


def test_every_question_gets_an_answer_and_spans_without_place_are_told(run, asking, tmp_path, capsys):
    verbose = SquadRun(**{**vars(asking), "verbose_logging": True})
    squad.fine_tune(run, verbose, make_strategy("one_device"))
    predictions = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert list(predictions) == ["0", "1", "2", "3", "4", "short", "nothing"] and predictions["nothing"] == ""
    assert "is not found in 'CAFE\u0301" in capsys.readouterr().err


def test_several_seeds_are_trained_and_scored_and_the_best_of_each_is_kept(run, asking, tmp_path):
    trials = FineTuningRun(**{**vars(run), "num_trials": 2, "keep_best": True})
    learning = SquadRun(**{**vars(asking), "do_train": True, "do_eval": True})
    squad.fine_tune(trials, learning, make_strategy("one_device"))
    results = json.loads((tmp_path / "out" / "trials.json").read_text())
    assert len(results) == 2 and all("HasAns_f1" in result for result in results)
    for trial, result in enumerate(results, start=1):
        scores = json.loads((tmp_path / "out" / f"trial_{trial}" / "scores.json").read_text())
        assert len(scores) >= 2 and max(score for _, score in scores) == result["f1"]


def test_a_checkpoint_without_the_head_is_refused_for_prediction(run, asking, tmp_path):
    checkpoints.save(Bert(CONFIG, ("mlm", "nsp")), str(tmp_path / "bare"), tokenizer=texts.TOKENIZER)
    bare = FineTuningRun(**{**vars(run), "init_checkpoint": str(tmp_path / "bare")})
    with pytest.raises(InputError, match="has no head for question_answering"):
        squad.fine_tune(bare, asking, make_strategy("one_device"))


@pytest.mark.parametrize(
    ("version_2", "do_eval", "expected"), [(True, True, ""), (False, True, "2 (no, empty)"), (False, False, "1 (no)")]
)
def test_questions_without_answer_are_told_where_each_gets_one(tmp_path, capsys, version_2, do_eval, expected):
    questions = [
        texts.question("yes", answers=[texts.answer("fox", 4)], is_impossible=False),
        texts.question("no", answers=[], is_impossible=True),
        texts.question("empty", answers=[]),
    ]
    path = texts.write(tmp_path / "asked.json", texts.squad({"the fox": questions}))
    search = SearchOptions(version_2_with_negative=version_2)
    SquadQuestions.read(SquadRun(predict_file=path, search=search, do_eval=do_eval), texts.TOKENIZER)
    told = [line for line in capsys.readouterr().err.splitlines() if "without answer" in line]
    assert len(told) == bool(expected) and all(line.endswith(f"allows none: {expected}") for line in told)
