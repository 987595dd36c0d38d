"""What all sides of the comparison have in common: the requests, and how an answer is timed. Standard library only."""

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Callable

WORDS = "the quick brown fox jumps over a lazy dog and then it looks back at what it has done".split()  # A token each.
WARM_UP = 3
FEWEST = 5  # Answers that are timed, however long they take.


def parse_arguments(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="what this side reads")
    parser.add_argument("--tokenizer", help="a Hugging Face directory, where it is not in the model")
    parser.add_argument("--cases", required=True, help="ROWSxTOKENS, parted by commas")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--bfloat16", action="store_true")
    parser.add_argument("--seconds", type=float, required=True, help="for each case")
    return parser.parse_args()


def texts_of(case: str) -> list[str]:
    """`32x10` → 32 texts of 10 tokens each, [CLS] and [SEP] counted."""
    rows, tokens = map(int, case.split("x"))
    return [" ".join(itertools.islice(itertools.cycle(WORDS), tokens - 2))] * rows


def measure_all(answer: Callable[[list[str]], object], arguments: argparse.Namespace) -> None:
    """Prints, as one line of JSON, for each case the seconds of each answer, and the processor's seconds for one."""
    print(json.dumps({case: measure(answer, texts_of(case), arguments.seconds) for case in arguments.cases.split(",")}))


def measure(answer: Callable[[list[str]], object], texts: list[str], budget: float) -> dict:
    for _ in range(WARM_UP):
        answer(texts)
    seconds, cpu_seconds, end = [], [], time.perf_counter() + budget
    while len(seconds) < FEWEST or time.perf_counter() < end:
        started, cpu_started = time.perf_counter(), time.process_time()
        answer(texts)
        cpu_seconds.append(time.process_time() - cpu_started)
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds, "cpu_seconds": statistics.median(cpu_seconds)}
