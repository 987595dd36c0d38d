"""--export_dir of the run scripts: the model that counts, with what the run knows, and no surprise at its end."""

import json
import os

import numpy as np
import pytest
import tagging_texts
from pretraining_runs import small_run

from tests import scripts
from tests.official.serving import programs
from tests.official.serving.programs import strings

REVIEWS = "text\tlabel\n" + "a good one\tpos\na bad one\tneg\n" * 8


@pytest.fixture(scope="module")
def session():
    return programs.session()


@pytest.fixture
def original(golden_bert):
    """A checkpoint that the original fine-tuned, with config and vocabulary from elsewhere."""

    def flags(name: str) -> dict:
        return {
            "bert_config_file": golden_bert / "ckpt" / "bert_config.json",
            "vocab_file": golden_bert / "ckpt" / "vocab.txt",
            "init_checkpoint": golden_bert / name / "model.ckpt",
            "do_predict": True,
        }

    return flags


def run(script, *flags, **values):
    return scripts.run(script, "--batch_sizes=1", *flags, *scripts.flags_of(values))


def exported(done, path):
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"exported: {path}"
    return json.loads((path / "export.json").read_text())


def test_a_classifier_that_was_only_used_answers_as_its_predictions(original, golden_bert, session, tmp_path):
    flags = original("ckpt_mrpc") | {"task_name": "MRPC", "data_dir": golden_bert / "mrpc", "max_seq_length": 48}
    done = run("run_classifier.py", **flags, output_dir=tmp_path / "out", export_dir=tmp_path / "export")
    path = tmp_path / "export" / "mrpc" / "1"
    about = exported(done, path)
    assert (about["kind"], about["text_pairs"], about["max_seq_length"]) == ("classifier", True, 48)
    rows = [line.split("\t") for line in (golden_bert / "mrpc" / "test.tsv").read_text().splitlines()[1:]]
    texts = {"text_a": strings(*(row[3] for row in rows)), "text_b": strings(*(row[4] for row in rows))}
    (answers,) = session(path, [("serving_default", texts)])
    published = np.loadtxt(golden_bert / "mrpc" / "test_results.tsv", delimiter="\t")
    np.testing.assert_allclose(answers["probabilities"], published, atol=1e-5)
    assert set(answers["label"]) <= {b"0", b"1"}


def test_a_model_for_questions_answers_as_its_predictions(original, golden_bert, session, tmp_path):
    file = golden_bert / "squad_v2.json"
    settings = {"max_seq_length": 64, "doc_stride": 24, "max_query_length": 20, "version_2_with_negative": True}
    done = run(
        "run_squad.py",
        **original("ckpt_squad"),
        **settings,
        predict_file=file,
        output_dir=tmp_path / "out",
        export_dir=tmp_path / "export",
        model_name="asked",
        version=3,
    )
    path = tmp_path / "export" / "asked" / "3"
    about = exported(done, path)
    assert settings.items() <= about.items() and about["null_score_diff_threshold"] == 0.0
    asked = {
        question["id"]: (question["question"], paragraph["context"])
        for article in json.loads(file.read_text())["data"]
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    }
    questions, contexts = zip(*asked.values())
    (answers,) = session(path, [("serving_default", {"question": strings(*questions), "context": strings(*contexts)})])
    predictions = json.loads((golden_bert / "squad_v2_predictions.json").read_text())
    assert [answer.decode() for answer in answers["answer"]] == [predictions[name] for name in asked]


