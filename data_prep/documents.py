"""Where text comes from: every source becomes lines, one sentence each, with an empty line between documents."""

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


def text_lines(paths: Iterable[str]) -> Iterator[str]:
    """Lines of text files, stripped.

    A document goes on over the end of a file (create_pretraining_data.py:190-206): only an empty line ends it.
    """
    for path in paths:
        with files.open_file(path) as file:
            for line in file:
                yield line.strip()


def text_documents(paths: Iterable[str]) -> Iterator[str]:
    """Text files of running text: each document as one string, its lines joined by line breaks."""
    document = []
    for line in text_lines(paths):
        if line:
            document.append(line)
        elif document:
            yield "\n".join(document)
            document = []
    if document:
        yield "\n".join(document)


def jsonl_documents(paths: Iterable[str], field: str) -> Iterator[str]:
    """One string field of each object of JSON Lines files; empty lines are passed over.

    Raises:
        InputError: a line is no JSON object, or the field is missing or no string. It names file and line.
    """
    for path in paths:
        with files.open_file(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield _json_field(line, field, f"{path}:{number}")


def _json_field(line: str, field: str, place: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: not a JSON object: {error}") from error
    if not isinstance(value, dict):
        raise InputError(f"{place}: found a JSON {type(value).__name__}, expected an object")
    if field not in value:
        raise InputError(f"{place}: no field {field!r} (there are: {', '.join(map(repr, value)) or 'none'})")
    if not isinstance(value[field], str):
        raise InputError(f"{place}: field {field!r} is {type(value[field]).__name__}, expected a string")
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
        for line in document.splitlines():
            if splitting:
                yield from split_sentences(line)
            elif line.strip():
                yield line.strip()
        yield ""


def open_source(
    input_file: str | None,
    input_format: str = "text",
    jsonl_field: str = "text",
    tfds_name: str | None = None,
    tfds_text_feature: str = "text",
    tfds_data_dir: str | None = None,
    splitting: bool | None = None,
) -> Source:
    """The text that the flags of these names describe.

    Args:
        splitting: `--split_sentences`; None: not in text files, which hold a sentence a line, and in all others.

    Raises:
        InputError: no source or several are given, or there is no such file.
    """
    if tfds_name:
        if input_file:
            raise InputError("--input_file and --tfds_name: only one of them can be given")
        documents = tfds_documents(tfds_name, tfds_text_feature, tfds_data_dir)
        return Source(as_lines(documents, splitting is not False), tfds_name, None)
    if input_format == "python_documentation":
        from data_prep.python_documentation import python_documentation

        lines = (line for document in python_documentation() for line in [*document, ""])
        return Source(lines, "documentation of the installed Python packages", None)
    if not input_file:
        raise InputError("--input_file: no file is given (nor --tfds_name)")
    paths = files.expand_patterns(input_file, "input_file")
    for path in paths:
        files.open_file(path).close()  # All of them are looked at before the first is read.
    name = ", ".join(paths[:3]) + (", …" if len(paths) > 3 else "")
    if input_format == "jsonl":
        return Source(as_lines(jsonl_documents(paths, jsonl_field), splitting is not False), name, None)
    lines = as_lines(text_documents(paths), True) if splitting else text_lines(paths)
    return Source(lines, name, sum(map(files.size, paths)))
