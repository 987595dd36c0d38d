"""GLUE's and XNLI's files as they are published, here with invented words."""

import pytest

from official.errors import InputError
from official.tasks.classification.glue import TASKS, glue_task


def write(directory, name, *lines):
    path = directory / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join("\t".join(fields) + "\n" for fields in lines), "utf-8")


def numbered(count, **fields):
    """A line of `count` columns, `c0` … but for those given as `_3="text"`."""
    columns = [f"c{number}" for number in range(count)]
    for name, value in fields.items():
        columns[int(name[1:])] = value
    return columns


# Task, split, file, its header (or None), a line, and the guid, texts and label that it is.
PUBLISHED = [
    ("cola", "train", "train.tsv", None, numbered(4, _1="0"), ("train-0", "c3", None, "0")),
    ("cola", "dev", "dev.tsv", None, numbered(4, _1="1"), ("dev-0", "c3", None, "1")),
    ("cola", "test", "test.tsv", "index sentence", numbered(2), ("test-1", "c1", None, None)),
    ("mrpc", "train", "train.tsv", "Quality", numbered(5, _0="1"), ("train-1", "c3", "c4", "1")),
    ("mrpc", "dev", "dev.tsv", "Quality", numbered(5, _0="0"), ("dev-1", "c3", "c4", "0")),
    ("mrpc", "test", "test.tsv", "index", numbered(5), ("test-1", "c3", "c4", None)),
    ("mnli", "train", "train.tsv", "index", numbered(12, _0="7", _11="neutral"), ("train-7", "c8", "c9", "neutral")),
    (
        "mnli",
        "dev",
        "dev_matched.tsv",
        "i",
        numbered(16, _15="entailment"),
        ("dev_matched-c0", "c8", "c9", "entailment"),
    ),
    ("mnli", "test", "test_matched.tsv", "index", numbered(10), ("test-c0", "c8", "c9", None)),
    ("mnli-mm", "dev", "dev_mismatched.tsv", "i", numbered(16), ("dev_mismatched-c0", "c8", "c9", "c15")),
    ("mnli-mm", "test", "test_mismatched.tsv", "i", numbered(10), ("test-c0", "c8", "c9", None)),
    ("qnli", "dev", "dev.tsv", "index", numbered(4, _3="entailment"), ("dev-1", "c1", "c2", "entailment")),
    ("qnli", "test", "test.tsv", "index", numbered(3), ("test-1", "c1", "c2", None)),
    ("qqp", "train", "train.tsv", "id", numbered(6, _5="1"), ("train-1", "c3", "c4", "1")),
    ("qqp", "test", "test.tsv", "id", numbered(3), ("test-1", "c1", "c2", None)),
    ("rte", "train", "train.tsv", "index", numbered(4), ("train-1", "c1", "c2", "c3")),
    ("rte", "test", "test.tsv", "index", numbered(3), ("test-1", "c1", "c2", None)),
    ("sst-2", "train", "train.tsv", "sentence", numbered(2, _1="1"), ("train-1", "c0", None, "1")),
    ("sst-2", "test", "test.tsv", "index", numbered(2), ("test-1", "c1", None, None)),
    ("sts-b", "dev", "dev.tsv", "index", numbered(10, _9="3.25"), ("dev-1", "c7", "c8", "3.25")),
    ("sts-b", "test", "test.tsv", "index", numbered(9), ("test-1", "c7", "c8", None)),
    ("wnli", "train", "train.tsv", "index", numbered(4, _3="0"), ("train-1", "c1", "c2", "0")),
    ("wnli", "test", "test.tsv", "index", numbered(3), ("test-1", "c1", "c2", None)),
    ("ax", "test", "diagnostic.tsv", "index", numbered(3), ("test-1", "c1", "c2", None)),
    ("xnli", "train", "multinli/multinli.train.zh.tsv", "p", numbered(3), ("train-1", "c0", "c1", "c2")),
    ("xnli", "dev", "xnli.dev.tsv", "language", numbered(12, _0="zh"), ("dev-1", "c6", "c7", "c1")),
    ("xnli", "test", "xnli.test.tsv", "language", numbered(12, _0="zh"), ("test-1", "c6", "c7", None)),
]


@pytest.mark.parametrize("name, split, file, header, line, expected", PUBLISHED)
def test_files_are_read_as_published(tmp_path, name, split, file, header, line, expected):
    write(tmp_path, file, *([header.split()] if header else []), line)
    (example,) = glue_task(name, str(tmp_path), {}).read(split)
    guid, text_a, text_b, label = expected
    assert example.guid == guid
    assert example.pairs == ((text_a, text_b),)
    assert example.labels == (None if label is None else (label,))


