"""Checkpoints of every make, both ways.

A format is a file (`tf1`, `hugging_face` on `safetensors` and `torch_file`, `keras_hub` on `hdf5`), a family is a file
with declarative name maps (`bert`).
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from official.checkpoints.loading import load, load_weights
    from official.checkpoints.report import Report
    from official.checkpoints.saving import save, save_tf1
    from official.checkpoints.tokenizer_files import read_tokenizer

__all__ = ["Report", "load", "load_weights", "read_tokenizer", "save", "save_tf1"]

_HOMES = {
    "Report": "report",
    "load": "loading",
    "load_weights": "loading",
    "read_tokenizer": "tokenizer_files",
    "save": "saving",
    "save_tf1": "saving",
}


def __getattr__(name: str):
    """Imported when asked for: `python -m official.checkpoints --help` should not have to wait for TensorFlow."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
