"""What all sides of the comparison have in common: the batch, and how turns are taken. NumPy only."""

import argparse
import json
import resource
import time
from collections.abc import Callable

import numpy as np


def parse_arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True, help="a bert_config.json")
    parser.add_argument("--precision", choices=["float32", "bfloat16"], required=True)
    parser.add_argument("--variant", default="", help="which way of this side")
    for name in ("batch_size", "max_seq_length", "max_predictions_per_seq", "steps", "threads"):
        parser.add_argument(f"--{name}", type=int, required=True)
    return parser.parse_args()


def read_config(arguments: argparse.Namespace) -> dict:
    with open(arguments.config, encoding="utf-8") as file:
        return json.load(file)


def random_batch(vocab_size: int, arguments: argparse.Namespace) -> dict[str, np.ndarray]:
    """The features of pretraining records, no position padded."""
    random = np.random.RandomState(0)
    examples, length = arguments.batch_size, arguments.max_seq_length
    predictions = arguments.max_predictions_per_seq
    positions = np.sort(np.argsort(random.rand(examples, length), axis=1)[:, :predictions], axis=1)  # [B, P]
    batch = {
        "input_ids": random.randint(0, vocab_size, (examples, length)),
        "input_mask": np.ones((examples, length)),
        "segment_ids": random.randint(0, 2, (examples, length)),
        "masked_lm_positions": positions,
        "masked_lm_ids": random.randint(0, vocab_size, (examples, predictions)),
        "next_sentence_labels": random.randint(0, 2, (examples, 1)),
    }
    batch = {name: values.astype("int32") for name, values in batch.items()}
    return batch | {"masked_lm_weights": np.ones((examples, predictions), "float32")}


def take_turns(run: Callable[[int], object], steps: int) -> None:
    """Answers each line of standard input with a line of JSON: what `run(steps)` took in seconds, and bytes at most.

    The first answer is about the first step, with all that is traced and compiled for it; it comes once the process is
    warm, since from then on it is another's turn.
    """
    started = time.perf_counter()
    run(1)
    first = time.perf_counter() - started
    run(2)
    print(json.dumps({"first": first}), flush=True)
    while True:
        try:
            input()
        except EOFError:
            return
        started, cpu_started = time.perf_counter(), time.process_time()
        run(steps)
        seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps({"seconds": seconds / steps, "cpu_seconds": cpu_seconds / steps, "peak": peak}), flush=True)
