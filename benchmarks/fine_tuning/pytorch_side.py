"""Fine-tunes a BERT in PyTorch, with transformers and a plain loop: what the scripts of this project are compared with.

    .oracle/bin/python -m benchmarks.fine_tuning.pytorch_side --task=classification --text_columns=sentence \\
        --train_file=data/polarity/train.tsv --eval_file=data/polarity/dev.tsv --init_checkpoint=MODEL_DIRECTORY

Runs with PyTorch, transformers and seqeval (pytorch_requirements.txt) and without TensorFlow. The last line that it
prints is JSON: the scores, steps, and seconds of making features, training, and predicting with everything after it.
"""

import argparse
import json
import time
from collections.abc import Iterator

import numpy as np
import torch
from transformers import AutoTokenizer
from transformers.utils import logging

from benchmarks.fine_tuning.pytorch_optimizer import AdamWeightDecay, Schedule
from benchmarks.fine_tuning.pytorch_question_answering import QuestionAnswering
from benchmarks.fine_tuning.pytorch_tasks import Classification, Features, Tagging

TASKS = {"classification": Classification, "tagging": Tagging, "question_answering": QuestionAnswering}
POOL_BATCHES = 50  # Examples are sorted by length within so many batches, as `Trainer(group_by_length=True)` does.
PREDICT_BATCH_SIZE = 32
BATCHES = {
    "by_length": "examples of about one length, padded to the longest",
    "random": "of any lengths, padded to the longest: `Trainer`'s default",
    "padded": "of any lengths, padded to max_seq_length: the default of the scripts run_glue.py and run_qa.py",
}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", choices=TASKS, required=True)
    parser.add_argument("--train_file", required=True)
    parser.add_argument("--eval_file", required=True)
    parser.add_argument("--init_checkpoint", required=True)
    parser.add_argument("--text_columns", default="sentence", help="of a tsv, one or two: a,b")
    parser.add_argument("--label_column", default="label", help="of a tsv by name, of column files by number")
    parser.add_argument("--token_column", type=int, default=0, help="of column files, from 0")
    parser.add_argument("--version_2", action="store_true", help="questions may have no answer")
    parser.add_argument("--window_overlap", type=int, default=64, help="tokens that two windows of a text share")
    parser.add_argument("--max_seq_length", type=int, default=128)
    parser.add_argument("--learning_rate", type=float, default=5e-5)
    parser.add_argument("--num_train_epochs", type=float, default=3.0)
    parser.add_argument("--train_batch_size", type=int, default=32)
    parser.add_argument(
        "--batches", choices=BATCHES, default="by_length", help="; ".join(map(": ".join, BATCHES.items()))
    )
    parser.add_argument("--max_steps", type=int, help="stop early, to see what a step costs")
    parser.add_argument("--bfloat16", action="store_true", help="under autocast")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def collate(rows: Features, length: int | None) -> dict[str, torch.Tensor]:
    """A batch padded to a length, or to its longest row; labels of tokens with -100, which are not in the loss."""
    length = length or max(len(row["input_ids"]) for row in rows)
    batch = {"attention_mask": [[1] * len(row["input_ids"]) + [0] * (length - len(row["input_ids"])) for row in rows]}
    for name, first in rows[0].items():
        values = [row[name] for row in rows]
        if isinstance(first, list):
            padding = -100 if name == "labels" else 0
            values = [value + [padding] * (length - len(value)) for value in values]
        batch[name] = values
    return {name: torch.tensor(values) for name, values in batch.items()}


def padded_length(arguments: argparse.Namespace) -> int | None:
    """Of all rows, where they do not go by the longest of their batch."""
    return arguments.max_seq_length if arguments.batches == "padded" else None


def training_batches(features: Features, batch_size: int, seed: int, by_length: bool) -> Iterator[Features]:
    """Without end: epoch after epoch in a new order, examples of about one length together, or of any."""
    random = np.random.default_rng(seed)
    lengths = np.array([len(row["input_ids"]) for row in features])
    waiting = np.zeros(0, int)
    while True:
        while len(waiting) < POOL_BATCHES * batch_size:
            waiting = np.concatenate([waiting, random.permutation(len(features))])
        pool, waiting = np.split(waiting, [POOL_BATCHES * batch_size])
        if by_length:
            pool = pool[np.argsort(lengths[pool], kind="stable")]
        for batch in random.permutation(pool.reshape(POOL_BATCHES, batch_size)):
            yield [features[index] for index in batch]


def train(model: torch.nn.Module, features: Features, arguments: argparse.Namespace) -> int:
    """Trains; answers with the number of steps."""
    num_steps = int(len(features) / arguments.train_batch_size * arguments.num_train_epochs)
    schedule = Schedule(arguments.learning_rate, num_steps, warmup_proportion=0.1)
    optimizer = AdamWeightDecay(model)
    by_length = arguments.batches == "by_length"
    batches = training_batches(features, arguments.train_batch_size, arguments.seed, by_length)
    stop = min(num_steps, arguments.max_steps or num_steps)
    model.train()
    for step in range(stop):
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.bfloat16):
            loss = model(**collate(next(batches), padded_length(arguments))).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.update(schedule(step))
        optimizer.zero_grad()
        if step % 50 == 0:
            print(f"step {step}/{num_steps}, loss {loss.item():.3f}", flush=True)
    return stop


@torch.inference_mode()
def predict(model: torch.nn.Module, features: Features, arguments: argparse.Namespace) -> list[tuple[np.ndarray, ...]]:
    """The logits of each row (two arrays for question answering), in the order of the rows; padding is left on."""
    model.eval()
    order = sorted(range(len(features)), key=lambda index: -len(features[index]["input_ids"]))
    logits = [()] * len(features)
    for start in range(0, len(order), PREDICT_BATCH_SIZE):
        chosen = order[start : start + PREDICT_BATCH_SIZE]
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.bfloat16):
            rows = [features[index] for index in chosen]
            outputs = model(**collate(rows, padded_length(arguments))).to_tuple()
        for index, *arrays in zip(chosen, *(output.float().numpy() for output in outputs)):
            logits[index] = tuple(arrays)
    return logits


def main():
    arguments = parse_arguments()
    logging.disable_progress_bar()
    torch.manual_seed(arguments.seed)
    times = [time.perf_counter()]
    task = TASKS[arguments.task](arguments, AutoTokenizer.from_pretrained(arguments.init_checkpoint))
    model = task.make_model(arguments.init_checkpoint)
    times.append(time.perf_counter())
    steps = train(model, task.train_features, arguments)
    times.append(time.perf_counter())
    scores = task.score(predict(model, task.eval_features, arguments))
    times.append(time.perf_counter())
    preparing, training, predicting = (end - start for start, end in zip(times, times[1:]))
    seconds = {"preparing": preparing, "training": training, "predicting": predicting}
    print(json.dumps({"scores": scores, "steps": steps, "seconds": seconds}))


if __name__ == "__main__":
    main()
