"""The best model of a run so far, and when enough has been tried."""

import json
import os

from official import files
from official.tasks.model_directory import directory_of_model


class EnoughTried(Exception):
    """Training should end: the score has not become better for long enough."""


class BestModel:
    """Scores of a run in `output_dir/scores.json`, and its best model in `output_dir/model`.

    Attributes:
        directory: of the model.
    """

    def __init__(self, output_dir: str):
        self.directory = directory_of_model(output_dir)
        self._path = os.path.join(output_dir, "scores.json")
        self._scores = self._read()

    def _read(self) -> list[tuple[int, float]]:
        if not files.exists(self._path):
            return []
        with files.open_file(self._path) as file:
            return [(step, score) for step, score in json.load(file)]

    @property
    def step(self) -> int | None:
        """Of the best score; None before there is any."""
        return max(self._scores, key=lambda scored: scored[1])[0] if self._scores else None

    def forget(self) -> None:
        """Takes the scores away, for a run that keeps its last model."""
        self._scores = []
        files.remove_if_there(self._path)

    def is_better(self, score: float) -> bool:
        """Whether it is better than all before."""
        return all(score > other for _, other in self._scores)

    def add(self, step: int, score: float, patience: int | None) -> None:
        """Notes a score. A run that goes on from an earlier checkpoint forgets those that came after it.

        Raises:
            EnoughTried: the last `patience` scores were not better than the best before them.
        """
        self._scores = [scored for scored in self._scores if scored[0] < step] + [(step, float(score))]
        with files.write_whole(self._path) as file:
            file.write(json.dumps(self._scores) + "\n")
        since = sum(other > self.step for other, _ in self._scores)
        if patience is not None and since >= patience:
            raise EnoughTried(f"stopped at step {step}: no better score since step {self.step}")
