"""Tables and JSON lines as people have them: rows, or an error that names the file and the line."""

import csv
import io
import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from official.errors import InputError
from official.tasks.classification.classification_files import READERS, WRITERS, flat, read_csv, read_jsonl, read_tsv

ANY_FILE = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def write(tmp_path):
    def write_bytes(content: bytes) -> str:
        (tmp_path / "data").write_bytes(content)
        return str(tmp_path / "data")

    return write_bytes


def rows(reader, path):
    return [(row.line, row.fields) for row in reader(path)]


@pytest.mark.parametrize(
    "content, expected",
    [
        (b"a\tb\nc\td\n", [(1, ["a", "b"]), (2, ["c", "d"])]),
        (b"a\tb\nc\td", [(1, ["a", "b"]), (2, ["c", "d"])]),
        (b"a\tb\r\nc\td\r\n", [(1, ["a", "b"]), (2, ["c", "d"])]),
        (b"\xef\xbb\xbfa\tb\n", [(1, ["a", "b"])]),
        (b'"a\tb"\n', [(1, ['"a', 'b"'])]),
        (b'he said "no\tb\n', [(1, ['he said "no', "b"])]),
        (b"a\t\n\n\nc\td\n", [(1, ["a", ""]), (4, ["c", "d"])]),
        ("a\u2028b\x0bc\x85d\t\n".encode(), [(1, ["a\u2028b\x0bc\x85d", ""])]),
        (b"x" * (1 << 20) + b"\ty\n", [(1, ["x" * (1 << 20), "y"])]),
    ],
)
def test_a_tsv_line_is_cut_at_tabs_and_nothing_else(write, content, expected):
    assert rows(read_tsv, write(content)) == expected


@ANY_FILE
@given(table=st.lists(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n\t\0")), min_size=1)))
def test_tsv_rows_are_those_of_the_reader_of_the_original(write, table):
    content = "".join("\t".join(fields) + "\n" for fields in table)
    published = csv.reader(io.StringIO(content, newline="\n"), delimiter="\t", quotechar=None)
    expected = [fields for fields in published if fields]
    path = write(b"\n" + content.encode())  # Not at the start of the file, where U+FEFF is a mark and no text.
    assert [fields for _, fields in rows(read_tsv, path)] == expected


@ANY_FILE
@given(table=st.lists(st.lists(st.text(string.ascii_letters + "\",\n' é\t"), min_size=2, max_size=4), min_size=1))
def test_csv_is_read_as_it_was_written(write, table):
    content = io.StringIO()
    csv.writer(content, lineterminator="\n").writerows(table)
    assert [fields for _, fields in rows(read_csv, write(content.getvalue().encode()))] == table


@pytest.mark.parametrize(
    "content, expected",
    [
        (b'a,"b,c"\n', [(1, ["a", "b,c"])]),
        (b'"x\ny",z\nsecond,row\n', [(1, ["x\ny", "z"]), (3, ["second", "row"])]),
        (b'"x\r\ny",z\r\n', [(1, ["x\ny", "z"])]),
        (b'"say ""no""",1', [(1, ['say "no"', "1"])]),
        (b"\n\na,b\n", [(3, ["a", "b"])]),
        (b'"' + b"x" * 500_000 + b'",y\n', [(1, ["x" * 500_000, "y"])]),
    ],
)
def test_csv_fields_may_hold_commas_quotes_and_lines(write, content, expected):
    assert rows(read_csv, write(content)) == expected


@pytest.mark.parametrize(
    "content, line",
    [(b'a,b\nc,"d\ne,f\n', 2), (b'a,"b"c\n', 1), (b"a,b\rc,d\n", 1)],
    ids=["open quote", "text after a quote", "carriage return"],
)
def test_broken_csv_is_named_with_the_line_where_its_row_begins(write, content, line):
    path = write(content)
    with pytest.raises(InputError, match=f"{path}:{line}: the row that begins here is not CSV: ") as error:
        rows(read_csv, path)
    assert "newline mode" not in str(error.value)  # Which is for who programs, not for who has the file.


def test_json_objects_are_read_from_lines_or_from_one_array(write):
    objects = [{"text": "a\n", "label": 1}, {"text": "é", "label": None}]
    lines = write("\n".join(map(json.dumps, objects)).encode())
    assert rows(read_jsonl, lines) == list(enumerate(objects, start=1))
    assert rows(read_jsonl, write(json.dumps(objects, indent=2).encode())) == list(enumerate(objects, start=1))


@pytest.mark.parametrize(
    "content, message",
    [
        (b'{"a": 1}\nnothing\n', ":2: is not JSON"),
        (b'{"a": 1}\n\n[1]\n', ":3: found an array, expected was an object"),
        (b'{"a": 1}\n"text"\n', ':2: found "text", expected was an object'),
        (b'[{"a": 1}, 2]', ": object 2: found 2, expected was an object"),
        (b'[{"a": 1}', ": is not JSON"),
        (b'{"a":' * 100_000, ":1: is not JSON"),
        (b'{"a": ' + b"1" * 10_000 + b"}", ":1: is not JSON"),
    ],
    ids=range(7),
)
def test_what_is_no_json_object_is_named_with_its_line(write, content, message):
    with pytest.raises(InputError) as error:
        rows(read_jsonl, write(content))
    assert message in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize("form", READERS)
@ANY_FILE
@given(content=st.binary() | st.text().map(str.encode) | st.text('{}[]",:\t\n\r\0a1').map(str.encode))
def test_any_file_gives_rows_or_a_clear_error(write, form, content):
    try:
        rows(READERS[form], write(content))
    except InputError as error:
        assert "data" in str(error)


@pytest.mark.parametrize("form", READERS)
def test_a_missing_file_is_named(form, tmp_path):
    with pytest.raises(InputError, match="absent: no such file"):
        rows(READERS[form], str(tmp_path / "absent"))


@pytest.mark.parametrize(
    "form, fields, written",
    [
        ("tsv", ["a", 0.5, "b\tc"], "a\t0.5\tb c\n"),
        ("csv", ["a,b", 0.5, 'say "no"'], '"a,b",0.5,"say ""no"""\n'),
        ("jsonl", {"a": "é", "b": [1, 0.5]}, '{"a": "é", "b": [1, 0.5]}\n'),
        ("jsonl", {"a": "\ud800"}, '{"a": "?"}\n'),
    ],
)
def test_rows_are_written_in_their_form(form, fields, written):
    file = io.StringIO()
    WRITERS[form](file)(fields)
    assert file.getvalue() == written


def test_nested_fields_get_names_of_their_own():
    assert flat({"a": 1, "b": {"c": {"d": 2}, "e": [3]}, "f": {}}) == {"a": 1, "b/c/d": 2, "b/e": [3]}