@pytest.fixture(scope="module")
def tagging(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tagging")
    tagging_texts.write_files(folder)
    tagging_texts.write_encoder(str(folder / "encoder"))
    return {"data_dir": folder, "init_checkpoint": folder / "encoder", "max_seq_length": 32, "do_train": True}


def test_of_several_trials_the_best_is_exported(tagging, tmp_path):
    flags = tagging | {"do_eval": True, "num_trials": 2, "num_train_epochs": 2, "learning_rate": 3e-3}
    done = run("run_ner.py", **flags, output_dir=tmp_path / "out", export_dir=tmp_path / "export")
    about = exported(done, tmp_path / "export" / "ner" / "1")
    scores = [trial["f1"] for trial in json.loads((tmp_path / "out" / "trials.json").read_text())]
    best = 1 + scores.index(max(scores))
    assert about["source"] == str(tmp_path / "out" / f"trial_{best}" / "model") and about["kind"] == "tagger"


@pytest.mark.slow
def test_a_feature_based_tagger_is_exported_with_its_encoder_when_used_elsewhere(tagging, session, tmp_path):
    trained = run(
        "run_ner.py", "--feature_based", **tagging, lstm_size=8, num_train_epochs=4, output_dir=tmp_path / "a"
    )
    assert trained.returncode == 0, trained.stderr
    flags = tagging | {"init_checkpoint": tmp_path / "a", "do_train": False, "do_predict": True}
    done = run("run_ner.py", **flags, output_dir=tmp_path / "b", export_dir=tmp_path / "export")
    path = tmp_path / "export" / "ner" / "1"
    assert exported(done, path)["source"] == str(tmp_path / "b" / "model")
    blocks = [block.splitlines() for block in (tmp_path / "b" / "test_predictions.txt").read_text().split("\n\n")]
    sentences = [[line.split() for line in block] for block in blocks if block and not block[0].startswith("-DOC")]
    texts = strings(*(" ".join(row[0] for row in sentence) for sentence in sentences))
    (answers,) = session(path, [("serving_default", {"text": texts})])
    found = [[label.decode() for label in row if label] for row in answers["labels"]]
    assert found == [[row[-1] for row in sentence] for sentence in sentences]


@pytest.mark.slow
def test_a_pretrained_model_fills_masks(golden_bert, session, tmp_path):
    vocabulary = golden_bert / "ckpt" / "vocab.txt"
    flags = {"num_train_steps": 4, "num_warmup_steps": 1, "vocab_file": vocabulary, "export_dir": tmp_path / "export"}
    done = scripts.run("run_pretraining.py", "--batch_sizes=1", *small_run(golden_bert, tmp_path / "small", **flags))
    path = tmp_path / "export" / "fill_mask" / "1"
    assert exported(done, path)["max_seq_length"] == 64
    (answers,) = session(path, [("serving_default", {"text": strings("[MASK] and [MASK]")})])
    assert answers["tokens"].shape == (1, 2, 5)


@pytest.mark.slow
def test_of_a_pretrained_discriminator_vectors_are_served(golden_bert, session, tmp_path):
    vocabulary = golden_bert / "ckpt" / "vocab.txt"
    flags = {"num_train_steps": 4, "num_warmup_steps": 1, "vocab_file": vocabulary, "export_dir": tmp_path / "export"}
    more = ["--batch_sizes=1", "--method=electra", "--masking=static", "--generator_size=0.5"]
    done = scripts.run("run_pretraining.py", *more, *small_run(golden_bert, tmp_path / "small", **flags))
    path = tmp_path / "export" / "encoder" / "1"
    assert exported(done, path)["kind"] == "encoder"
    (answers,) = session(path, [("serving_default", {"text": strings("a lazy dog")})])
    config = json.loads((golden_bert / "ckpt" / "bert_config.json").read_text())
    assert answers["mean_output"].shape == (1, config["hidden_size"])


@pytest.fixture
def reviews(golden_bert, tmp_path):
    (tmp_path / "train.tsv").write_text(REVIEWS)
    return {
        "task_name": "tsv",
        "data_dir": tmp_path,
        "init_checkpoint": golden_bert / "ckpt" / "bert_model.ckpt",
        "output_dir": tmp_path / "out",
        "export_dir": tmp_path / "export",
        "do_train": True,
        "max_seq_length": 16,
        "train_batch_size": 8,
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model_name": "old", "version": 7}, "old/7: is there already"),
        ({"model_name": "a/b"}, "--model_name is 'a/b'"),
        ({"model_name": "file"}, "file: is a file, a directory was expected"),
    ],
)
def test_an_export_that_can_not_be_is_refused_before_training(wrong, message, reviews, tmp_path):
    (tmp_path / "export" / "old" / "7").mkdir(parents=True)
    (tmp_path / "export" / "file").write_text("")
    done = run("run_classifier.py", **reviews | wrong)
    assert done.returncode == 1 and message in done.stderr and "Traceback" not in done.stderr
    assert not os.path.exists(reviews["output_dir"])


@pytest.mark.slow
def test_own_data_is_served_with_the_labels_that_were_learnt(reviews, session, tmp_path):
    path = tmp_path / "export" / "reviews" / "1"
    about = exported(run("run_classifier.py", **reviews, model_name="reviews"), path)
    assert not about["text_pairs"] and about["label_type"] == "single"
    (answers,) = session(path, [("serving_default", {"text": strings("a good one", "")})])
    assert set(answers["label"]) <= {b"pos", b"neg"}


def test_a_model_that_was_trained_is_not_replaced_by_one_that_is_only_used(original, golden_bert, tmp_path):
    model = tmp_path / "out" / "model"
    model.mkdir(parents=True)
    (model / "config.json").write_text("{}")
    flags = original("ckpt_squad") | {"predict_file": golden_bert / "squad_v1.json", "max_seq_length": 72}
    done = run("run_squad.py", **flags, output_dir=tmp_path / "out", export_dir=tmp_path / "export")
    assert done.returncode == 1
    assert f"{model}: holds another model than {flags['init_checkpoint']}" in done.stderr
    assert os.listdir(model) == ["config.json"]
