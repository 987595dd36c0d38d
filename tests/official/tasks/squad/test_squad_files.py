"""SQuAD's files: whatever is in one, it is read or refused in one line; they are written as json.dumps has it."""

import codecs
import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from squad_texts import answer, question, squad, write

from official.errors import InputError
from official.tasks.squad.squad_files import Answer, read_squad, write_json

GOOD = squad(
    {
        "one two": [question("a", answers=[answer("two", 4)], is_impossible=False), question(7)],
        "": [question("c", "", answers=[], is_impossible=True)],
    }
)
PARAGRAPH = "data[0].paragraphs[0]"
QUESTION = f"{PARAGRAPH}.qas[0]"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "paragraphs", "context", "qas", "id", "question", "answers", "text"]), inner
        )
    ),
    max_leaves=12,
)


def changed(path: list, value) -> dict:
    """GOOD with one field replaced, or left out for `...`."""
    values = copy.deepcopy(GOOD)
    inside = values
    for step in path[:-1]:
        inside = inside[step]
    if value is ...:
        del inside[path[-1]]
    else:
        inside[path[-1]] = value
    return values


def test_contexts_and_questions_are_read_in_order(tmp_path):
    file = read_squad(write(tmp_path / "f.json", GOOD))
    assert file.contexts == ["one two", ""]
    assert [(q.id, q.text, q.context) for q in file.questions] == [("a", "who?", 0), ("7", "who?", 0), ("c", "", 1)]
    assert [q.answers for q in file.questions] == [(Answer("two", 4),), None, ()]
    assert [q.is_impossible for q in file.questions] == [False, None, True]
    assert file.questions[0].place == QUESTION


def test_the_real_files_are_read(shared):
    half = read_squad(str(shared / "data" / "squad" / "dev-v2.0-cs224n.json"))
    assert (len(half.questions), sum(q.is_impossible for q in half.questions), len(half.contexts)) == (6078, 3168, 646)
    xquad = read_squad(str(shared / "data" / "squad" / "xquad.en.json"))
    assert (len(xquad.questions), len(xquad.contexts)) == (1190, 240)


Q = ["data", 0, "paragraphs", 0, "qas", 0]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["data"], ..., "data is missing"),
        (["data"], {}, "data is an object, a list was expected"),
        (["data"], [], "holds no question"),
        (["data", 0], 5, "data[0] is 5, an object with 'paragraphs' was expected"),
        (["data", 0, "paragraphs"], None, "data[0].paragraphs is null, a list was expected"),
        (Q[:4], "text", f"{PARAGRAPH} is \"text\", an object with 'context' was expected"),
        ([*Q[:4], "context"], ..., f"{PARAGRAPH}.context is missing"),
        ([*Q[:4], "qas"], ..., f"{PARAGRAPH}.qas is missing"),
        (Q, [], f"{QUESTION} is a list, an object with 'id' was expected"),
        ([*Q, "id"], ..., f"{QUESTION}.id is missing"),
        ([*Q, "id"], True, f"{QUESTION}.id is true, a string was expected"),
        ([*Q, "question"], ["who?"], f"{QUESTION}.question is a list, a string was expected"),
        ([*Q, "answers"], "two", f'{QUESTION}.answers is "two", a list was expected'),
        ([*Q, "answers", 0, "text"], ..., f"{QUESTION}.answers[0].text is missing"),
        ([*Q, "answers", 0, "answer_start"], 4.0, f"{QUESTION}.answers[0].answer_start is 4.0, a whole number was"),
        ([*Q, "is_impossible"], "no", f'{QUESTION}.is_impossible is "no", true or false was expected'),
    ],
)
def test_a_json_that_is_not_squads_is_refused_with_the_field(tmp_path, path, value, message):
    with pytest.raises(InputError) as raised:
        read_squad(write(tmp_path / "f.json", changed(path, value)))
    assert message in str(raised.value) and "f.json: " in str(raised.value) and "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"id\tquestion\n", "not JSON"),
        (b'{"data": [', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"1" * 10_000, "not JSON"),
        (b"[]", "the whole is a list, an object with 'data' was expected"),
        (b"\x00\x01\x02", "not JSON"),
        ('{"data": []}'.encode("utf-16"), "is UTF-16 or UTF-32, UTF-8 was expected"),
        ('{"data": []}'.encode("utf-32"), "is UTF-16 or UTF-32, UTF-8 was expected"),
        (codecs.BOM_UTF16_BE + '{"data": []}'.encode("utf-16-be"), "is UTF-16 or UTF-32, UTF-8 was expected"),
    ],
)
def test_what_is_no_json_object_is_refused(tmp_path, content, message):
    (tmp_path / "f.json").write_bytes(content)
    with pytest.raises(InputError, match="f.json: ") as raised:
        read_squad(str(tmp_path / "f.json"))
    assert message in str(raised.value)


@pytest.mark.parametrize("name", ["none.json", "."])
def test_a_path_that_holds_no_file_is_named(tmp_path, name):
    with pytest.raises(InputError, match="no such file|is a directory"):
        read_squad(str(tmp_path / name))


def test_bytes_that_are_not_utf_8_are_left_out_and_counted_once(tmp_path, capsys):
    good = "\ufeff" + json.dumps(squad({"café": [question("a")]}), ensure_ascii=False)
    (tmp_path / "f.json").write_bytes(good.encode().replace(b"caf", b"ca\xff\xfef"))
    assert read_squad(str(tmp_path / "f.json")).contexts == ["café"]
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and told.endswith("left out: 2\n")


def test_ids_that_come_twice_are_named(tmp_path, capsys):
    read_squad(write(tmp_path / "f.json", squad({"c": [question("a"), question("b"), question("a"), question(7)] * 2})))
    assert "the last counts: 3 (a, b, 7)" in capsys.readouterr().err


@settings(max_examples=150, deadline=None)
@given(values=JSON)
def test_any_json_gives_questions_or_one_line(tmp_path_factory, values):
    path = write(tmp_path_factory.mktemp("any") / "f.json", {"data": values})
    try:
        assert read_squad(path).questions
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 400


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_good_file_with_one_strange_field_gives_questions_or_one_line(tmp_path_factory, data):
    places = [["data"], ["data", 0], Q[:4], [*Q[:4], "context"], Q, *([*Q, field] for field in GOOD_FIELDS)]
    values = changed(data.draw(st.sampled_from(places)), data.draw(JSON))
    path = write(tmp_path_factory.mktemp("any") / "f.json", values)
    try:
        assert read_squad(path).questions
    except InputError as error:
        assert "\n" not in str(error) and len(str(error)) < 400


GOOD_FIELDS = ("id", "question", "answers", "is_impossible")


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"a": "x\ny"},
        {"a": 0.1, 'b"\n': [{"text": "é\u2028", "probability": 1e-7}, {}], "c": []},
        {"\ud800": "\udfff"},
    ],
)
def test_objects_are_written_byte_for_byte_as_json_dumps_does(tmp_path, values):
    write_json(str(tmp_path / "out.json"), values.items())
    assert (tmp_path / "out.json").read_text() == json.dumps(values, indent=4) + "\n"


def test_a_file_that_can_not_be_finished_leaves_the_old_one(tmp_path):
    def members():
        yield "a", 1
        raise KeyboardInterrupt

    (tmp_path / "out.json").write_text("old")
    with pytest.raises(KeyboardInterrupt):
        write_json(str(tmp_path / "out.json"), members())
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"] and (tmp_path / "out.json").read_text() == "old"
