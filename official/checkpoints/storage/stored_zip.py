"""Where the entries of a zip archive lie that stores them as they are, compressing nothing.

https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.7 to 4.3.16 and 4.5.3. Not the standard
library's reader, because that believes what an archive says of its directory's size, and reads it all.
"""

import dataclasses
import struct
from collections.abc import Iterator
from typing import IO

from official.errors import InputError

MAX_DIRECTORY_BYTES = 2 << 20  # As much as 20,000 entries take.
_LOCAL, _CENTRAL, _END = struct.Struct("<4s5H3L2H"), struct.Struct("<4s6H3L5H2L"), struct.Struct("<4s4H2LH")
_LOCATOR_64, _END_64 = struct.Struct("<4sLQL"), struct.Struct("<4sQ2H2L4Q")
_IN_64 = 0xFFFFFFFF  # Says that the true number is in the extra field of zip64.
_ENCRYPTED = 1


@dataclasses.dataclass(frozen=True, slots=True)
class Extent:
    """A run of bytes in a file, and their CRC-32 if it is known."""

    start: int
    length: int
    crc: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Entry:
    """What the directory says of one entry."""

    name: str
    header: int
    length: int
    crc: int
    is_stored: bool


def names(file: IO[bytes]) -> list[str]:
    """The names of the entries, of whatever kind they are.

    Raises:
        InputError: as `entries`.
    """
    return [entry.name for entry in _directory(file, _place_of_directory(file))]


def entries(file: IO[bytes]) -> dict[str, Extent]:
    """The entries of an archive by name.

    `torch.serialization.set_crc32_options(False)` writes 0 for every checksum (torch/serialization.py:183): only where
    all are 0 are they taken to be absent.

    Raises:
        InputError: not a whole archive, or one whose entries are compressed, encrypted, overlapping, of the same name,
            or named so that they would leave the directory they are unpacked in. The message has no file's name.
    """
    place = _place_of_directory(file)
    found = list(_directory(file, place))
    checked = any(entry.crc for entry in found)
    extents: dict[str, Extent] = {}
    end_of_last = 0
    for entry in sorted(found, key=lambda entry: entry.header):
        if entry.name in extents:
            raise InputError(f"its entry {entry.name} is there twice")
        if not entry.is_stored:
            raise InputError(f"its entry {entry.name} is compressed or encrypted: PyTorch only stores")
        if entry.header < end_of_last:
            raise InputError(f"its entry {entry.name} overlaps the one before")
        start = _start_of_data(file, entry)
        extents[entry.name] = Extent(start, entry.length, entry.crc if checked else None)
        end_of_last = start + entry.length
    if end_of_last > place[0]:
        raise InputError("its last entry does not end before its directory")
    return extents


def read_at(file: IO[bytes], position: int, count: int) -> bytes:
    """Exactly so many bytes from there.

    Raises:
        InputError: the file ends before.
    """
    file.seek(position)
    data = file.read(count)
    if len(data) != count:
        raise InputError(f"ends before byte {position + count}: is it cut short?")
    return data


def length_of(file: IO[bytes]) -> int:
    file.seek(0, 2)
    return file.tell()


def _place_of_directory(file: IO[bytes]) -> tuple[int, int, int]:
    """Start and length of the directory, and how many entries it has; its end records are the last of the file."""
    end = max(length_of(file) - _END.size, 0)
    signature, _, _, _, count, size, start, comment = _END.unpack(read_at(file, end, _END.size))
    if signature != b"PK\x05\x06" or comment:
        raise InputError("a zip archive without an end: is it cut short?")
    before = end - _LOCATOR_64.size
    if before >= 0:
        signature, _, position, _ = _LOCATOR_64.unpack(read_at(file, before, _LOCATOR_64.size))
        if signature == b"PK\x06\x07":
            signature, _, _, _, _, _, _, count, size, start = _END_64.unpack(_within(file, position, _END_64.size, end))
            if signature != b"PK\x06\x06":
                raise InputError("a zip archive whose end record is damaged")
            end = position
    if start + size > end or size > MAX_DIRECTORY_BYTES:
        raise InputError(f"a zip archive whose directory would be {size} bytes from byte {start}: it is damaged")
    return start, size, count


def _within(file, position, count, end):
    if position + count > end:
        raise InputError("a zip archive that points outside itself")
    return read_at(file, position, count)


def _directory(file: IO[bytes], place: tuple[int, int, int]) -> Iterator[_Entry]:
    start, size, count = place
    data = read_at(file, start, size)
    position = 0
    for _ in range(count):
        if position + _CENTRAL.size > size:
            raise InputError(f"a zip archive whose directory has fewer entries than {count}")
        entry, position = _parse_entry(data, position)
        yield entry
    if position != size:
        raise InputError(f"a zip archive whose directory has more entries than {count}")


def _parse_entry(data: bytes, position: int) -> tuple[_Entry, int]:
    """The entry described there, and where the next one's description begins."""
    fields = _CENTRAL.unpack_from(data, position)
    signature, _, _, flags, method, _, _, crc, packed, length = fields[:10]
    name_bytes, extra_bytes, comment_bytes, _, _, _, header = fields[10:]
    start = position + _CENTRAL.size
    end = start + name_bytes + extra_bytes + comment_bytes
    if signature != b"PK\x01\x02" or end > len(data):
        raise InputError("a zip archive whose directory is damaged")
    name = _check_name(data[start : start + name_bytes])
    extra = data[start + name_bytes : end - comment_bytes]
    length, packed, header = _with_zip64(extra, [length, packed, header])
    is_stored = not method and packed == length and not flags & _ENCRYPTED
    return _Entry(name, header, length, crc, is_stored), end


def _check_name(raw: bytes) -> str:
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("a zip archive with an entry whose name is not UTF-8") from error
    if not name.isprintable() or "\\" in name or not {"", ".", ".."}.isdisjoint(name.split("/")):
        raise InputError(f"a zip archive with an entry named {name!r}: a plain relative name was expected")
    return name


def _with_zip64(extra: bytes, numbers: list[int]) -> list[int]:
    """The numbers, those that do not fit in 32 bits taken from the extra field."""
    position = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, position)
        if kind == 1:
            field = extra[position + 4 : position + 4 + size]
            wide = iter(struct.unpack_from(f"<{len(field) // 8}Q", field))
            return [next(wide, number) if number == _IN_64 else number for number in numbers]
        position += 4 + size
    return numbers


def _start_of_data(file: IO[bytes], entry: _Entry) -> int:
    """Where an entry's bytes begin: behind its own header, whose extra field PyTorch uses to align them."""
    fields = _LOCAL.unpack(read_at(file, entry.header, _LOCAL.size))
    signature, name_bytes, extra_bytes = fields[0], fields[-2], fields[-1]
    name = read_at(file, entry.header + _LOCAL.size, name_bytes)
    if signature != b"PK\x03\x04" or name != entry.name.encode():
        raise InputError(f"a zip archive whose directory has {entry.name} where there is something else")
    return entry.header + _LOCAL.size + name_bytes + extra_bytes
