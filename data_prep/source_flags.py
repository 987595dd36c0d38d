"""The flags that say where text comes from and how it is tokenized, for every script that reads text."""

import os
from collections.abc import Iterable

from absl import flags

from data_prep.documents import TextSource
from official import files
from official.errors import InputError

flags.DEFINE_string("input_file", None, "Text files: a comma-separated list of files and globs.")
flags.DEFINE_enum(
    "input_format",
    "text",
    ["text", "jsonl", "python_documentation"],
    "text: a sentence a line, an empty line between documents. jsonl: an object a line, each a document. "
    "python_documentation: the documentation of the installed packages, without --input_file.",
)
flags.DEFINE_string("jsonl_field", "text", "The field of a JSON object that holds its text.")
flags.DEFINE_string(
    "tfds_name", None, "A tensorflow-datasets data set, NAME[/CONFIG][:SPLIT], in place of --input_file."
)
flags.DEFINE_string("tfds_text_feature", "text", "The feature that holds the text.")
flags.DEFINE_string("tfds_data_dir", None, "Where tensorflow-datasets keeps its data.")
flags.DEFINE_bool("do_lower_case", True, "Lower-case the text: True for uncased vocabularies.")
flags.DEFINE_bool(
    "strip_accents",
    None,
    "Strip accents; by default what do_lower_case says. --nostrip_accents keeps Hangul syllables whole.",
)
flags.DEFINE_integer(
    "num_workers", None, "Processes (default: by the number of cores). The output is always the same.", 1
)


def text_of_flags(splitting: bool | None) -> TextSource:
    """The text that the flags describe."""
    values = flags.FLAGS
    return TextSource(
        input_file=values.input_file,
        input_format=values.input_format,
        jsonl_field=values.jsonl_field,
        tfds_name=values.tfds_name,
        tfds_text_feature=values.tfds_text_feature,
        tfds_data_dir=values.tfds_data_dir,
        splitting=splitting,
    )


def check_output(path: str, flag: str, also_read: Iterable[str] = ()) -> None:
    """Finds out before long work whether its result has a place to go.

    Args:
        path: where the result goes.
        flag: the flag that says so.
        also_read: files that are read beside those of `--input_file`.

    Raises:
        InputError: `path` is a directory or a file that is read, or the directory it is to stand in does not exist.
    """
    directory = os.path.dirname(path) or "."
    if not files.is_remote(path) and not files.is_directory(directory):  # Remote ones come with their first file.
        raise InputError(f"--{flag}: {directory}: no such directory")
    if files.is_directory(path):
        raise InputError(f"--{flag}: {path}: is a directory, a file was expected")
    inputs = flags.FLAGS.input_file
    read = files.expand_patterns(inputs, "input_file") if inputs else []
    if any(files.is_same(other, path) for other in (*read, *also_read)):
        raise InputError(f"--{flag}: {path}: is a file that is read")
