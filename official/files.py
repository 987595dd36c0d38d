"""Files by path, local or remote, and output that is either whole or not there."""

import contextlib
import errno
import glob as local_glob
import os
import shutil
from collections.abc import Iterator
from typing import IO

from official.errors import InputError


def is_remote(path: str) -> bool:
    """Whether `path` belongs to one of TensorFlow's file systems (`gs://…`, `s3://…`) rather than to this machine."""
    return "://" in path


def _gfile():
    import tensorflow as tf  # Seconds to import, and needed for remote paths only.

    return tf.io.gfile


def open_file(path: str, mode: str = "r") -> IO:
    """Opens a local or remote file; text is UTF-8 and undecodable bytes are dropped, as the original's reader does.

    Raises:
        InputError: there is no such file, it is a directory, or it may not be read or written.
    """
    try:
        return _open(path, mode)
    except OSError as error:
        raise InputError(f"{path}: {describe_os_error(error)}") from error


def _open(path, mode):
    if is_remote(path):
        if mode.startswith("r") and not _gfile().exists(path):  # GFile would say so when it is first read.
            raise FileNotFoundError(errno.ENOENT, "no such file", path)
        return _gfile().GFile(path, mode)
    if "b" in mode:
        return open(path, mode)
    return open(path, mode, encoding="utf-8", errors="ignore" if mode == "r" else "strict", newline="\n")


def describe_os_error(error: OSError) -> str:
    """What went wrong with a file, in a few words a user understands."""
    known = {
        errno.ENOENT: "no such file",
        errno.EISDIR: "is a directory, a file was expected",
        errno.ENOTDIR: "a part of this path is a file, a directory was expected",
        errno.EACCES: "permission denied",
        errno.EROFS: "read-only file system",
        errno.ENOSPC: "no space left on the disk",
    }
    return known.get(error.errno, error.strerror or str(error))


def expand_patterns(patterns: str, flag: str) -> list[str]:
    """Turns a comma-separated list of files and globs into the files that exist, in the order given.

    Raises:
        InputError: a pattern matches no file. `flag` is the name under which the user gave it.
    """
    paths = []
    for pattern in patterns.split(","):
        pattern = pattern.strip()
        if not pattern:
            continue
        found = sorted(_gfile().glob(pattern) if is_remote(pattern) else local_glob.glob(pattern))
        if not found and not is_remote(pattern) and os.path.exists(pattern):
            found = [pattern]  # A name with brackets in it is no glob.
        if not found:
            raise InputError(f"--{flag}: no file matches {pattern!r}")
        paths.extend(found)
    if not paths:
        raise InputError(f"--{flag}: names no file")
    return paths


def exists(path: str) -> bool:
    return _gfile().exists(path) if is_remote(path) else os.path.exists(path)


def size(path: str) -> int:
    """Length of a file in bytes."""
    return _gfile().stat(path).length if is_remote(path) else os.path.getsize(path)


def make_directory(path: str) -> None:
    """Makes a directory and its parents.

    Raises:
        InputError: it can't be made, or there is a file of that name.
    """
    if is_remote(path):
        _gfile().makedirs(path)
        return
    try:
        os.makedirs(path, exist_ok=True)
    except FileExistsError as error:
        raise InputError(f"{path}: is a file, a directory was expected") from error
    except OSError as error:
        raise InputError(f"{path}: {describe_os_error(error)}") from error


def copy_directory(source: str, target: str) -> None:
    """Copies what is in a directory, local or remote, to a new local one; nothing where there is no such directory."""
    os.makedirs(target)
    if not is_remote(source):
        if os.path.isdir(source):
            shutil.copytree(source, target, dirs_exist_ok=True)
        return
    for directory, _, names in _gfile().walk(source):
        inside = os.path.join(target, os.path.relpath(directory, source))
        os.makedirs(inside, exist_ok=True)
        for name in names:
            _gfile().copy(os.path.join(directory, name), os.path.join(inside, name))


def check_directory(path: str) -> None:
    """Finds out whether a directory could be made and written, and makes nothing.

    Of a remote one nothing is known until something is written.

    Raises:
        InputError: a part of the path is a file, or may not be written.
    """
    if is_remote(path):
        return
    there = os.path.abspath(path)
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    if not os.path.isdir(there):
        raise InputError(
            f"{path}: {there if there != os.path.abspath(path) else 'is'} a file, a directory was expected"
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{path}: permission denied")


def replace(source: str, target: str) -> None:
    """Renames `source` to `target`, over an older file of that name."""
    if is_remote(target):
        _gfile().rename(source, target, overwrite=True)
    else:
        os.replace(source, target)


def temporary_name(path: str) -> str:
    """The name under which `path` is written until it is whole: beside it, so that it can be renamed."""
    directory, name = os.path.split(path)
    return os.path.join(directory, f".{name}.incomplete-{os.getpid()}")


def remove_if_there(path: str) -> None:
    with contextlib.suppress(Exception):
        _gfile().remove(path) if is_remote(path) else os.remove(path)


@contextlib.contextmanager
def write_whole(path: str, mode: str = "w") -> Iterator[IO]:
    """Writes a file under a temporary name and renames it when the block ends well; otherwise `path` is untouched.

    Raises:
        InputError: the file can't be written (no such directory, disk full, …).
    """
    temporary = temporary_name(path)
    try:
        with _open(temporary, mode) as file:
            yield file
        replace(temporary, path)
    except OSError as error:
        missing = error.errno == errno.ENOENT and not is_remote(path)
        reason = "the directory it belongs in does not exist" if missing else describe_os_error(error)
        raise InputError(f"{path}: can't be written: {reason}") from error
    finally:
        remove_if_there(temporary)
