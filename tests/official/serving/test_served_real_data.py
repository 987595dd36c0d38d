"""Models fine-tuned for a few steps answer all of a real test file, served, as the run scripts did.

Of QNLI and XQuAD it is a part, and WNUT-17 is left out, unless BERT_WHOLE_FILES is set: all of them take the better
part of an hour on one core.
"""

import csv
import json
import os
import zipfile

import numpy as np
import pytest

from official.serving import exporting
from official.tasks.squad.squad_files import read_squad
from official.tasks.tagging import conll
from tests import scripts
from tests.official.serving import programs

pytestmark = pytest.mark.slow

WHOLE_FILES = bool(os.environ.get("BERT_WHOLE_FILES"))


def fine_tune(script, folder, minilm, **flags) -> str:
    """Runs a script from MiniLM for a few steps, with predictions; answers with its output directory."""
    values = {"init_checkpoint": minilm, "output_dir": folder / "out", "do_train": True, "do_predict": True}
    values |= {
        "train_batch_size": 16,
        "predict_batch_size": 32,
        "learning_rate": 1e-4,
        "save_checkpoints_steps": 10_000,
    }
    done = scripts.run(script, *scripts.flags_of(values | flags))
    assert done.returncode == 0, done.stderr[-3000:]
    return str(folder / "out")


def export(folder, **options) -> str:
    return exporting.export(exporting.Export(source=str(folder / "out"), export_dir=str(folder / "export"), **options))


def write_table(path, rows, header) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None).writerows([header, *rows])


@pytest.fixture(scope="module")
def qnli(shared, minilm, tmp_path_factory):
    """Question and sentence of pairs, 2,700 in all, their probabilities as predicted, and the exported model."""
    folder = tmp_path_factory.mktemp("qnli")
    header, *rows = (line.split("\t") for line in (shared / "data/glue/QNLI/dev.tsv").read_text("utf-8").splitlines())
    write_table(folder / "train.tsv", rows[::2][:1600], header)
    asked = rows[1::2] if WHOLE_FILES else rows[1::8]
    write_table(folder / "test.tsv", asked, header)
    columns = {"text_a_column": "question", "text_b_column": "sentence", "label_column": "label"}
    files = {"train_file": folder / "train.tsv", "predict_file": folder / "test.tsv"}
    out = fine_tune(
        "run_classifier.py", folder, minilm, task_name="tsv", num_train_epochs=1, max_seq_length=64, **columns, **files
    )
    pairs = [(row[1], row[2]) for row in asked]
    expected = np.loadtxt(f"{out}/test_results.tsv", delimiter="\t")
    return pairs, expected, export(folder, max_seq_length=64, text_pairs=True)


@pytest.fixture(scope="module")
def polarity(shared, minilm, tmp_path_factory):
    """A thousand sentences of film reviews, as `qnli`."""
    folder = tmp_path_factory.mktemp("polarity")
    archive = zipfile.ZipFile(shared / "data/movie_reviews/sentence_polarity.zip")
    texts = {name: archive.read(f"sentence_polarity/rt-polarity.{name}").decode("latin-1") for name in ("neg", "pos")}
    rows = [
        [line.strip(), name]
        for lines in zip(*(text.splitlines() for text in texts.values()))
        for name, line in zip(texts, lines)
    ]
    write_table(folder / "train.tsv", rows[2_000:3_600], ["sentence", "label"])
    write_table(folder / "test.tsv", rows[:1_000], ["sentence", "label"])
    columns = {"text_a_column": "sentence", "label_column": "label"}
    files = {"train_file": folder / "train.tsv", "predict_file": folder / "test.tsv"}
    out = fine_tune(
        "run_classifier.py", folder, minilm, task_name="tsv", num_train_epochs=1, max_seq_length=48, **columns, **files
    )
    expected = np.loadtxt(f"{out}/test_results.tsv", delimiter="\t")
    return [row[0] for row in rows[:1_000]], expected, export(folder, max_seq_length=48)


@pytest.fixture(scope="module")
def features(shared, minilm, tmp_path_factory):
    """Film reviews, the vectors of their tokens as extract_features.py writes them, and the exported model."""
    folder = tmp_path_factory.mktemp("features")
    archive = zipfile.ZipFile(shared / "data/movie_reviews/sentence_polarity.zip")
    lines = archive.read("sentence_polarity/rt-polarity.pos").decode("latin-1").splitlines()
    texts = [line.strip().replace("|||", " ") for line in lines[: 1_000 if WHOLE_FILES else 100]]
    (folder / "texts.txt").write_text("\n".join(texts) + "\n", "utf-8")
    flags = {
        "input_file": folder / "texts.txt",
        "output_file": folder / "features.jsonl",
        "init_checkpoint": minilm,
        "bert_config_file": minilm / "config.json",
        "vocab_file": minilm / "vocab.txt",
        "layers": -1,
        "max_seq_length": 48,
    }
    done = scripts.run("extract_features.py", *scripts.flags_of(flags))
    assert done.returncode == 0, done.stderr
    expected = [
        np.array([token["layers"][0]["values"] for token in json.loads(line)["features"]])
        for line in (folder / "features.jsonl").read_text().splitlines()
    ]
    source = exporting.Export(source=str(minilm), export_dir=str(folder / "export"), kind="encoder", max_seq_length=48)
    return texts, expected, exporting.export(source)


