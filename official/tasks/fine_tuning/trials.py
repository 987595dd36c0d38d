"""Fine-tuning with several seeds: small data sets give what the seed gives (Devlin et al. 2019, §4.1)."""

import dataclasses
import gc
import json
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from official import files
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.model_directory import directory_of_model

Results = Mapping[str, float]


class Outcome(NamedTuple):
    """What a run leaves.

    Attributes:
        scores: the medians; of a single trial, what it answered.
        output_dir: of the best trial; of a single one, that of the run.
    """

    scores: Results
    output_dir: str

    @property
    def model(self) -> str:
        """The directory of the model."""
        return directory_of_model(self.output_dir)


def run_trials(run: FineTuningRun, train_and_score: Callable[[FineTuningRun], Results], score: str) -> Outcome:
    """Trains and scores once for each seed, each trial in a directory of its own; shows the median and the range.

    Args:
        run: `num_trials` says how many; the first has `seed`, the next `seed` + 1, …
        train_and_score: does one and answers with its scores.
        score: by which the best trial is named; the larger the better.
    """
    if run.num_trials == 1:
        return Outcome(train_and_score(run), run.output_dir)
    directories = [os.path.join(run.output_dir, f"trial_{number + 1}") for number in range(run.num_trials)]
    results = []
    for number, directory in enumerate(directories):
        print(f"trial {number + 1} of {run.num_trials}, seed {run.seed + number}")
        results.append(train_and_score(dataclasses.replace(run, output_dir=directory, seed=run.seed + number)))
        gc.collect()  # Models are in cycles of references: without this the next would be made beside the last.
    print(summary(results))
    best = max(range(run.num_trials), key=lambda number: results[number][score])
    print(f"best {score}: trial {best + 1}, {directory_of_model(directories[best])}")
    with files.write_whole(os.path.join(run.output_dir, "trials.json")) as file:
        file.write(json.dumps([dict(result) for result in results], indent=2) + "\n")
    medians = {name: statistics.median(result[name] for result in results) for name in results[0]}
    return Outcome(medians, directories[best])


def summary(results: Sequence[Results]) -> str:
    """Median, lowest and highest of every score, a line each."""
    width = max(map(len, results[0]))
    lines = [f"{'':<{width}}  {'median':>9} {'lowest':>9} {'highest':>9}"]
    for name in results[0]:
        values = [float(result[name]) for result in results]
        lines.append(f"{name:<{width}}  {statistics.median(values):9.4f} {min(values):9.4f} {max(values):9.4f}")
    return "\n".join(lines)