# run_classifier.py:283, :322, :361, :241.
@pytest.mark.parametrize(
    "name, labels",
    [
        ("mnli", ("contradiction", "entailment", "neutral")),
        ("mrpc", ("0", "1")),
        ("cola", ("0", "1")),
        ("xnli", ("contradiction", "entailment", "neutral")),
    ],
)
def test_labels_have_the_ids_that_the_original_gives_them(name, labels):
    assert glue_task(name, "", {}).labels == labels


def test_xnli_speaks_other_languages_and_mends_its_label(tmp_path):
    write(tmp_path, "multinli/multinli.train.de.tsv", ["premise"], ["a", "b", "contradictory"])
    write(tmp_path, "xnli.dev.tsv", ["language"], numbered(12, _0="zh"), numbered(12, _0="de", _6="x"))
    task = glue_task("xnli", str(tmp_path), {}, language="de")
    assert task.read("train")[0].labels == ("contradiction",)
    (example,) = task.read("dev")
    assert (example.guid, example.pairs[0][0], example.line) == ("dev-2", "x", 3)


def test_quotes_are_text(tmp_path):
    write(tmp_path, "dev.tsv", ["index"], ["0", 'What is "it', 'It is" this.', "entailment"])
    (example,) = glue_task("qnli", str(tmp_path), {}).read("dev")
    assert example.pairs == (('What is "it', 'It is" this.'),)


def test_the_lines_without_all_columns_that_qqp_is_published_with_are_left_out(tmp_path, capsys):
    whole, cut = numbered(6, _5="1"), numbered(4)
    write(tmp_path, "train.tsv", ["id"], whole, cut, cut, whole)
    assert [example.line for example in glue_task("qqp", str(tmp_path), {}).read("train")] == [2, 5]
    assert "train.tsv: 2 lines lack columns and are left out, the first is 3" in capsys.readouterr().err


def test_examples_whose_annotators_did_not_agree_are_left_out(tmp_path, capsys):
    lines = [numbered(16, _15=label) for label in ("neutral", "-", "entailment", "-")]
    write(tmp_path, "dev_matched.tsv", ["index"], *lines)
    examples = glue_task("mnli", str(tmp_path), {}).read("dev")
    assert [example.labels for example in examples] == [("neutral",), ("entailment",)]
    assert "dev_matched.tsv: 2 examples have '-' for a label and are left out" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in TASKS if name not in ("qqp", "ax")])
def test_elsewhere_such_a_line_is_an_error_with_its_number(tmp_path, name):
    layout = TASKS[name].dev
    lines = [["header"]] * layout.header + [numbered(16, _0="zh")] * 3 + [["zh"]]
    write(tmp_path, layout.file, *lines)
    with pytest.raises(InputError, match=rf"dev.*tsv:{len(lines)}: 1 columns, at least {layout.width} were expected"):
        glue_task(name, str(tmp_path), {}).read("dev")


def test_a_set_that_does_not_exist_is_told(tmp_path):
    with pytest.raises(InputError, match="--task_name=ax: has no train set"):
        glue_task("ax", str(tmp_path), {}).read("train")


def test_other_files_of_the_same_layout_can_be_named(tmp_path):
    write(tmp_path, "other.tsv", ["sentence"], ["text", "1"])
    task = glue_task("sst-2", "nowhere", {"dev": str(tmp_path / "other.tsv")})
    assert task.read("dev")[0].pairs == (("text", None),)
    with pytest.raises(InputError, match="nowhere.train.tsv: no such file"):
        task.read("train")


def test_a_file_of_a_header_only_is_refused(tmp_path):
    write(tmp_path, "dev.tsv", ["index", "sentence1", "sentence2", "label"])
    with pytest.raises(InputError, match="dev.tsv: holds no example"):
        glue_task("rte", str(tmp_path), {}).read("dev")


@pytest.mark.parametrize("name, split, count", [("QNLI", "dev", 5463), ("WNLI", "train", 635), ("WNLI", "dev", 71)])
def test_published_files_are_read_whole(shared, name, split, count):
    task = glue_task(name.lower(), str(shared / "data" / "glue" / name), {})
    examples = task.read(split)
    assert len(examples) == count
    assert {label for example in examples for label in example.labels} == set(task.labels)
