"""The task of tagging: schemes, documents, labels of what it starts from, features of a frozen encoder."""

import pytest

from official import checkpoints
from official.errors import InputError


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
    # Either may be higher: a broken entity is a wrong one to the first, and none to the second.
    assert scores["f1"] > 0.6 and scores["strict_f1"] > 0.6


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


def test_a_file_to_be_labelled_with_labels_of_another_task_has_no_scores(files, run, tmp_path, capsys):
    (tmp_path / "other.txt").write_text("ann NNP\nwent VBD\n")
    run(train_file=files["train"], predict_file=str(tmp_path / "other.txt"), num_train_epochs=0.2)
    assert "other.txt:1: 'NNP' is no tag" in capsys.readouterr().err
    assert len((tmp_path / "out" / "test_predictions.txt").read_text().splitlines()) == 2


def test_labels_that_are_given_are_those_that_were_learnt(files, run):
    run(train_file=files["train"], num_train_epochs=0.2)
    with pytest.raises(InputError, match="labels.txt: O, B-LOC, B-PER, I-PER were learnt in this directory before"):
        run(predict_file=files["test"], labels="O,B-X,B-Y,B-Z")


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
        ({"eval_file": files["dev"], "init_checkpoint": None}, "holds no model: --do_train or --init_checkpoint"),
        ({"eval_file": files["dev"]}, "is no tagger that says its labels"),
        ({"train_file": files["train"], "labels": "O,B-PER"}, r"train.txt:\d+: the label '.*' is not among the 2"),
    ):
        with pytest.raises(InputError, match=message):
            run(**settings)
