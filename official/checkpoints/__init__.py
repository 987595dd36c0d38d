"""Checkpoints of every make, both ways.

`formats` are what lies on the disk (TF1, Hugging Face, keras-hub), made of the files of `storage` and `tokenizers`; a
family is a file of `families` with declarative name maps; `tools` change a trained model.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from official.checkpoints.loading import load, load_weights
    from official.checkpoints.report import Report
    from official.checkpoints.saving import save, save_tf1
    from official.checkpoints.tokenizers.tokenizer_files import read_tokenizer

__all__ = ["Report", "load", "load_weights", "read_tokenizer", "save", "save_tf1"]

_HOMES = {
    "Report": "report",
    "load": "loading",
    "load_weights": "loading",
    "read_tokenizer": "tokenizers.tokenizer_files",
    "save": "saving",
    "save_tf1": "saving",
}


def __getattr__(name: str):
    """Imported when asked for: `python -m official.checkpoints --help` should not have to wait for TensorFlow."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
