"""The task of tagging: schemes, documents, labels of what it starts from, features of a frozen encoder."""

import functools

import pytest
import tagging_texts

from official import checkpoints
from official.errors import InputError
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.tagging import tagging
from official.tasks.tagging.tagging_data import TaggingRun
from official.training.strategy import make_strategy


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("data")
    tagging_texts.write_files(directory)
    return {name: str(directory / f"{name}.txt") for name in ("train", "dev", "test")}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    directory = str(tmp_path_factory.mktemp("encoder"))
    tagging_texts.write_encoder(directory)
    return directory


@pytest.fixture
def run(encoder, tmp_path):
    """Runs the task with these settings; `output_dir` and the like are for the engine, the others for the task."""

    def start(**values):
        theirs = {"init_checkpoint": encoder, "output_dir": str(tmp_path / "out"), "max_seq_length": 32}
        theirs |= {"learning_rate": 3e-3, "fusion": "none"}
        names = set(FineTuningRun.__dataclass_fields__)
        theirs |= {name: value for name, value in values.items() if name in names}
        ours = {name: value for name, value in values.items() if name not in names}
        return tagging.run_tagging(FineTuningRun(**theirs), TaggingRun(**ours), make_strategy("one_device"))

    return start


def test_another_scheme_is_learnt_in_windows_of_whole_documents(files, run, tmp_path):
    scores = run(
        train_file=files["train"],
        eval_file=files["dev"],
        tag_scheme="bioes",
        document_context=True,
        num_train_epochs=40,
        train_batch_size=8,
    )
    assert checkpoints.load(str(tmp_path / "out")).labels == ("O", "B-PER", "E-PER", "S-LOC", "S-PER")
    assert scores["f1"] > 0.6 and scores["strict_f1"] <= scores["f1"]


def test_parts_of_speech_are_labelled_in_conll_u(run, tmp_path):
    kinds = {"VERB": ["saw", "went"], "NOUN": ["rome", "oslo"], "PUNCT": ["."]}
    lines = [
        f"{number}\t{word}\t_\t{kind}" + "\t_" * 6
        for kind, words in kinds.items()
        for number, word in enumerate(words, 1)
    ]
    path = tmp_path / "pos.conllu"
    path.write_text("# text\n" + "\n\n".join(lines * 20) + "\n\n")
    scores = run(
        train_file=str(path), eval_file=str(path), predict_file=str(path), num_train_epochs=10, train_batch_size=8
    )
    assert scores["accuracy"] == scores["macro_f1"] == 1.0
    assert (tmp_path / "out" / "test_predictions.txt").read_text() == path.read_text()


def test_a_tagger_that_is_trained_further_keeps_the_order_of_its_labels(files, run, tmp_path):
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    run(train_file=files["train"], labels="I-PER,B-PER,O,B-LOC", output_dir=first, num_train_epochs=0.2)
    run(train_file=files["train"], init_checkpoint=first, output_dir=second, num_train_epochs=0.2)
    assert checkpoints.load(second).labels == ("I-PER", "B-PER", "O", "B-LOC")


def test_scoring_elsewhere_gives_the_same_scores(files, run, tmp_path):
    first = run(train_file=files["train"], eval_file=files["dev"], num_train_epochs=1)
    again = run(eval_file=files["dev"], init_checkpoint=str(tmp_path / "out"), output_dir=str(tmp_path / "elsewhere"))
    assert again == pytest.approx(first, abs=1e-6)


def test_what_a_bilstm_on_a_frozen_encoder_learnt_is_found_again(files, run, monkeypatch):
    monkeypatch.setattr(tagging, "FeatureBasedTagger", functools.partial(tagging.FeatureBasedTagger, lstm_size=8))
    settings = {"eval_file": files["dev"], "feature_based": True, "feature_layers": "all_sum"}
    with pytest.raises(InputError, match="holds no tagger: --feature_based needs --do_train first"):
        run(**settings)
    first = run(train_file=files["train"], num_train_epochs=20, learning_rate=1e-2, **settings)
    assert first["f1"] > 0.5
    assert run(**settings) == pytest.approx(first, abs=1e-6)


def test_a_run_that_says_one_label_only_is_warned_of(files, run, capsys):
    run(train_file=files["train"], eval_file=files["dev"], num_train_epochs=1, train_batch_size=160, learning_rate=0.5)
    assert "warning: every word is labelled" in capsys.readouterr().err


def test_what_cannot_be_done_together_is_refused(files, run, encoder):
    for settings, message in (
        ({"train_file": files["train"], "num_trials": 2}, "--num_trials=2: compares scores"),
        (
            {"train_file": files["train"], "eval_file": files["dev"], "predict_file": "-", "num_trials": 2},
            "only one model can answer",
        ),
        ({"train_file": files["train"], "feature_based": True, "keep_best": True}, "keeps its last model"),
        ({"eval_file": files["dev"]}, "is no tagger that says its labels"),
        ({"train_file": files["train"], "labels": "O,B-PER"}, r"train.txt:\d+: the label '.*' is not among the 2"),
    ):
        with pytest.raises(InputError, match=message):
            run(**settings)
