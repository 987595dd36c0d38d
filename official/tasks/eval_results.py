"""`eval_results.txt`, as the original's scripts write it."""

import os
from collections.abc import Mapping

import numpy as np

from official import files


def write_eval_results(output_dir: str, results: Mapping[str, float], global_step: int) -> None:
    """Prints and writes `key = value`, sorted by key, with the digits of float32 (run_classifier.py:928-933)."""
    lines = {name: str(np.float32(value)) for name, value in results.items()} | {"global_step": str(global_step)}
    with files.write_whole(os.path.join(output_dir, "eval_results.txt")) as file:
        for key in sorted(lines):
            print(f"{key} = {lines[key]}")
            file.write(f"{key} = {lines[key]}\n")
