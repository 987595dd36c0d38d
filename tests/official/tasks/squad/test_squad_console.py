"""Lines of standard input: what they ask, and what is not understood is said with the line's number."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from official.errors import InputError
from official.tasks.squad.squad_answers import NBest
from official.tasks.squad.squad_console import Asked, parse_line, parse_lines

FOUND = NBest(("fox", "", "the"), (2.0, 1.0, 0.0), (2.0, 1.0, 0.0), -2.0)


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("who?\tthe fox\n", Asked("who?", "the fox", False)),
        (" who? \t the\tfox \r\n", Asked("who?", " the\tfox ", False)),
        ("\tthe fox", Asked("", "the fox", False)),
        ('{"context": "the\\nfox", "question": "who?", "id": 7}\n', Asked("who?", "the\nfox", True)),
        ("\n", None),
    ],
)
def test_a_line_is_a_question_and_a_context(line, asked):
    assert parse_line(line) == asked


@pytest.mark.parametrize(
    ("line", "message"),
    [("who?", "'who?' has no tab"), ("{", "not JSON"), ('{"question": "who?"}', "context is not a string")],
)
def test_other_lines_are_refused(line, message):
    with pytest.raises(InputError, match="was expected") as raised:
        parse_line(line)
    assert message in str(raised.value)


def test_a_bad_line_is_told_and_the_rest_is_read(capsys):
    lines = [b"who?\n", b"who?\tthe caf\xff\xc3\xa9\n", b"\n"]
    assert list(parse_lines(lines)) == [None, Asked("who?", "the café", False), None]
    assert capsys.readouterr().err.startswith("error: line 1: 'who?' has no tab")


@settings(deadline=None)
@given(st.lists(st.binary(max_size=30) | st.text(max_size=30).map(lambda text: b"{" + text.encode())))
def test_any_line_is_a_question_or_none(lines):
    assert all(asked is None or isinstance(asked.context, str) for asked in parse_lines(lines))


@pytest.mark.parametrize(
    ("as_json", "threshold", "answer"),
    [(False, 0.0, "fox"), (False, -3.0, ""), (True, 0.0, "fox"), (True, -3.0, "")],
)
def test_lines_are_answered_in_their_own_form(as_json, threshold, answer):
    line = Asked("who?", "the fox", as_json).answer(FOUND, threshold)
    if not as_json:
        assert line == answer
    else:
        probability = FOUND.probabilities()[0 if answer else 1]
        assert json.loads(line) == {"answer": answer, "probability": probability, "null_odds": -2.0}


@pytest.mark.parametrize("as_json", [False, True])
def test_where_nothing_is_found_the_answer_is_empty(as_json):
    line = Asked("who?", "", as_json).answer(NBest((), (), ()), 0.0)
    assert (json.loads(line) if as_json else {"answer": line, "probability": 0.0}) == {"answer": "", "probability": 0.0}
