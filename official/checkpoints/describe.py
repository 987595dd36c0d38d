"""What a checkpoint holds, as a table for a person: `python -m official.checkpoints PATH --describe`."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from official.checkpoints.family import Family
from official.checkpoints.loading import labels_of, open_source, parts_of
from official.checkpoints.source import UNPROTECTED, Source
from official.checkpoints.tokenizers.tokenizer_files import describe_tokenizer, read_tokenizer
from official.errors import InputError

SHOWN = 8  # Labels, or names that nobody knows; the rest are counted.


def describe(path: str, config: Any = None) -> str:
    """A line for each thing worth knowing. Every value is read, so that a damaged file shows.

    Args:
        path: what `load` takes.
        config: for a TF1 checkpoint without one beside it.

    Raises:
        InputError: nothing that can be loaded is there, or it is damaged.
    """
    family, source = open_source(path, config)
    config = source.config if config is None else config
    parts = parts_of(family, source)
    heads = [part for part in family.model.HEADS if part in parts]
    rows = [*_of_source(family, source, config, parts), ("tokenizer", _tokenizer(path)), *_of_values(source, heads)]
    rows += [("note", note) for note in source.notes]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _of_source(family: Family, source: Source, config: Any, parts: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield "path", source.path
    yield "format", source.format
    yield "family", family.model_type
    yield "sizes", family.sizes(config)
    yield "activation", config.hidden_act
    yield "heads", ", ".join(part for part in parts if part in family.model.HEADS) or "none"
    yield from ((part, "yes" if part in parts else "no") for part in family.parts if part not in family.model.HEADS)
    if names := labels_of(family, source, parts):
        yield "labels", f"{len(names)}: {_some(names)}"
    yield "parameters", _parameters(family, source)
    if source.unknown:
        yield "unknown", f"{len(source.unknown)} tensors: {_some(source.unknown)}"


def _parameters(family: Family, source: Source) -> str:
    counts = Counter()
    for ours, tensor in source.tensors.items():
        counts[family.part_of(ours) or "encoder with embeddings"] += math.prod(tensor.shape)
    shares = ", ".join(f"{part} {count:,}" for part, count in counts.most_common())
    return f"{counts.total():,}: {shares}"


def _of_values(source: Source, heads: Sequence[str]) -> Iterator[tuple[str, str]]:
    source.check_tied(heads)
    types = Counter(tensor.dtype for tensor in source.tensors.values())
    yield "stored as", ", ".join(f"{dtype} ({count} tensors)" for dtype, count in types.most_common())
    lowest, highest = math.inf, -math.inf
    for ours in source.tensors:
        values = source.read(ours)
        lowest, highest = min(lowest, values.min(initial=lowest)), max(highest, values.max(initial=highest))
    yield "values", f"all finite, from {lowest:.4g} to {highest:.4g}"
    nothing = "none in this file: a flipped bit in a value would go unnoticed"
    yield "checksums", nothing if source.integrity == UNPROTECTED else f"{source.integrity}, right"


def _tokenizer(path: str) -> str:
    try:
        tokenizer = read_tokenizer(path)
    except InputError as error:
        return f"of no use here: {error}"
    return "none" if tokenizer is None else describe_tokenizer(tokenizer)


def _some(names: Iterable[str]) -> str:
    shown = list(names)[:SHOWN]
    rest = len(names) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
