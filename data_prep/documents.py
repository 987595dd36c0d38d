"""Where text comes from: every source becomes lines, one sentence each, with an empty line between documents."""

import dataclasses
import functools
import json
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from data_prep.sentences import split_sentences
from official import files
from official.errors import InputError


class Source(NamedTuple):
    """Text to be read once."""

    lines: Iterator[str]
    name: str  # for messages
    total_bytes: int | None  # how much text there is, where that is known


class Stretch(NamedTuple):
    """The lines of a file that begin at the bytes from `start` up to `end`; None: to the end of the file."""

    path: str
    start: int = 0
    end: int | None = None


def stretch_lines(stretch: Stretch) -> Iterator[str]:
    """Lines of a stretch, as they are. Every line of a file is in one of the stretches that make it up."""
    with files.open_file(stretch.path, "rb") as file:
        place = stretch.start
        if place:
            file.seek(place - 1)
            place += len(file.readline()) - 1  # The rest of a line that began before.
        while stretch.end is None or place < stretch.end:
            line = file.readline()
            if not line:
                return
            place += len(line)
            yield line.decode("utf-8", "ignore")  # As the original's reader.


def text_lines(stretches: Iterable[Stretch], splitting: bool = False) -> Iterator[str]:
    """Lines of text files, stripped.

    A document goes on over the end of a file (create_pretraining_data.py:190-206): only an empty line ends it.

    Args:
        splitting: a line is running text, and becomes several sentences.
    """
    for stretch in stretches:
        for line in stretch_lines(stretch):
            line = line.strip()
            if splitting and line:
                yield from _sentences(line, splitting)
            else:
                yield line


def jsonl_documents(stretches: Iterable[Stretch], field: str) -> Iterator[str]:
    """One string field of each object of JSON Lines files; empty lines are passed over.

    Raises:
        InputError: a line is no JSON object, or the field is missing or no string. It names file and line.
    """
    for stretch in stretches:
        for number, line in enumerate(stretch_lines(stretch), start=1):
            if line.strip():
                try:
                    value = _json_field(line, field)
                except InputError as error:
                    number += _lines_before(stretch)
                    raise InputError(f"{stretch.path}:{number}: {error}") from error
                yield value


def _lines_before(stretch: Stretch) -> int:
    """How many lines of the file are before those of a stretch."""
    return sum(1 for _ in stretch_lines(Stretch(stretch.path, 0, stretch.start)))


def _json_field(line: str, field: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not a JSON object: {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"found a JSON {type(value).__name__}, expected an object")
    if field not in value:
        raise InputError(f"no field {field!r} (there are: {', '.join(map(repr, value)) or 'none'})")
    if not isinstance(value[field], str):
        raise InputError(f"field {field!r} is {type(value[field]).__name__}, expected a string")
    return value[field]


def tfds_documents(name: str, feature: str, data_dir: str | None = None) -> Iterator[str]:
    """One text feature of each example of a tensorflow-datasets data set, in the order of its files.

    Args:
        name: `NAME`, `NAME/CONFIG` or either with `:SPLIT` after it; the split is `train` if none is given.
        feature: the name of a text feature, with `/` between the levels of nested ones.
        data_dir: where data sets are prepared, or None for the library's own place.

    Raises:
        InputError: no such data set, split or text feature, or it can't be downloaded.
    """
    import tensorflow_datasets as tfds  # Brings TensorFlow, which only this source needs.

    builder_name, _, split = name.partition(":")
    # One file after another: the order of documents must not depend on how many are read at a time.
    read_config = tfds.ReadConfig(interleave_cycle_length=1)
    try:
        dataset = tfds.load(builder_name, split=split or "train", data_dir=data_dir, read_config=read_config)
    except Exception as error:
        # The library raises what its parts raise, from registries to downloads, with no class of its own in common.
        raise InputError(f"--tfds_name={name}: {' '.join(str(error).split())[:300]}") from error
    for example in tfds.as_numpy(dataset):
        yield _text_feature(example, feature, name)


def _text_feature(example: dict, feature: str, name: str) -> str:
    try:
        value = functools.reduce(lambda level, key: level[key], feature.split("/"), example)
    except (KeyError, TypeError, IndexError) as error:
        raise InputError(
            f"--tfds_text_feature: {name} has no feature {feature!r} (there are: {', '.join(example)})"
        ) from error
    if not isinstance(value, bytes):
        raise InputError(f"--tfds_text_feature: feature {feature!r} of {name} is not a text")
    return value.decode("utf-8", "ignore")


def as_lines(documents: Iterable[str], splitting: bool) -> Iterator[str]:
    """Lines of documents of running text, an empty one after each document.

    Args:
        splitting: a line of a document is several sentences; otherwise it is one.
    """
    for document in documents:
        yield from _sentences(document, splitting)
        yield ""


def _sentences(text: str, splitting: bool) -> Iterator[str]:
    for line in text.splitlines():
        if splitting:
            yield from split_sentences(line)
        elif line.strip():
            yield line.strip()


@dataclasses.dataclass(frozen=True)
class TextSource:
    """Which text is meant: the flags of these names.

    Args:
        splitting: `--split_sentences`; None: not in text files, which hold a sentence a line, and in all others.
    """

    input_file: str | None = None
    input_format: str = "text"
    jsonl_field: str = "text"
    tfds_name: str | None = None
    tfds_text_feature: str = "text"
    tfds_data_dir: str | None = None
    splitting: bool | None = None

    def files(self) -> list[str] | None:
        """The files that are read, or None for what is no files.

        Raises:
            InputError: no source or several are given, or there is no such file.
        """
        if self.tfds_name and self.input_file:
            raise InputError("--input_file and --tfds_name: only one of them can be given")
        if self.tfds_name or self.input_format == "python_documentation":
            return None
        if not self.input_file:
            raise InputError("--input_file: no file is given (nor --tfds_name)")
        paths = files.expand_patterns(self.input_file, "input_file")
        for path in paths:
            files.open_file(path).close()  # All of them are looked at before the first is read.
        return paths

    def name(self, paths: list[str] | None) -> str:
        """What messages call the text of these files."""
        if paths is None:
            return self.tfds_name or "documentation of the installed Python packages"
        return ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")

    def lines(self, stretches: Iterable[Stretch]) -> Iterator[str]:
        """Lines of these stretches of the files."""
        if self.input_format == "jsonl":
            return as_lines(jsonl_documents(stretches, self.jsonl_field), self.splitting is not False)
        return text_lines(stretches, bool(self.splitting))

    def lines_of_no_file(self) -> Iterator[str]:
        """Lines of a source without files."""
        if self.tfds_name:
            documents = tfds_documents(self.tfds_name, self.tfds_text_feature, self.tfds_data_dir)
            return as_lines(documents, self.splitting is not False)
        from data_prep.python_documentation import python_documentation

        return (line for document in python_documentation() for line in [*document, ""])


def open_source(text: TextSource) -> Source:
    """The text, to be read from its beginning.

    Raises:
        InputError: no source or several are given, or there is no such file.
    """
    paths = text.files()
    if paths is None:
        return Source(text.lines_of_no_file(), text.name(paths), None)
    total_bytes = sum(map(files.size, paths)) if text.input_format == "text" else None
    return Source(text.lines(map(Stretch, paths)), text.name(paths), total_bytes)
