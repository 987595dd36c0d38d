"""run_ner.py as a user runs it: learns names of towns and people, scores, predicts, answers; says what is wrong."""

import pytest
import scripts
import tagging_texts

from official import checkpoints
from official.tasks.tagging import conll
from official.tasks.tagging.tag_schemes import Scheme
from official.tasks.tagging.tagging_scores import score_entities


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    directory = tmp_path_factory.mktemp("data")
    tagging_texts.write_files(directory)
    return directory


def run(*flags, **values):
    return scripts.run("run_ner.py", "--max_seq_length=32", *flags, *scripts.flags_of(values))


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    encoder, output_dir = str(tmp_path_factory.mktemp("encoder")), tmp_path_factory.mktemp("out")
    tagging_texts.write_encoder(encoder)
    flags = {"data_dir": data, "init_checkpoint": encoder, "output_dir": output_dir}
    done = run("--do_train", "--do_eval", "--do_predict", **flags, learning_rate=3e-3, num_train_epochs=10)
    assert done.returncode == 0, done.stderr
    return output_dir, done


def results_of(output_dir):
    lines = (output_dir / "eval_results.txt").read_text().splitlines()
    return lines, {key: float(value) for key, value in (line.split(" = ") for line in lines)}


def test_names_are_learnt_and_scores_written_in_order(trained):
    output_dir, done = trained
    lines, results = results_of(output_dir)
    assert lines == sorted(lines)
    assert {"accuracy", "f1", "global_step", "loss", "precision", "recall", "strict_f1"} <= set(results)
    assert results["f1"] > 0.9 and results["global_step"] == 50
    table = [line.split() for line in done.stdout.splitlines()]
    assert ["LOC", "PER", "all"] == [row[0] for row in table if len(row) == 7 and row[0] != "entities"][:3]


def test_predictions_are_the_test_file_with_a_column_more_and_score_as_shown(trained, data):
    output_dir, done = trained
    lines = (output_dir / "test_predictions.txt").read_text().splitlines()
    # A blank line stays blank; any other has a column more.
    assert [line.rpartition(" ")[0] for line in lines] == (data / "test.txt").read_text().splitlines()
    assert lines[0] == "-DOCSTART- O O"
    true, predicted = (
        [sentence.labels for sentence in conll.read(str(output_dir / "test_predictions.txt"), 0, column).sentences]
        for column in (-2, -1)
    )
    scores = score_entities(true, predicted, Scheme.IOB2)
    assert f"{scores['f1']:.2%}" in done.stdout.splitlines()[-2]


def test_the_model_is_a_tagger_with_labels_for_everyone(trained):
    model = checkpoints.load(str(trained[0]))
    assert model.heads == ("token_classification",)
    assert model.labels == ("O", "B-LOC", "B-PER", "I-PER")


def test_lines_that_are_typed_are_answered_by_the_output_directory_alone(trained):
    flags = {"output_dir": trained[0], "do_predict": True, "predict_file": "-", "max_seq_length": 32}
    process = scripts.start("run_ner.py", *scripts.flags_of(flags), stdin=-1)
    out, err = process.communicate("ann smith went in rome .\n   \nzzz \u200b\n")
    assert process.returncode == 0, err
    first, empty, strange = out.splitlines()
    assert first == "ann/B-PER smith/I-PER went/O in/O rome/B-LOC ./O"
    assert empty == "" and strange.startswith("zzz/")


def test_a_bilstm_on_a_frozen_encoder_learns_and_answers_by_its_directory_alone(data, tmp_path):
    tagging_texts.write_encoder(str(tmp_path / "encoder"))
    flags = {"train_file": data / "train.txt", "init_checkpoint": tmp_path / "encoder", "output_dir": tmp_path / "out"}
    done = run("--do_train", "--feature_based", **flags, lstm_size=64, num_train_epochs=8, train_batch_size=8)
    assert done.returncode == 0, done.stderr
    assert "note: --learning_rate is 0.001" in done.stderr
    process = scripts.start(
        "run_ner.py",
        f"--output_dir={tmp_path / 'out'}",
        "--do_predict",
        "--predict_file=-",
        "--max_seq_length=32",
        stdin=-1,
    )
    out, err = process.communicate("ann went in rome .\n")
    assert process.returncode == 0, err
    assert out == "ann/B-PER went/O in/O rome/B-LOC ./O\n"


def test_labels_of_another_task_are_refused_with_their_line(trained, tmp_path):
    (tmp_path / "pos.txt").write_text("ann B-PER\nwent B-VERB\n")
    done = run("--do_eval", eval_file=tmp_path / "pos.txt", output_dir=trained[0])
    assert done.returncode == 1
    assert f"{tmp_path}/pos.txt:2: the label 'B-VERB' is not among the 4" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "flags, status, message",
    [
        (["--do_train"], 1, "--do_train needs --train_file, or --data_dir with train.txt"),
        ([], 2, "at least one of --do_train, --do_eval, --do_predict must be given"),
        (["--do_train", "--tag_scheme=iob3"], 2, "tag_scheme"),
    ],
)
def test_what_is_missing_is_said_in_a_line(flags, status, message, tmp_path):
    done = scripts.run("run_ner.py", f"--output_dir={tmp_path / 'nowhere'}", *flags)
    assert done.returncode == status
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_help_comes_without_tensorflow():
    done = scripts.run("run_ner.py", "--help")
    assert done.returncode == 0 and "--tag_scheme" in done.stdout and not done.stderr
