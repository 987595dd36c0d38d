"""Measures how fast text becomes ids and records here, beside the published algorithm in Python and other tokenizers.

    python -m benchmarks.data_generation.compare --input_file=novels.txt --vocab_file=vocab.txt \\
        --json=data_generation.json

Everything runs in processes that take turns, and is told in MB of text for each second of the processor. The slow sides
get the first megabytes of the text only. Records: examples are drawn `dupe_factor` times, and our side is the script
itself, from its start to the last byte written. Ids: a first reading, and one with the words met before.
"""

import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable

from absl import flags

from benchmarks import peers
from benchmarks.commands import REPOSITORY, cpu_seconds, finish
from data_prep.token_store import BATCH_CHARACTERS, batches, token_dtype
from data_prep.word_table import WordTable
from official import command_line, files
from official.tokenization.wordpiece import WordPieceTokenizer

FLAGS = flags.FLAGS
MB = 1e6
OURS, PUBLISHED = "this project", "the published algorithm in Python"

flags.adopt_module_key_flags(peers)
flags.DEFINE_string("input_file", None, "A text, one sentence a line, an empty line between documents.")
flags.DEFINE_string("vocab_file", None, "A vocabulary.")
flags.DEFINE_string("json", None, "Where to write the numbers.")
flags.DEFINE_integer("repetitions", 3, "How often each side takes its turn.", 1)
flags.DEFINE_float("slow_megabytes", 2.0, "How much of the text the slow sides get.", 0.1)
flags.DEFINE_integer("dupe_factor", 10, "As for create_pretraining_data.", 1)
flags.DEFINE_integer("max_seq_length", 128, "As for create_pretraining_data.", 8)
flags.DEFINE_integer("max_predictions_per_seq", 20, "As for create_pretraining_data.", 1)


def recipe() -> list[str]:
    return [f"--{name}={FLAGS[name].value}" for name in ("dupe_factor", "max_seq_length", "max_predictions_per_seq")]


def our_records(directory: str) -> dict[str, float]:
    """Seconds for the whole text."""
    command = [sys.executable, str(REPOSITORY / "data_prep" / "create_pretraining_data.py"), "--num_workers=1"]
    given = [f"--input_file={FLAGS.input_file}", f"--vocab_file={FLAGS.vocab_file}", *recipe()]
    before, started = cpu_seconds(), time.perf_counter()
    finish([*command, *given, f"--output_file={os.path.join(directory, 'ours')}"])
    return {"records": cpu_seconds() - before, "records, by the clock": time.perf_counter() - started}


def published_records(part: str, directory: str) -> dict[str, float]:
    """Seconds for a part, the imports not counted."""
    command = [sys.executable, "-m", "tests.data_prep.time_published_pretraining_data", *recipe()]
    output = os.path.join(directory, "published")
    printed = finish([*command, f"--text={part}", f"--vocab={FLAGS.vocab_file}", f"--output={output}"])
    seconds = json.loads(printed.strip().split("\n")[-1])
    return {"records": sum(seconds.values()), "ids": seconds["tokenizing"]}


def timed(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def our_ids(lines: list[str]) -> dict[str, float]:
    """Seconds for the whole text."""
    tokenizer = WordPieceTokenizer.from_file(FLAGS.vocab_file)
    table = WordTable(tokenizer, token_dtype(tokenizer.vocab_size))
    parts = ["\n".join([*part, ""]).encode() for part in batches(lines, BATCH_CHARACTERS)]

    def read():
        for part in parts:
            table.encode(part)

    return {"first": timed(read), "again": timed(read)}


def tensorflow_text_ids(lines: list[str]) -> dict[str, float]:
    """Seconds for a part; the ids are not quite the published ones."""
    import tensorflow as tf
    import tensorflow_text

    vocabulary = pathlib.Path(FLAGS.vocab_file).read_text("utf-8").split("\n")[:-1]
    fast = tensorflow_text.FastBertTokenizer(vocabulary, token_out_type=tf.int32)
    plain = tensorflow_text.BertTokenizer(FLAGS.vocab_file, lower_case=True)
    return {
        "tensorflow_text FastBertTokenizer": timed(lambda: fast.tokenize(lines)),
        "tensorflow_text BertTokenizer": timed(lambda: plain.tokenize(lines)),
    }


def hugging_face_ids(part: str) -> dict[str, float]:
    """Seconds for a part."""
    command = [peers.python(), "-m", "benchmarks.data_generation.tokenizers_side"]
    printed = finish([*command, f"--text={part}", f"--vocab={FLAGS.vocab_file}"])
    return json.loads(printed)


def measure(directory: str) -> dict[str, list[float]]:
    """MB a second of every side, one figure a repetition."""
    whole = pathlib.Path(FLAGS.input_file).read_bytes()
    part, some = os.path.join(directory, "part.txt"), whole[: int(FLAGS.slow_megabytes * MB)].rpartition(b"\n")[0]
    pathlib.Path(part).write_bytes(some)
    lines, few_lines = whole.decode().split("\n"), some.decode().split("\n")
    our_records(directory), our_ids(few_lines)  # Compiled.
    rates = {}

    def add(name: str, size: int, seconds: float):
        rates.setdefault(name, []).append(size / MB / seconds)

    for _ in range(FLAGS.repetitions):
        for name, seconds in our_records(directory).items():
            add(f"{name}: {OURS}", len(whole), seconds)
        published = published_records(part, directory)
        add(f"records: {PUBLISHED}", len(some), published["records"])
        for name, seconds in our_ids(lines).items():
            add(f"ids, {name}: {OURS}", len(whole), seconds)
        add(f"ids: {PUBLISHED}", len(some), published["ids"])
        for name, seconds in (tensorflow_text_ids(few_lines) | hugging_face_ids(part)).items():
            add(f"ids: {name}", len(some), seconds)
    return rates


def table(rates: dict[str, list[float]]) -> str:
    """Markdown."""
    lines = ["| what: by whom | MB/s, median | spread | ratio |", "|---|---|---|---|"]
    for name, values in rates.items():
        reference = statistics.median(rates[f"{'records' if name.startswith('records') else 'ids'}: {PUBLISHED}"])
        median = statistics.median(values)
        spread = f"{min(values):.3f}–{max(values):.3f}"
        lines.append(f"| {name} | {median:.3f} | {spread} | {median / reference:.1f} |")
    return "\n".join(lines)


def main():
    command_line.require(FLAGS, "input_file", "vocab_file")
    command_line.import_tensorflow()
    with tempfile.TemporaryDirectory() as directory:
        rates = measure(directory)
    print(table(rates))
    if FLAGS.json:
        with files.open_file(FLAGS.json, "w") as file:
            file.write(json.dumps(rates, indent=1) + "\n")


if __name__ == "__main__":
    command_line.run(main)
