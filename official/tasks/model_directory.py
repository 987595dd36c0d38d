"""`output_dir/model`, the Hugging Face directory that a run leaves."""

import os

from official import files
from official.errors import InputError


def directory_of_model(output_dir: str) -> str:
    """Its path."""
    return os.path.join(output_dir, "model")


def is_model_of(output_dir: str, source: str) -> bool:
    """Whether weights that are read from `source` are those of `output_dir/model`.

    Raises:
        InputError: they are not, and another model is there, which must not be replaced by one that was not trained.
    """
    directory = directory_of_model(output_dir)
    if os.path.normpath(source) in map(os.path.normpath, (output_dir, directory)):
        return True
    if files.exists(os.path.join(directory, "config.json")):
        raise InputError(f"{directory}: holds another model than {source}: another --output_dir was expected")
    return False
