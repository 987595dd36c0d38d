"""TensorFlow's file systems, such as `gs://…`, as Python's own: its files, and its errors as `OSError`s."""

import contextlib
import errno
import io
from collections.abc import Iterator

from official.errors import InputError

BUFFER_BYTES = 1 << 18  # Each is a call of TensorFlow's, which reads 512 KB at a time itself.
LONGEST_MESSAGE = 300


@contextlib.contextmanager
def file_system(path: str) -> Iterator:
    """`tf.io.gfile`, for a block that works on `path`.

    Raises:
        InputError: TensorFlow knows no file system of this scheme.
        OSError: what TensorFlow says, in one line.
    """
    import tensorflow as tf  # Seconds to import, and needed for remote paths only.

    try:
        yield tf.io.gfile
    except tf.errors.OpError as error:
        require_scheme(path)
        message = " ".join(error.message.split())[:LONGEST_MESSAGE]
        number = {tf.errors.NOT_FOUND: errno.ENOENT, tf.errors.ALREADY_EXISTS: errno.EEXIST}.get(error.error_code)
        raise OSError(number or errno.EIO, message, path) from error


def require_scheme(path: str) -> None:
    """Makes sure that there is a file system for `path`, whether it can be reached or not.

    Raises:
        InputError: there is none.
    """
    import tensorflow as tf

    scheme, there = path.partition("://")[0], tf.io.gfile.get_registered_schemes()
    if scheme not in there:
        # No package can be named: tensorflow-io, which had s3:// and hdfs://, loads into neither 2.20 nor 2.21.
        known = ", ".join(f"{name}://" for name in sorted(there) if name)
        raise InputError(
            f"{path}: TensorFlow {tf.__version__} has no file system for {scheme}:// (it has {known}): mount it as a "
            "local directory, or copy the files"
        )


def open_binary(path: str, mode: str) -> io.BufferedIOBase:
    """Opens a file; mode `r` or `w`.

    Raises:
        OSError: there is no such file, it is a directory, or it may not be read or written.
    """
    raw = _RemoteFile(path, mode)
    return io.BufferedReader(raw, BUFFER_BYTES) if mode == "r" else io.BufferedWriter(raw, BUFFER_BYTES)


class _RemoteFile(io.RawIOBase):
    """A file that is opened when it is made.

    GFile itself tells of what is missing at the first reading only, makes no file where nothing is written, and can't
    be moved beyond the end.
    """

    def __init__(self, path: str, mode: str):
        self._path, self._mode, self._position, self._length, self._file = path, mode, 0, 0, None
        with file_system(path) as gfile:
            if mode == "r":
                about = gfile.stat(path)
                if about.is_directory:
                    raise IsADirectoryError(errno.EISDIR, "is a directory", path)
                self._length = about.length
            self._file = gfile.GFile(path, f"{mode}b")
            if mode == "w":
                self._file.write(b"")

    def readable(self) -> bool:
        return self._mode == "r"

    def seekable(self) -> bool:
        return self._mode == "r"

    def writable(self) -> bool:
        return self._mode == "w"

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._length}[whence]
        self._position = start + offset
        return self._position

    def readinto(self, buffer) -> int:
        count = min(len(buffer), self._length - self._position)
        if count <= 0:
            return 0
        with file_system(self._path):
            self._file.seek(self._position)
            data = self._file.read(count)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def write(self, data) -> int:
        with file_system(self._path):
            self._file.write(bytes(data))
        return len(data)

    def close(self) -> None:
        if self.closed:
            return
        try:
            if self._file is not None:
                with file_system(self._path):  # Object stores take the file now.
                    self._file.close()
        finally:
            super().close()
