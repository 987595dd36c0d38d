"""From checkpoints to a checkpoint: `python -m official.checkpoints SOURCE TARGET`."""

import dataclasses
import os
import sys
from collections.abc import Sequence

import keras
from absl.flags import FlagValues

from official import files
from official.checkpoints.describe import describe_tokenizer
from official.checkpoints.formats import hugging_face, tf1
from official.checkpoints.loading import load, open_source
from official.checkpoints.saving import TF1_NAME, save
from official.checkpoints.tokenizers.tokenizer_files import read_tokenizer
from official.checkpoints.tools.added_tokens import add_tokens
from official.checkpoints.tools.averaging import average
from official.checkpoints.tools.positions import extend_positions
from official.errors import InputError
from official.models.config import Config
from official.models.registry import read_config
from official.tokenization.tokenizer import Tokenizer
from official.tokenization.vocabulary_files import read_vocabulary_file


@dataclasses.dataclass(frozen=True, kw_only=True)
class Changes:
    """What becomes of a checkpoint on its way; each field is the flag of that name."""

    format: str = "hugging_face"
    average: bool = False
    add_tokens: str | None = None
    max_position_embeddings: int | None = None
    extend_positions: str = "tile"
    bert_config_file: str | None = None
    vocab_file: str | None = None
    do_lower_case: bool = True
    overwrite: bool = False


def changes_of_flags(flags: FlagValues) -> Changes:
    """The changes that the command line asks for."""
    return Changes(**{field.name: flags[field.name].value for field in dataclasses.fields(Changes)})


def convert(sources: Sequence[str], target: str, changes: Changes) -> None:
    """Loads, changes as asked, and writes; what is written and what is lost is said.

    Raises:
        InputError: a source can't be loaded, a change can't be made, or the target holds a checkpoint already.
    """
    if len(sources) > 1 and not changes.average:
        raise InputError(f"{len(sources)} sources for one target: --average writes the mean of them")
    if not changes.overwrite:
        _check_target(target)
    model = average(sources) if changes.average else _load(sources[0], changes)
    tokenizer = _read_tokenizer(sources[0], changes)
    if changes.add_tokens is not None:
        model, tokenizer = _add_tokens(model, tokenizer, changes.add_tokens)
    if changes.max_position_embeddings is not None:
        model = extend_positions(model, changes.max_position_embeddings, changes.extend_positions)
    notes = save(model, target, format=changes.format, tokenizer=tokenizer)
    print(f"{target}: written as {changes.format}, {model.count_params():,} parameters, heads: {_listed(model.heads)}")
    print(f"tokenizer: {describe_tokenizer(tokenizer) if tokenizer else 'none, since there is no vocabulary'}")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def read_given_config(bert_config_file: str | None) -> Config | None:
    """The config that a flag gives, instead of the one beside the checkpoint."""
    return None if bert_config_file is None else read_config(bert_config_file)


def _listed(heads: Sequence[str]) -> str:
    return ", ".join(heads) or "none"


def _check_target(target: str) -> None:
    for name in (hugging_face.CONFIG, TF1_NAME + tf1.INDEX):
        if files.exists(os.path.join(target, name)):
            raise InputError(f"{target}: holds a checkpoint already ({name}): another directory, or --overwrite")


def _load(source: str, changes: Changes) -> keras.Model:
    config = read_given_config(changes.bert_config_file)
    for note in open_source(source, config)[1].notes:
        print(f"note: {note}", file=sys.stderr)
    return load(source, config=config)


def _read_tokenizer(source: str, changes: Changes) -> Tokenizer | None:
    if changes.vocab_file is None:
        return read_tokenizer(source)
    return read_vocabulary_file(changes.vocab_file, lower_case=changes.do_lower_case)


def _add_tokens(model: keras.Model, tokenizer: Tokenizer | None, path: str) -> tuple[keras.Model, Tokenizer]:
    if tokenizer is None:
        raise InputError("--add_tokens needs a vocabulary to add to: --vocab_file")
    with files.open_file(path) as file:
        tokens = [line.strip() for line in file if line.strip()]
    if not tokens:
        raise InputError(f"{path}: is empty, tokens to add were expected, one a line")
    model, tokenizer, added = add_tokens(model, tokenizer, tokens)
    print(added)
    return model, tokenizer
