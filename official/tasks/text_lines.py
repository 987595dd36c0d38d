"""Text files that come from anywhere: compressed or not, with bytes that are no text, of strange sizes."""

import gzip
import io
import sys
import zlib

from official import files
from official.errors import InputError

LARGEST = 1 << 29  # Bytes; far beyond any labelled corpus, and below what would fill the memory.
_GZIP, _BYTE_ORDER_MARK, _REPLACEMENT = b"\x1f\x8b", "\ufeff", "\ufffd"
_LOOKED_AT = 4_096


def read_lines(path: str) -> list[str]:
    """The lines of a UTF-8 file, plain or gzip, without their ends.

    Bytes that are no UTF-8 become U+FFFD, which the tokenizer drops; how many, and where the first, is said on stderr.

    Raises:
        InputError: there is no such file, it is empty, binary, too large, or its compression is broken.
    """
    content = _read_bytes(path)
    if not content:
        raise InputError(f"{path}: is empty")
    if b"\0" in content[:_LOOKED_AT]:
        raise InputError(f"{path}: holds NUL bytes: a text file in UTF-8 was expected")
    end = "\n" if b"\n" in content else "\r"  # As spreadsheets on old Macs end lines.
    lines = _decode(path, content).removeprefix(_BYTE_ORDER_MARK).split(end)
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _read_bytes(path: str) -> bytes:
    with files.open_file(path, "rb") as file:
        content = _read(file, path)
    if not content.startswith(_GZIP):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as unpacked:
            return _read(unpacked, path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: broken gzip: {error}") from error


def _read(file, path: str) -> bytes:
    try:
        content = file.read(LARGEST + 1)
    except IsADirectoryError as error:
        raise InputError(f"{path}: {files.describe_os_error(error)}") from error
    if len(content) > LARGEST:
        raise InputError(f"{path}: holds more than {LARGEST >> 20} MiB")
    return content


def _decode(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        first = content.count(b"\n", 0, error.start) + 1
    text = content.decode("utf-8", errors="replace")
    wrong = text.count(_REPLACEMENT) - content.count(_REPLACEMENT.encode())
    print(
        f"note: {path}: not UTF-8 in {wrong} places, the first in line {first}; the tokenizer drops them",
        file=sys.stderr,
    )
    return text
