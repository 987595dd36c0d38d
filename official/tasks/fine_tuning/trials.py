"""Fine-tuning with several seeds: small data sets give what the seed gives (Devlin et al. 2019, §4.1)."""

import dataclasses
import json
import os
import statistics
from collections.abc import Callable, Mapping, Sequence

from official import files
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun

Results = Mapping[str, float]


def run_trials(run: FineTuningRun, train_and_score: Callable[[FineTuningRun], Results], score: str) -> Results:
    """Trains and scores once for each seed, each trial in a directory of its own; shows the median and the range.

    Args:
        run: `num_trials` says how many; the first has `seed`, the next `seed` + 1, …
        train_and_score: does one and answers with its scores.
        score: by which the best trial is named; the larger the better.

    Returns:
        The medians; of a single trial, in `output_dir` itself, what it answered.
    """
    if run.num_trials == 1:
        return train_and_score(run)
    directories = [os.path.join(run.output_dir, f"trial_{number + 1}") for number in range(run.num_trials)]
    results = []
    for number, directory in enumerate(directories):
        print(f"trial {number + 1} of {run.num_trials}, seed {run.seed + number}")
        results.append(train_and_score(dataclasses.replace(run, output_dir=directory, seed=run.seed + number)))
    print(summary(results))
    best = max(range(run.num_trials), key=lambda number: results[number][score])
    print(f"best {score}: trial {best + 1}, {os.path.join(directories[best], 'model')}")
    with files.write_whole(os.path.join(run.output_dir, "trials.json")) as file:
        file.write(json.dumps([dict(result) for result in results], indent=2) + "\n")
    return {name: statistics.median(result[name] for result in results) for name in results[0]}


def summary(results: Sequence[Results]) -> str:
    """Median, lowest and highest of every score, a line each."""
    width = max(map(len, results[0]))
    lines = [f"{'':<{width}}  {'median':>9} {'lowest':>9} {'highest':>9}"]
    for name in results[0]:
        values = [float(result[name]) for result in results]
        lines.append(f"{name:<{width}}  {statistics.median(values):9.4f} {min(values):9.4f} {max(values):9.4f}")
    return "\n".join(lines)
