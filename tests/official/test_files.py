"""Paths as users give them, and output that is whole or not there."""

import errno
import io
import itertools
import os

import pytest
import tensorflow as tf

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


@pytest.fixture
def ram(request):
    """A directory of its own on `ram://`."""
    directory = f"ram://{request.node.name.partition('[')[0]}-{next(DIRECTORIES)}"
    files.make_directory(directory)
    return directory


DIRECTORIES = itertools.count()


def write(path, content: bytes) -> None:
    with files.open_file(path, "wb") as file:
        file.write(content)


def test_a_remote_file_is_read_as_a_local_one(ram, tmp_path):
    content = "été\r\n한국어\n\n".encode() * 30_000 + b"\xe9\xff end"
    places = [f"{ram}/mixed.txt", str(tmp_path / "mixed.txt")]
    for path in places:
        write(path, content)
    texts, lines, heads = [], [], []
    for path in places:
        with files.open_file(path) as file:
            texts.append(file.read())
        with files.open_file(path) as file:
            lines.append(list(file))
        with files.open_file(path, "rb") as file:
            heads.append(
                (file.read(7), file.seek(-3, io.SEEK_END), file.read(), file.seek(len(content) + 9), file.read(1))
            )
            file.seek(500_001)
            heads[-1] += (file.read(300_000), file.tell())
    assert texts[0] == texts[1] and lines[0] == lines[1] and heads[0] == heads[1]
    assert files.size(places[0]) == len(content)


def test_a_remote_file_is_there_only_when_its_block_ended_well(ram):
    path = f"{ram}/out.txt"
    with files.write_whole(path) as file:
        file.write("old")
    with pytest.raises(RuntimeError), files.write_whole(path) as file:
        file.write("new")
        raise RuntimeError
    with files.open_file(path) as file:
        assert file.read() == "old"
    with files.write_whole(path) as file:
        file.write("new")
    with files.open_file(path) as file:
        assert file.read() == "new"
    assert files.list_directory(ram) == ["out.txt"]


def test_a_remote_file_in_which_nothing_is_written_is_there(ram):
    with files.write_whole(f"{ram}/empty"):
        pass
    assert files.exists(f"{ram}/empty") and files.size(f"{ram}/empty") == 0


@pytest.mark.parametrize("place", ["ram", "tmp_path"])
def test_text_is_added_to_the_end_of_a_file(request, place):
    path = f"{request.getfixturevalue(place)}/log"
    for line in ("é\n", "b\n", "c"):
        files.append(path, line)
    with files.open_file(path) as file:
        assert file.read() == "é\nb\nc"
    assert files.list_directory(os.path.dirname(path)) == ["log"]


def test_remote_patterns_become_the_files_they_match_in_the_order_given(ram):
    for name in ("a.txt", "b.txt", "c[1].txt"):
        write(f"{ram}/{name}", b"x")
    assert files.expand_patterns(f"{ram}/b.txt, {ram}/[ab]*", "f") == [f"{ram}/{n}.txt" for n in "bab"]
    assert files.expand_patterns(f"{ram}/c[1].txt", "f") == [f"{ram}/c[1].txt"]
    with pytest.raises(InputError, match="--f: no file matches"):
        files.expand_patterns(f"{ram}/none*", "f")


class Renames:
    """Notes what is renamed, and fails at a name if told to."""

    def __init__(self, monkeypatch, failing_at: str | None = None):
        self.names, self._failing_at, self._rename = [], failing_at, tf.io.gfile.rename
        monkeypatch.setattr(tf.io.gfile, "rename", self)

    def __call__(self, source, target, **options):
        if self._failing_at is not None and target.endswith(self._failing_at):
            raise tf.errors.UnavailableError(None, None, "the network\nis away")
        self.names.append(target)
        self._rename(source, target, **options)


@pytest.fixture
def made(ram):
    """A directory that is whole, on `ram://`."""
    for name in ("a.pb", "b", "variables/c"):
        files.make_directory(os.path.dirname(f"{ram}/made/{name}"))
        write(f"{ram}/made/{name}", name.encode())
    return f"{ram}/made"


def test_a_remote_directory_gets_its_name_file_by_file_the_telling_one_last(ram, made, monkeypatch):
    renames = Renames(monkeypatch)
    files.publish_directory(made, f"{ram}/1", last="a.pb")
    assert renames.names == [f"{ram}/1/{name}" for name in ("b", "variables/c", "a.pb")]
    with files.open_file(f"{ram}/1/variables/c") as file:
        assert file.read() == "variables/c"
    with pytest.raises(FileExistsError):
        files.publish_directory(made, f"{ram}/1", last="a.pb")


def test_a_remote_directory_that_can_not_be_published_is_not_left_behind(ram, made, monkeypatch):
    Renames(monkeypatch, failing_at="variables/c")
    with pytest.raises(OSError, match="the network is away"):
        files.publish_directory(made, f"{ram}/1", last="a.pb")
    assert not files.exists(f"{ram}/1")


def test_a_remote_directory_is_copied_to_this_machine(ram, made, tmp_path):
    files.copy_directory(made, str(tmp_path / "copy"))
    found = {str(path.relative_to(tmp_path)): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {f"copy/{name}": name for name in ("a.pb", "b", "variables/c")}
    files.copy_directory(f"{ram}/none", str(tmp_path / "empty"))
    assert not os.listdir(tmp_path / "empty")


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (files.open_file, "nothing: no such file"),
        (lambda path: files.open_file(os.path.dirname(path)), "is a directory, a file was expected"),
        (lambda path: write(path, b"x") or files.make_directory(path), "nothing: is a file, a directory was expected"),
        (lambda path: files.open_file("s3://bucket/x"), "s3://bucket/x: TensorFlow .* has no file system for s3://"),
        (lambda path: files.is_directory("hdfs://host/x"), r"hdfs:// \(it has file://, gs://, ram://\)"),
        (lambda path: files.write_whole("a+b://x").__enter__(), "no file system for a.b://"),
    ],
)
def test_what_is_wrong_with_a_remote_file_is_said(ram, use, message):
    with pytest.raises(InputError, match=message) as error:
        use(f"{ram}/nothing")
    assert "\n" not in str(error.value)


def test_remote_paths_are_recognised():
    assert files.is_remote("gs://bucket/file") and not files.is_remote("/data/file")


@pytest.mark.parametrize("path", ["new", "new/below/it", "there"])
def test_a_directory_that_could_be_made_is_found_to_be_so_and_not_made(tmp_path, path):
    (tmp_path / "there").mkdir()
    files.check_directory(str(tmp_path / path))
    assert os.listdir(tmp_path) == ["there"]


@pytest.mark.parametrize("path", ["new", "new/below/it", "there", "there/below"])
def test_writing_is_tried_without_a_trace(tmp_path, path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("text")
    files.try_to_write(str(tmp_path / path))
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "there", tmp_path / "there" / "file"]


@pytest.mark.parametrize("check", [files.check_directory, files.try_to_write])
@pytest.mark.parametrize("path", ["file", "file/below", "file/below/it"])
def test_a_directory_in_place_of_a_file_is_refused(tmp_path, path, check):
    (tmp_path / "file").write_text("text")
    with pytest.raises(InputError, match="a directory was expected|Not a directory"):
        check(str(tmp_path / path))


def test_a_directory_that_may_not_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(tmp_path))
    with pytest.raises(InputError, match="new: permission denied"):
        files.check_directory(str(tmp_path / "new"))
