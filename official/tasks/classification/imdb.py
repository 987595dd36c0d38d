"""IMDb's reviews (Maas et al. 2011) as published: a file for each, in a directory for each label."""

import os
from collections.abc import Iterator

from official import files
from official.errors import InputError
from official.tasks.classification.classification_examples import Example, Task, require_some
from official.tasks.text_lines import read_lines

LABELS = ("neg", "pos")
DIRECTORY = {"train": "train", "dev": "test", "test": "test"}  # It has no development set.


def imdb_task(data_dir: str) -> Task:
    """Reviews of `data_dir/{train,test}/{neg,pos}/*.txt`: first those of neg, each in the order of the files' names."""

    def read(split: str) -> list[Example]:
        directory = os.path.join(data_dir, DIRECTORY[split])
        return require_some(_examples(directory, split), directory)

    return Task(name="imdb", read=read, labels=LABELS)


def _examples(directory: str, split: str) -> Iterator[Example]:
    for label in LABELS:
        folder = os.path.join(directory, label)
        for name in sorted(_names(folder)):
            if name.endswith(".txt"):
                path = os.path.join(folder, name)
                text = "\n".join(read_lines(path))
                yield Example(f"{split}-{label}-{name.removesuffix('.txt')}", ((text, None),), (label,), path)


def _names(folder: str) -> list[str]:
    try:
        return files.list_directory(folder)
    except OSError as error:
        raise InputError(f"{folder}: {files.describe_os_error(error)}; a directory of reviews was expected") from error
