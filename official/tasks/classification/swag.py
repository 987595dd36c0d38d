"""SWAG (Zellers et al. 2018): which of four endings follows? Each is scored by itself (Devlin et al. 2019, §4.4)."""

import os
from collections.abc import Iterator, Mapping

from official.errors import InputError
from official.tasks.classification.classification_examples import Example, Task, require_some
from official.tasks.classification.classification_files import read_csv

CHOICES = 4
FILES = {"train": "train.csv", "dev": "val.csv", "test": "test.csv"}
ENDINGS = tuple(f"ending{number}" for number in range(CHOICES))


def swag_task(data_dir: str, paths: Mapping[str, str]) -> Task:
    """The columns `sent1`, `sent2`, which the endings go on from, `ending0` … `ending3`, `label` (not in test.csv).

    Args:
        data_dir: where train.csv, val.csv and test.csv are.
        paths: by split, files to be read instead.
    """

    def read(split: str) -> list[Example]:
        path = paths.get(split) or os.path.join(data_dir, FILES[split])
        return require_some(_examples(path, split), path)

    return Task(name="swag", read=read, labels=tuple(map(str, range(CHOICES))), choices=CHOICES)


def _examples(path: str, split: str) -> Iterator[Example]:
    needed = ("sent1", "sent2", *ENDINGS) + (() if split == "test" else ("label",))
    rows = read_csv(path)
    header = next(rows, None)
    names = [] if header is None else list(header.fields)
    if missing := [name for name in needed if name not in names]:
        raise InputError(f"{path}:1: has no column {', '.join(missing)}; SWAG's header was expected")
    for line, fields in rows:
        if len(fields) != len(names):
            raise InputError(f"{path}:{line}: {len(fields)} columns, the header has {len(names)}")
        row = dict(zip(names, fields))
        pairs = tuple((row["sent1"], f"{row['sent2']} {row[ending]}") for ending in ENDINGS)
        yield Example(f"{split}-{line - 1}", pairs, None if split == "test" else (row["label"],), path, line)
