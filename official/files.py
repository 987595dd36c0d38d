"""Files by path, local or remote, and output that is either whole or not there."""

import contextlib
import errno
import glob as local_glob
import io
import os
import shutil
from collections.abc import Iterator
from typing import IO

from official.errors import InputError
from official.remote_files import file_system, open_binary, require_scheme

COPIED_AT_ONCE = 1 << 20


def is_remote(path: str) -> bool:
    """Whether `path` belongs to one of TensorFlow's file systems (`gs://…`) rather than to this machine."""
    return "://" in path


def open_file(path: str, mode: str = "r") -> IO:
    """Opens a local or remote file; text is UTF-8 and undecodable bytes are dropped, as the original's reader does.

    Args:
        path: of the file.
        mode: `r`, `rb`, `w` or `wb`, and of local files `a+`; at the end of any file writes `append`.

    Raises:
        InputError: there is no such file, it is a directory, or it may not be read or written.
    """
    try:
        return _open(path, mode)
    except OSError as error:
        raise InputError(f"{path}: {describe_os_error(error)}") from error


def _open(path, mode):
    text = {"encoding": "utf-8", "errors": "ignore" if mode == "r" else "strict", "newline": "\n"}
    if is_remote(path):
        file = open_binary(path, mode[0])
        return file if "b" in mode else io.TextIOWrapper(file, **text)
    return open(path, mode) if "b" in mode else open(path, mode, **text)


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
        found = sorted(_matches(pattern))
        if not found and exists(pattern):
            found = [pattern]  # A name with brackets in it is no glob.
        if not found:
            raise InputError(f"--{flag}: no file matches {pattern!r}")
        paths.extend(found)
    if not paths:
        raise InputError(f"--{flag}: names no file")
    return paths


def _matches(pattern):
    if not is_remote(pattern):
        return local_glob.glob(pattern)
    with file_system(pattern) as gfile:
        return gfile.glob(pattern)


def exists(path: str) -> bool:
    if not is_remote(path):
        return os.path.exists(path)
    with file_system(path) as gfile:
        return gfile.exists(path)


def is_directory(path: str) -> bool:
    if not is_remote(path):
        return os.path.isdir(path)
    try:
        with file_system(path) as gfile:
            return gfile.stat(path).is_directory  # gfile.isdir says no where it should say that it can't be reached.
    except FileNotFoundError:
        return False


def is_same(path: str, other: str) -> bool:
    """Whether both name one file that is there; remote files are known by their names alone."""
    if is_remote(path) or is_remote(other):
        return path == other and exists(path)
    return os.path.exists(path) and os.path.exists(other) and os.path.samefile(path, other)


def size(path: str) -> int:
    """Length of a file in bytes."""
    if not is_remote(path):
        return os.path.getsize(path)
    with file_system(path) as gfile:
        return gfile.stat(path).length


def list_directory(path: str) -> list[str]:
    """The names in a directory, in no particular order.

    Raises:
        OSError: there is no such directory.
    """
    if not is_remote(path):
        return os.listdir(path)
    with file_system(path) as gfile:
        return [name.rstrip("/") for name in gfile.listdir(path)]  # Object stores mark directories so.


def make_directory(path: str) -> None:
    """Makes a directory and its parents.

    Raises:
        InputError: it can't be made, or there is a file of that name.
    """
    try:
        if is_remote(path):
            with file_system(path) as gfile:
                gfile.makedirs(path)
        else:
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
    with file_system(source) as gfile:
        for name in _files_in(source, gfile):
            inside = os.path.join(target, name)
            os.makedirs(os.path.dirname(inside), exist_ok=True)
            gfile.copy(os.path.join(source, name), inside)


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


