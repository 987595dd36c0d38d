"""Paths as users give them, and output that is whole or not there."""

import errno
import os

import pytest

from official import files
from official.errors import InputError


def test_a_file_is_there_only_when_its_block_ended_well(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), files.write_whole(str(path)) as file:
        file.write("new")
        raise RuntimeError
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["out.txt"]
    with files.write_whole(str(path)) as file:
        file.write("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["out.txt"]


def test_a_full_disk_is_named_and_nothing_is_lost(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(InputError, match=r"out\.txt: can't be written: no space left on the disk"):
        with files.write_whole(str(path)):
            raise OSError(errno.ENOSPC, "No space left on device")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["out.txt"]


@pytest.mark.parametrize(
    ("make", "mode", "message"),
    [
        (lambda path: None, "r", "no such file"),
        (lambda path: path.mkdir(), "r", "is a directory, a file was expected"),
        (lambda path: path.mkdir(), "wb", "is a directory, a file was expected"),
    ],
)
def test_a_file_that_cannot_be_opened_is_named(tmp_path, make, mode, message):
    path = tmp_path / "name"
    make(path)
    with pytest.raises(InputError, match=f"name: {message}"):
        files.open_file(str(path), mode)


def test_bytes_that_are_no_text_are_dropped(tmp_path):
    (tmp_path / "mixed.txt").write_bytes("café ".encode() + b"\xe9\xff" + " 한국어\n".encode())
    with files.open_file(str(tmp_path / "mixed.txt")) as file:
        assert file.read() == "café  한국어\n"


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("a.txt", ["a.txt"]),
        ("*.txt", ["a.txt", "b.txt", "c[1].txt"]),
        ("b.txt,a.txt", ["b.txt", "a.txt"]),
        ("c[1].txt", ["c[1].txt"]),
        (" a.txt , ,b*", ["a.txt", "b.txt"]),
    ],
)
def test_patterns_become_the_files_they_match_in_the_order_given(tmp_path, monkeypatch, patterns, expected):
    for name in ("a.txt", "b.txt", "c[1].txt"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert files.expand_patterns(patterns, "input_file") == expected


@pytest.mark.parametrize("patterns", ["none*", "a.txt,none", "", " , "])
def test_a_pattern_without_a_file_is_an_error_that_names_the_flag(tmp_path, monkeypatch, patterns):
    (tmp_path / "a.txt").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="--input_file"):
        files.expand_patterns(patterns, "input_file")


def test_remote_paths_are_recognised():
    assert files.is_remote("gs://bucket/file") and not files.is_remote("/data/file")


@pytest.mark.parametrize("path", ["new", "new/below/it", "there"])
def test_a_directory_that_could_be_made_is_found_to_be_so_and_not_made(tmp_path, path):
    (tmp_path / "there").mkdir()
    files.check_directory(str(tmp_path / path))
    assert os.listdir(tmp_path) == ["there"]


@pytest.mark.parametrize("path", ["file", "file/below", "file/below/it"])
def test_a_directory_in_place_of_a_file_is_refused(tmp_path, path):
    (tmp_path / "file").write_text("text")
    with pytest.raises(InputError, match="a file, a directory was expected"):
        files.check_directory(str(tmp_path / path))


def test_a_directory_that_may_not_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(tmp_path))
    with pytest.raises(InputError, match="new: permission denied"):
        files.check_directory(str(tmp_path / "new"))
