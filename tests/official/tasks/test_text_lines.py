"""Text files from anywhere become lines, or an error."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from official.errors import InputError
from official.tasks import text_lines
from official.tasks.text_lines import read_lines

CASES = {
    "lines": (b"a\nb\n", ["a", "b"]),
    "no line end at the end": (b"a\nb", ["a", "b"]),
    "CRLF": (b"a\r\n\r\nb\r\n", ["a", "", "b"]),
    "CR alone": (b"a\r\rb\r", ["a", "", "b"]),
    "byte order mark": (b"\xef\xbb\xbfa\n", ["a"]),
    "other line separators are characters": ("a\u2028b\x85c\x0bd\n".encode(), ["a\u2028b\x85c\x0bd"]),
    "gzip": (gzip.compress(b"a\nb\n"), ["a", "b"]),
}


@pytest.mark.parametrize("content, lines", CASES.values(), ids=CASES)
def test_lines_come_without_their_ends(content, lines, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    assert read_lines(str(path)) == lines


def test_bytes_that_are_no_utf8_keep_their_place_and_are_told_once(tmp_path, capsys):
    path = tmp_path / "latin1.txt"
    path.write_bytes("fine\ncafé au lait\nà\n".encode("latin-1"))
    assert read_lines(str(path)) == ["fine", "caf\ufffd au lait", "\ufffd"]
    assert capsys.readouterr().err == (
        f"note: {path}: not UTF-8 in 2 places, the first in line 2; the tokenizer drops them\n"
    )


BAD = {
    "empty": (b"", "is empty"),
    "UTF-16": ("a\nb\n".encode("utf-16"), "NUL bytes"),
    "cut gzip": (gzip.compress(b"words " * 100)[:-9], "broken gzip"),
    "gzip with wrong bytes": (gzip.compress(b"words " * 100)[:20] + b"\xff" * 40, "broken gzip"),
}


@pytest.mark.parametrize("content, message", BAD.values(), ids=BAD)
def test_what_is_no_text_is_refused(content, message, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_lines(str(path))


def test_a_small_gzip_that_unpacks_to_more_than_the_limit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text_lines, "LARGEST", 1 << 20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(b"a" * (3 << 20)))
    with pytest.raises(InputError, match="more than 1 MiB"):
        read_lines(str(path))


def test_a_directory_and_a_missing_file_are_named(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match=path.name):
            read_lines(str(path))


@given(st.binary(max_size=200))
def test_any_bytes_give_lines_or_a_clear_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(content)
    try:
        lines = read_lines(str(path))
    except InputError as error:
        assert str(path) in str(error) and "\n" not in str(error)
    else:
        assert not any("\n" in line for line in lines)
