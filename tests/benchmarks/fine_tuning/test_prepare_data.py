"""The data of the comparison: split the same way every time, with nothing on both sides."""

import csv
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fine_tuning import prepare_data
from benchmarks.fine_tuning.experiments import EXPERIMENTS

ROWS = st.lists(st.tuples(st.sampled_from(["what", "where", "who", "why", "어디"]), st.text()))


def prepare(repository, data_dir, output_dir):
    """Runs the command as a user does."""
    flags = [f"--data_dir={data_dir}", f"--output_dir={output_dir}"]
    command = [sys.executable, "-m", "benchmarks.fine_tuning.prepare_data", *flags]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True)


@pytest.fixture(scope="module")
def prepared(repository, shared, tmp_path_factory):
    """The files made of the real data, and what was printed."""
    directory = tmp_path_factory.mktemp("prepared")
    done = prepare(repository, shared / "data", directory)
    assert done.returncode == 0, done.stderr
    return directory, done.stdout


def read_tsv(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def questions(path):
    return prepare_data.questions_of(json.loads(path.read_text("utf-8")))


@given(ROWS, st.floats(0, 1))
def test_a_split_loses_nothing_and_keeps_what_shares_a_key_together(rows, evaluation):
    train, held_out = prepare_data.split_by_hash(rows, lambda row: row[0], evaluation)
    assert sorted(train + held_out) == sorted(rows)
    assert not {row[0] for row in train} & {row[0] for row in held_out}


@given(ROWS)
def test_a_row_goes_to_the_same_side_whatever_stands_around_it(rows):
    held_out = prepare_data.split_by_hash(rows, lambda row: row[0], 0.5)[1]
    assert held_out == [row for row in rows if prepare_data.split_by_hash([row], lambda row: row[0], 0.5)[1]]


def test_the_hash_is_the_first_eight_bytes_of_sha256():
    assert prepare_data.hash_fraction("abc") == 0xBA7816BF8F01CFEA / 2**64  # FIPS 180-2, appendix B.1


def test_training_questions_keep_their_first_answer_only():
    squad = {"data": [{"title": "t", "paragraphs": [{"context": "c", "qas": [{"answers": [1, 2]}, {"answers": []}]}]}]}
    kept = prepare_data.questions_of(prepare_data.with_first_answers(squad))
    assert [question["answers"] for question in kept] == [[1], []]
    assert squad["data"][0]["paragraphs"][0]["qas"][0]["answers"] == [1, 2]


@pytest.mark.parametrize("title", EXPERIMENTS)
def test_every_comparison_finds_its_files(prepared, title):
    directory, printed = prepared
    for name in (EXPERIMENTS[title].train_file, EXPERIMENTS[title].eval_file):
        assert (directory / name).stat().st_size
        assert name in printed


def test_a_second_run_writes_the_same_bytes(prepared, shared, tmp_path):
    source, target = prepare_data.Source(str(shared / "data")), prepare_data.Target(str(tmp_path))
    prepare_data.prepare_polarity(source, target)
    for name in ("train.tsv", "dev.tsv"):
        assert (tmp_path / "polarity" / name).read_bytes() == (prepared[0] / "polarity" / name).read_bytes()


def test_polarity_holds_every_sentence_once(prepared):
    train, dev = (read_tsv(prepared[0] / "polarity" / name) for name in ("train.tsv", "dev.tsv"))
    assert len(train) + len(dev) == 2 * 5331  # SOURCE.txt
    assert len(dev) == pytest.approx(1066, rel=0.1)
    assert {row["label"] for row in train} == {row["label"] for row in dev} == {"negative", "positive"}
    assert not {row["sentence"] for row in train} & {row["sentence"] for row in dev}


def test_no_question_of_qnli_is_in_both_halves(prepared):
    train, dev = (read_tsv(prepared[0] / "qnli" / name) for name in ("train.tsv", "dev.tsv"))
    assert len(train) + len(dev) == 5463  # SOURCE.txt
    assert list(train[0]) == ["index", "question", "sentence", "label"]
    assert not {row["question"] for row in train} & {row["question"] for row in dev}


def test_squad_2_is_split_by_article(prepared):
    train, dev = (
        json.loads((prepared[0] / "squad_2" / name).read_text("utf-8")) for name in ("train.json", "dev.json")
    )
    titles = [{article["title"] for article in squad["data"]} for squad in (train, dev)]
    assert (len(titles[0]), len(titles[1])) == (12, 4)
    assert not titles[0] & titles[1]
    assert len(prepare_data.questions_of(train)) + len(prepare_data.questions_of(dev)) == 6078  # SOURCE.txt


@pytest.mark.parametrize("name, number", [("wiki_to_xquad/train.json", 7938), ("wiki_to_xquad/dev.json", 1190)])
def test_questions_on_other_articles_are_all_there(prepared, name, number):
    assert len(questions(prepared[0] / name)) == number  # SOURCE.txt


@pytest.mark.parametrize(
    "name, source", [("wnut17/train.conll", "wnut17train.conll"), ("wnut17/test.conll", "emerging.test.annotated")]
)
def test_emerging_entities_are_as_they_were(prepared, shared, name, source):
    assert (prepared[0] / name).read_bytes() == (shared / "data" / "wnut17" / source).read_bytes()


def test_a_folder_without_the_data_is_told_in_one_line(repository, tmp_path):
    done = prepare(repository, tmp_path, tmp_path / "made")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "sentence_polarity.zip: no such file" in done.stderr
