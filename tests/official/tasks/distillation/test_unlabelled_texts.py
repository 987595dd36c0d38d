"""Files of texts that only the teacher labels: what their names say is in them."""

import pytest
from absl import flags

from official.errors import InputError
from official.tasks.classification.classification_tasks import task_of_flags
from official.tasks.distillation.unlabelled_texts import read_unlabelled

PAIR, ALONE = (("one text", "another"),), (("one text", None),)


def values_of(**given):
    """Flags as of run_distillation.py, with what these are given."""
    values = flags.FlagValues()
    names = "task_name data_dir unlabelled_file train_file eval_file predict_file tfds_name tfds_data_dir"
    for name in f"{names} text_a_column text_b_column label_column xnli_language".split():
        flags.DEFINE_string(name, None, "", flag_values=values)
    flags.DEFINE_string("label_type", "single", "", flag_values=values)
    flags.DEFINE_list("labels", None, "", flag_values=values)
    values(["test", *(f"--{name}={value}" for name, value in given.items())])
    return values


def read(tmp_path, files, **given):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    values = values_of(**given, unlabelled_file=",".join(str(tmp_path / name) for name in files))
    return read_unlabelled(values, task_of_flags(values))


@pytest.mark.parametrize(
    ("name", "text", "given", "pairs"),
    [
        ("a.txt", "one text\n\n", {}, ALONE),
        ("a.txt", "one text\tanother\n", {"task_name": "mrpc"}, PAIR),
        ("a.tsv", "text\tlabel\none text\tgood\n", {"label_column": "label"}, ALONE),
        ("a.tsv", "text\none text\n", {"label_column": "label"}, ALONE),  # No label is there.
        ("a.tsv", "7\tone text\tanother\n", {"text_a_column": 1, "text_b_column": 2, "label_column": 0}, PAIR),
        ("a.csv", 'text,other\n"one text",x\n', {}, ALONE),
        ("a.jsonl", '{"premise": "one text", "hypothesis": "another", "label": {"odd": 1}}\n', {}, PAIR),
        ("a.jsonl", '{"text": "one text"}\n', {"task_name": "sst-2"}, ALONE),
        ("a.tsv", "index\tsentence\n0\tone text\n", {"task_name": "sst-2"}, ALONE),  # As its test.tsv.
        ("a.tsv", "index\tq1\tq2\n0\tone text\tanother\n", {"task_name": "qqp"}, PAIR),
        ("a.unsup", "text\none text\n", {}, ALONE),
        ("a.csv", "text\none text\n", {"task_name": "imdb"}, ALONE),
    ],
)
def test_a_file_is_read_as_its_name_says(name, text, given, pairs, tmp_path):
    (example,) = read(tmp_path, {name: text}, **({"task_name": "tsv"} | given))
    assert example.pairs == pairs and example.labels is None
    assert example.source == str(tmp_path / name)


def test_files_of_several_forms_are_read_one_after_the_other(tmp_path):
    found = read(tmp_path, {"b.txt": "one\ntwo\n", "a.jsonl": '{"text": "three"}\n'}, task_name="tsv")
    assert [example.pairs[0][0] for example in found] == ["one", "two", "three"]
    assert [example.line for example in found] == [1, 2, 1]


def test_endings_of_a_choice_are_read_without_the_right_one(tmp_path):
    header = "video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3"
    (example,) = read(tmp_path, {"a.csv": f"{header}\n1,2,x,He runs.,He,gold,a,b,c,d\n"}, task_name="swag")
    assert example.pairs[3] == ("He runs.", "He d") and example.labels is None


@pytest.mark.parametrize(
    ("name", "text", "given", "message"),
    [
        ("a.txt", "one\n", {"task_name": "swag"}, "a.txt: a text a line has no choices"),
        ("a.txt", " \n", {}, "a.txt: holds no example"),
        ("a.tsv", "text\tlabel\nx\n", {}, "a.tsv:2: 1 columns, the header has 2"),
        ("a.jsonl", '{"text": 5}\n', {}, "a.jsonl:1: 'text' is 5, a text was expected"),
        ("a.jsonl", "{\n", {}, "a.jsonl:1: is not JSON"),
        ("a.csv", "text\n\"x\n", {}, "a.csv:2: the row that begins here is not CSV"),
        ("a.tsv", "index\n0\n", {"task_name": "sst-2"}, "a.tsv:2: 1 columns, at least 2 were expected"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_said_with_file_and_line(name, text, given, message, tmp_path):
    with pytest.raises(InputError, match=f"{tmp_path}/{message}"):
        read(tmp_path, {name: text}, **({"task_name": "tsv"} | given))