def try_to_write(path: str) -> None:
    """Writes a file to a directory, and removes it again, as well as the directories that were not there before.

    Raises:
        InputError: a part of the path is a file, or may not be written.
    """
    made, there = [], os.path.abspath(path)
    while not is_remote(path) and not os.path.lexists(there):
        made.append(there)
        there = os.path.dirname(there)
    make_directory(path)
    probe = os.path.join(path, ".writable")
    with write_whole(probe):
        pass
    remove_if_there(probe)
    for directory in made:
        with contextlib.suppress(OSError):  # Another process writes there meanwhile.
            os.rmdir(directory)


def replace(source: str, target: str) -> None:
    """Renames the file `source` to `target`, over an older file of that name."""
    if not is_remote(target):
        os.replace(source, target)
        return
    with file_system(target) as gfile:
        gfile.rename(source, target, overwrite=True)


def publish_directory(source: str, target: str, last: str) -> None:
    """Gives a directory that is whole the name under which it is looked for, and under which there is none yet.

    On a local disk that is one rename. Object stores can't rename directories: there the files come one by one, and
    `last`, the one that makes it readable, at the end; what is left of `source` is the caller's to remove.

    Raises:
        OSError: ENOTEMPTY or EEXIST where there is something of that name; others where it can't be written.
    """
    if not is_remote(target):
        os.replace(source, target)
        return
    if exists(target):
        raise FileExistsError(errno.EEXIST, "is there already", target)
    try:
        with file_system(target) as gfile:
            for name in sorted(_files_in(source, gfile), key=lambda name: (name == last, name)):
                gfile.makedirs(os.path.dirname(os.path.join(target, name)))
                gfile.rename(os.path.join(source, name), os.path.join(target, name))
    except BaseException:
        remove_directory_if_there(target)
        raise


def _files_in(directory, gfile):
    """The files in a remote directory and in those below, by their names within it."""
    for folder, _, names in gfile.walk(directory):
        within = folder.removeprefix(directory).strip("/")
        yield from (os.path.join(within, name) for name in names)


def copy(source: str, target: str) -> None:
    """Copies a file, from this machine or to it.

    Raises:
        InputError: there is no such file, or the copy can't be written.
    """
    with open_file(source, "rb") as file, write_whole(target, "wb") as copied:
        shutil.copyfileobj(file, copied, COPIED_AT_ONCE)


def append(path: str, text: str) -> None:
    """Adds to the end of a text file, which is made if it is not there.

    Object stores can't do that: there the file is read, and written anew as a whole.

    Raises:
        InputError: the file can't be read or written.
    """
    if is_remote(path):
        before = ""
        if exists(path):
            with open_file(path) as file:
                before = file.read()
        with write_whole(path) as file:
            file.write(before + text)
        return
    try:
        with _open(path, "a") as file:
            file.write(text)
    except OSError as error:
        raise InputError(f"{path}: {describe_os_error(error)}") from error


def temporary_name(path: str) -> str:
    """The name under which `path` is written until it is whole: beside it, so that it can be renamed."""
    directory, separator, name = path.rpartition("/")  # os.path.split makes ram: of ram://name.
    return f"{directory}{separator}.{name}.incomplete-{os.getpid()}"


def remove_if_there(path: str) -> None:
    with contextlib.suppress(Exception):
        _remove(path)


def _remove(path):
    if not is_remote(path):
        os.remove(path)
        return
    with file_system(path) as gfile:
        gfile.remove(path)


def remove_directory_if_there(path: str) -> None:
    """Removes a directory and all that is in it, as far as that can be done."""
    with contextlib.suppress(Exception):
        if not is_remote(path):
            shutil.rmtree(path)
            return
        with file_system(path) as gfile:
            gfile.rmtree(path)


@contextlib.contextmanager
def write_whole(path: str, mode: str = "w") -> Iterator[IO]:
    """Writes a file under a temporary name and renames it when the block ends well; otherwise `path` is untouched.

    Raises:
        InputError: the file can't be written (no such directory, disk full, …).
    """
    if is_remote(path):
        require_scheme(path)
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
