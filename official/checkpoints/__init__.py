"""Checkpoints of every make, both ways.

A format is a file (`tf1`, `hugging_face` on `safetensors`), a family is a file with a declarative name map (`bert`).
"""

from official.checkpoints.loading import load, load_weights
from official.checkpoints.report import Report
from official.checkpoints.saving import save, save_tf1

__all__ = ["Report", "load", "load_weights", "save", "save_tf1"]