def test_vectors_of_real_sentences(features, program):
    texts, expected, path = features
    (found,) = program(path, [("token_embeddings", {"text": programs.strings(*texts)})])
    assert len(expected) == len(texts)
    for vectors, states in zip(found["embeddings"], expected):
        np.testing.assert_allclose(vectors[: len(states)], states, atol=1e-5)
        assert not vectors[len(states) :].any()


def test_classes_of_real_pairs(qnli, program):
    pairs, expected, path = qnli
    text_a, text_b = (programs.strings(*column) for column in zip(*pairs))
    (found,) = program(path, [("serving_default", {"text_a": text_a, "text_b": text_b})])
    assert len(pairs) > (2_700 if WHOLE_FILES else 680)
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)


def test_classes_of_real_sentences(polarity, program):
    texts, expected, path = polarity
    (found,) = program(path, [("serving_default", {"text": programs.strings(*texts)})])
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    assert set(found["label"]) == {b"neg", b"pos"}


@pytest.fixture(scope="module")
def tagged(shared, minilm, tmp_path_factory):
    """The words of WNUT-17's test file, their labels as predicted, and the exported model."""
    folder = tmp_path_factory.mktemp("wnut17")
    data = shared / "data/wnut17"
    (folder / "train.conll").write_text(
        "\n\n".join((data / "wnut17train.conll").read_text().split("\n\n")[:800]) + "\n"
    )
    out = fine_tune(
        "run_ner.py",
        folder,
        minilm,
        train_file=folder / "train.conll",
        predict_file=data / "emerging.test.annotated",
        num_train_epochs=4,
        max_seq_length=24,
    )
    return conll.read(f"{out}/test_predictions.txt", 0, -1).sentences, export(folder, max_seq_length=24)


@pytest.mark.skipif(not WHOLE_FILES, reason="ten minutes of a core; BERT_WHOLE_FILES=1 runs it")
def test_labels_of_real_words(tagged, program):
    sentences, path = tagged
    width = max(len(sentence.words) for sentence in sentences)
    words = programs.column(
        [word.encode() for sentence in sentences for word in [*sentence.words, *[""] * width][:width]]
    )
    (found,) = program(path, [("serving_words", {"words": words.reshape(-1, width)})])
    labels = [[label.decode() for label in row[:count]] for row, count in zip(found["labels"], found["num_words"])]
    assert labels == [list(sentence.labels) for sentence in sentences]
    assert len({label for row in labels for label in row}) > 1


@pytest.fixture(scope="module", params=[1, 2], ids=["v1.1", "v2.0"])
def answered(request, shared, minilm, tmp_path_factory):
    """XQuAD's questions, what run_squad.py answers, and the exported model."""
    version, folder = request.param, tmp_path_factory.mktemp("squad")
    squad = json.loads((shared / "data/squad/dev-v2.0-cs224n.json").read_text())
    squad["data"] = squad["data"][: 2 if WHOLE_FILES else 1]
    if version == 1:
        for article in squad["data"]:
            for paragraph in article["paragraphs"]:
                paragraph["qas"] = [question for question in paragraph["qas"] if not question["is_impossible"]]
    (folder / "train.json").write_text(json.dumps(squad))
    xquad = json.loads((shared / "data/squad/xquad.en.json").read_text())
    if not WHOLE_FILES:
        xquad["data"] = xquad["data"][::6]
    predict_file = folder / "predict.json"
    predict_file.write_text(json.dumps(xquad))
    size = {"max_seq_length": 192, "doc_stride": 64, "version_2_with_negative": version == 2}
    out = fine_tune(
        "run_squad.py",
        folder,
        minilm,
        train_file=folder / "train.json",
        predict_file=predict_file,
        num_train_epochs=1,
        group_by_length=True,
        **size,
    )
    data = read_squad(str(predict_file))
    files = {}
    for name in ("predictions", "nbest_predictions", *["null_odds"] * (version == 2)):
        with open(f"{out}/{name}.json", encoding="utf-8") as file:
            files[name] = json.load(file)
    return data, files, export(folder, **size)


def test_answers_to_real_questions(answered, program):
    data, files, path = answered
    names = [question.id for question in data.questions]
    predictions, candidates = (files[name] for name in ("predictions", "nbest_predictions"))
    texts = {
        "question": programs.strings(*(question.text for question in data.questions)),
        "context": programs.strings(*(data.contexts[question.context] for question in data.questions)),
    }
    best, found = program(path, [("serving_default", texts), ("n_best", texts)])
    assert [answer.decode() for answer in best["answer"]] == [predictions[name] for name in names]
    if "null_odds" in files:
        np.testing.assert_allclose(best["null_odds"], [files["null_odds"][name] for name in names], atol=1e-4)
    others = 0
    for row, name in enumerate(names):
        expected = [each for each in candidates[name] if each["text"]]
        count = found["num_answers"][row]
        others += [text.decode() for text in found["answers"][row][:count]] != [each["text"] for each in expected]
        served = dict(zip((text.decode() for text in found["answers"][row]), found["scores"][row]))
        for each in expected:
            score = each["start_logit"] + each["end_logit"]
            assert served.get(each["text"], score) == pytest.approx(score, abs=2e-5)
    # Of 23,800 candidates some are so nearly alike that rounding decides.
    assert others <= 2
