"""Columns by name or number, what they hold, and predictions beside them."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from official.errors import InputError
from official.tasks.classification.own_data import Columns, Table, own_data


@pytest.fixture
def table(tmp_path):
    def make(content: str, form: str = "tsv", multi: bool = False, **columns) -> Table:
        path = tmp_path / f"data.{form}"
        path.write_text(content, "utf-8")
        return Table(str(path), form, Columns(**columns), multi)

    return make


def read(table, labelled=True):
    return [(*example.pairs[0], example.labels) for example in table.examples("train", labelled)]


@pytest.mark.parametrize(
    "header, found",
    [
        ("sentence\tlabel", ("sentence", None, "label")),
        ("id\tdocument\tlabel", ("document", None, "label")),
        ("index\tquestion\tsentence\tlabel", ("question", "sentence", "label")),
        ("sentence1\tsentence2\tgold_label", ("sentence1", "sentence2", "gold_label")),
        ("genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2", ("sentence1", "sentence2", "score")),
        ("Text\tClass", ("Text", None, "Class")),
        ("text", ("text", None, None)),
    ],
)
def test_usual_columns_are_found_by_their_names(header, found):
    columns = Columns().find(header.split("\t"), "file")
    assert (columns.text_a, columns.text_b, columns.label) == found


@pytest.mark.parametrize(
    "given, names, found",
    [
        (Columns("b", "a", "c"), "abc", ("b", "a", "c")),
        (Columns("sentence2"), ["sentence1", "sentence2", "label"], ("sentence2", None, "label")),
        (Columns(text_b=""), ["sentence1", "sentence2", "label"], ("sentence1", None, "label")),
        (Columns(label="sentence2"), ["sentence1", "sentence2"], ("sentence1", "sentence2", "sentence2")),
    ],
)
def test_named_columns_are_taken(given, names, found):
    columns = given.find(list(names), "file")
    assert (columns.text_a, columns.text_b, columns.label) == found


@pytest.mark.parametrize(
    "columns, message",
    [
        (Columns("body"), "f: has no column 'body' (--text_a_column); there are: 'x', 'label'"),
        (Columns("x", "body"), "f: has no column 'body' (--text_b_column)"),
        (Columns("x", label="topic"), "f: has no column 'topic' (--label_column)"),
        (Columns(), "f: no column of text among 'x', 'label': --text_a_column says which it is"),
    ],
)
def test_a_column_that_is_not_there_is_named(columns, message):
    with pytest.raises(InputError) as error:
        columns.find(["x", "label"], "f")
    assert message in str(error.value)


def test_columns_by_number_mean_that_there_is_no_header(table):
    assert read(table("1\thello\n0\tworld\n", text_a="1", label="0")) == [
        ("hello", None, ("1",)),
        ("world", None, ("0",)),
    ]
    with pytest.raises(InputError, match="all names or all numbers"):
        read(table("1\thello\n", text_a="1", label="label"))


def test_every_form_gives_the_same_examples(table):
    expected = [("a b", "c", ("1",)), ("d", "", ("2",))]
    assert read(table("text_a\ttext_b\tlabel\na b\tc\t1\nd\t\t2\n")) == expected
    assert read(table("text_a,text_b,label\na b,c,1\nd,,2\n", "csv")) == expected
    objects = [{"text_a": "a b", "text_b": "c", "label": 1}, {"text_a": "d", "text_b": "", "label": 2.0}]
    assert read(table("\n".join(map(json.dumps, objects)), "jsonl")) == expected


@pytest.mark.parametrize(
    "value, multi, labels",
    [
        ("a", False, ("a",)),
        ("a,b", False, ("a,b",)),
        ("", False, None),
        (None, False, None),
        (True, False, ("true",)),
        (1.0, False, ("1",)),
        (0.25, False, ("0.25",)),
        (["a"], False, ("a",)),
        ("a, b,", True, ("a", "b")),
        ("", True, ()),
        ([], True, ()),
        (["a", 1], True, ("a", "1")),
    ],
)
def test_labels_are_texts(table, value, multi, labels):
    content = json.dumps({"text": "x", "label": value})
    assert read(table(content, "jsonl", multi)) == [("x", None, labels)]


def test_gold_labels_that_were_not_agreed_on_are_left_out_and_other_dashes_are_labels(table, tmp_path, capsys):
    content = "sentence1\tsentence2\tgold_label\na\tb\t-\nc\td\tneutral\n"
    assert read(table(content)) == [("c", "d", ("neutral",))]
    assert "data.tsv: 1 examples have '-' for a label and are left out" in capsys.readouterr().err
    assert len(read(table(content), labelled=False)) == 2  # Everything is predicted for.
    assert read(table("text\tlabel\na\t-\nb\t+\n")) == [("a", None, ("-",)), ("b", None, ("+",))]


def test_nested_fields_are_named_with_slashes(table):
    content = json.dumps({"text": "x", "labels": {"binary": 1, "real": 3.7}})
    assert read(table(content, "jsonl", label="labels/real")) == [("x", None, ("3.7",))]


@pytest.mark.parametrize(
    "content, form, message",
    [
        ("text\tlabel\nx\t1\nx\n", "tsv", "data.tsv:3: 1 columns, the header has 2"),
        ("text\tlabel\nx\ty\t1\n", "tsv", "data.tsv:2: 3 columns, the header has 2"),
        ("text\nx\n", "tsv", "data.tsv: no column of labels among 'text': --label_column says which"),
        ("text,label\n", "csv", None),
        (
            "text;label\nx;1\n",
            "csv",
            "among 'text;label': --text_a_column says which it is; are the columns separated by",
        ),
        ("text;label\nx, y;1\n", "csv", "data.csv:2: 2 columns, the header has 1; are the columns separated by ';'?"),
        ("text\tlabel\nx\t1\n", "csv", r"separated by '\t'? csv has commas between them, tsv has tabs"),
        ("text,text,label\nx,y,1\n", "csv", "data.csv: has 2 columns 'text', one was expected"),
        ("", "tsv", "data.tsv: is empty"),
        ('{"text": 1, "label": 2}', "jsonl", "data.jsonl:1: 'text' is 1, a text was expected"),
        ('{"text": "x", "label": 2}\n{"label": 2}', "jsonl", "data.jsonl:2: has no column 'text'; there are: 'label'"),
        ('{"text": "x", "label": [[2]]}', "jsonl", "data.jsonl:1: the label is an array"),
    ],
)
def test_what_can_not_be_used_is_named_with_file_and_line(table, content, form, message):
    if message is None:
        assert read(table(content, form)) == []
        return
    with pytest.raises(InputError) as error:
        read(table(content, form))
    assert message in str(error.value)


@pytest.mark.parametrize(
    "content, form, written",
    [
        ("id\ttext\n7\ta\n8\tb\n", "tsv", "id\ttext\tprediction\tp\n7\ta\tx\t0.5\n8\tb\ty\t1.0\n"),
        ('id,text\n7,"a,\na"\n8,b\n', "csv", 'id,text,prediction,p\n7,"a,\na",x,0.5\n8,b,y,1.0\n'),
        (
            '{"text": "a", "n": {"m": 1}}\n{"text": "b"}\n',
            "jsonl",
            '{"text": "a", "n": {"m": 1}, "prediction": "x", "p": 0.5}\n{"text": "b", "prediction": "y", "p": 1.0}\n',
        ),
    ],
)
def test_predictions_stand_beside_the_columns_of_the_file(table, tmp_path, content, form, written):
    predicted = [{"prediction": "x", "p": 0.5}, {"prediction": "y", "p": 1.0}]
    path = table(content, form).write_predictions(str(tmp_path), "predictions", predicted)
    assert path == str(tmp_path / f"predictions.{form}")
    assert (tmp_path / f"predictions.{form}").read_text("utf-8") == written


def test_a_table_without_header_gets_none(table, tmp_path):
    given = table("a\nb\n", text_a="0")
    given.write_predictions(str(tmp_path), "predictions", [{"prediction": "x"}, {"prediction": "y"}])
    assert (tmp_path / "predictions.tsv").read_text("utf-8") == "a\tx\nb\ty\n"


def test_a_file_without_examples_is_refused(table):
    given = table("text\tlabel\n")
    with pytest.raises(InputError, match="data.tsv: holds no example"):
        own_data({"train": given, "test": given}, "single", None).read("train")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(["tsv", "csv", "jsonl"]),
    header=st.sampled_from(["text\tlabel\n", "text,label\n", '{"text": "x", "label": 1}\n', ""]),
    content=st.text(st.characters(codec="utf-8"), max_size=60),
    multi=st.booleans(),
)
def test_any_table_gives_examples_or_a_clear_error(table, form, header, content, multi):
    try:
        examples = read(table(header + content, form, multi))
    except InputError as error:
        assert f"data.{form}" in str(error)
    else:
        assert all(isinstance(text_a, str) for text_a, _, _ in examples)
