"""What a small model gains from a teacher: sentence polarity, from MiniLM's weights, with three seeds.

    python -m studies.distillation --data_dir=../shared/data --init_checkpoint=MINILM --work_dir=work \\
        --results=studies/distillation.jsonl

A teacher of six layers learns 1,200 labelled sentences. A student, the first two layers of the same MiniLM, learns

- the labels alone,
- what the teacher says of the labelled sentences,
- what it says of these and of five times as many whose labels nobody looks at.

All are scored on sentences that none of them has seen. What is in the results is not run again, so that the same
command goes on where it stopped, or only prints the table. `studies/distillation.jsonl` holds what was measured.
"""

import dataclasses
import hashlib
import json
import os
import statistics
import sys
import time
import zipfile

from absl import flags

from benchmarks.commands import REPOSITORY, cpu_seconds, finish
from official import command_line, files

FLAGS = flags.FLAGS
flags.DEFINE_string("data_dir", "../shared/data", "The folder of real data.")
flags.DEFINE_string("init_checkpoint", None, "MiniLM's weights, a Hugging Face directory.")
flags.DEFINE_string("work_dir", None, "Where files, models and the teachers' logits are kept.")
flags.DEFINE_string("results", None, "JSON lines, one a run; what is there is kept and not run again.")
flags.DEFINE_integer("seeds", 3, "With how many seeds, from 0.", 1)

LABELLED, UNLABELLED = 1_200, 6_000
STUDENT_LAYERS = (0, 1)
SHARED = {
    "max_seq_length": 64,
    "train_batch_size": 16,
    "optimizer": "adamw",
    "predict_batch_size": 32,
    "mixed_precision": "float32",
}
TEACHER_RUN = {"learning_rate": 1e-4, "num_train_epochs": 3}
# Of the students; with more texts there are fewer epochs, but still nearly twice the steps (900 to 450).
FEW_TEXTS_RUN = {"learning_rate": 2e-4, "num_train_epochs": 6}
MANY_TEXTS_RUN = {"learning_rate": 2e-4, "num_train_epochs": 2}
BATCH, TIMINGS = (32, 32), 9  # Texts and tokens of a batch whose answer is timed.


@dataclasses.dataclass(frozen=True)
class Model:
    """A line of the table.

    title: its name there.
    learns_from: None: the labels of the file; or else `labelled` or `unlabelled`, texts that the teacher labels.
    settings: flags.
    """

    title: str
    learns_from: str | None
    settings: dict[str, object]


MODELS = {
    "teacher": Model("teacher, on labels", None, TEACHER_RUN),
    "labels": Model("student, on labels alone", None, FEW_TEXTS_RUN),
    "labelled": Model("student, distilled on the labelled texts", "labelled", FEW_TEXTS_RUN),
    "unlabelled": Model("student, distilled on these and 5 × as many unlabelled ones", "unlabelled", MANY_TEXTS_RUN),
}


# === Files ===


def path_of(*names: str) -> str:
    return os.path.join(FLAGS.work_dir, *names)


def write_data() -> None:
    """Pang and Lee's sentences: a tenth is held out, and of the others a few keep their labels; hashes decide."""
    rows = []
    with zipfile.ZipFile(os.path.join(FLAGS.data_dir, "movie_reviews", "sentence_polarity.zip")) as archive:
        for label, suffix in (("negative", "neg"), ("positive", "pos")):
            text = archive.read(f"sentence_polarity/rt-polarity.{suffix}").decode()
            rows += [(line.strip(), label) for line in text.split("\n") if line.strip()]
    texts = dict(rows)  # No sentence is in two parts.
    rows = [(text, texts[text]) for text in sorted(texts, key=lambda text: hashlib.sha256(text.encode()).digest())]
    dev, rest = rows[: len(rows) // 10], rows[len(rows) // 10 :]
    unlabelled = rest[LABELLED : LABELLED + UNLABELLED]
    files.make_directory(FLAGS.work_dir)
    for name, some in (("train.tsv", rest[:LABELLED]), ("dev.tsv", dev)):
        with files.write_whole(path_of(name)) as file:
            file.write("sentence\tlabel\n" + "".join(f"{text}\t{label}\n" for text, label in some))
    with files.write_whole(path_of("unlabelled.txt")) as file:
        file.write("".join(f"{text}\n" for text, _ in unlabelled))


def write_student() -> str:
    """The model that every student starts from, some of the layers of --init_checkpoint; answers with its directory."""
    from official import checkpoints
    from official.checkpoints.loading import open_source, parts_of
    from official.checkpoints.some_layers import load_some_layers
    from official.models import registry

    directory = path_of("student_start")
    family, source = open_source(FLAGS.init_checkpoint)
    config = dataclasses.replace(source.config, num_hidden_layers=len(STUDENT_LAYERS))
    short = registry.build(config, pooler="pooler" in parts_of(family, source))
    load_some_layers(short, FLAGS.init_checkpoint, STUDENT_LAYERS)
    checkpoints.save(short, directory, tokenizer=checkpoints.read_tokenizer(FLAGS.init_checkpoint))
    return directory


# === Runs ===


def flags_of(name: str, seed: int, student: str) -> list[str]:
    """The command of a run, without Python."""
    model, directory = MODELS[name], path_of(f"seed_{seed}")
    given = SHARED | model.settings | {
        "task_name": "tsv",
        "text_a_column": "sentence",
        "label_column": "label",
        "train_file": path_of("train.tsv"),
        "eval_file": path_of("dev.tsv"),
        "init_checkpoint": FLAGS.init_checkpoint if name == "teacher" else student,
        "output_dir": os.path.join(directory, name),
        "eval_batch_size": 32,
        "seed": seed,
    }  # fmt: skip
    script = "run_classifier.py"
    if model.learns_from is not None:
        script = "run_distillation.py"
        given |= {
            "task": "classification",
            "teacher": os.path.join(directory, "teacher"),
            "teacher_logits_dir": os.path.join(directory, "teacher_logits"),
        }
    if model.learns_from == "unlabelled":
        given |= {"unlabelled_file": path_of("unlabelled.txt")}
    command = [f"--{key}={value}" for key, value in given.items()]
    return [str(REPOSITORY / script), *command, "--do_train", "--do_eval"]


def key_of(name: str, seed: int) -> dict[str, object]:
    """What a result has to agree in to be this run's."""
    settings = SHARED | MODELS[name].settings
    texts = {"labelled": LABELLED, "unlabelled": UNLABELLED * (name == "unlabelled")}
    layers = {} if name == "teacher" else {"layers": list(STUDENT_LAYERS)}
    return {"model": name, "seed": seed, "settings": settings, **texts, **layers}


def read_results() -> list[dict]:
    if not files.exists(FLAGS.results):
        return []
    with files.open_file(FLAGS.results) as file:
        return [json.loads(line) for line in file]


def add_result(result: dict) -> None:
    files.append(FLAGS.results, json.dumps(result) + "\n")


def find(results: list[dict], key: dict) -> dict | None:
    return next((result for result in results if key.items() <= result.items()), None)


def run_missing() -> None:
    """Runs what has no result, seed by seed: a teacher before its students."""
    student = None
    for seed in range(FLAGS.seeds):
        for name in MODELS:
            key = key_of(name, seed)
            if find(read_results(), key) is not None:
                continue
            if student is None:
                write_data()
                student = write_student()
            before = cpu_seconds()
            finish([sys.executable, *flags_of(name, seed, student)])
            result = key | {
                "accuracy": accuracy_in(path_of(f"seed_{seed}", name)),
                "cpu_seconds": cpu_seconds() - before,
            }
            add_result(result | cost_of(path_of(f"seed_{seed}", name)))
            print(f"{MODELS[name].title}, seed {seed}: {result['accuracy']:.2f}", flush=True)


def accuracy_in(output_dir: str) -> float:
    """In percent."""
    with files.open_file(os.path.join(output_dir, "eval_results.txt")) as file:
        results = dict(line.strip().split(" = ") for line in file)
    return 100 * float(results["eval_accuracy"])


def cost_of(output_dir: str) -> dict[str, float]:
    """Parameters, and the processor's milliseconds for a text: the median of batches, one thread or several."""
    import numpy as np
    import tensorflow as tf

    from official import checkpoints
    from official.checkpoints.storage.safetensors import SafetensorsFile
    from official.models import registry

    directory = os.path.join(output_dir, "model")
    shapes = SafetensorsFile(os.path.join(directory, "model.safetensors")).shapes
    loaded = checkpoints.load(directory)
    model = registry.build(loaded.config, loaded.heads, labels=loaded.labels)  # Which computes nothing to be looked at.
    answer = tf.function(lambda ids: model({"input_ids": ids}, training=False)["logits"], autograph=False)
    ids = tf.constant(np.random.default_rng(0).integers(1_000, 20_000, BATCH), tf.int32)
    answer(ids)
    seconds = []
    for _ in range(TIMINGS):
        started = time.process_time()
        answer(ids)
        seconds.append(time.process_time() - started)
    parameters = sum(int(np.prod(shape)) for shape in shapes.values())
    return {"parameters": parameters, "milliseconds": 1_000 * statistics.median(seconds) / BATCH[0]}


def table(results: list[dict]) -> str:
    """Markdown: a line for each model that has a result."""
    lines = [
        "| model | accuracy, median [range] | of seeds | parameters | CPU ms a text | CPU s to train |",
        "|---|---|---|---|---|---|",
    ]
    for name, model in MODELS.items():
        found = [find(results, key_of(name, seed)) for seed in range(FLAGS.seeds)]
        if found := [result for result in found if result is not None]:
            middle = {key: statistics.median(result[key] for result in found) for key in (
                "accuracy", "parameters", "milliseconds", "cpu_seconds"
            )}  # fmt: skip
            accuracies = [result["accuracy"] for result in found]
            lines.append(
                f"| {model.title} | {middle['accuracy']:.1f} [{min(accuracies):.1f}–{max(accuracies):.1f}] | "
                f"{len(found)} | {middle['parameters']:,.0f} | {middle['milliseconds']:.2f} | "
                f"{middle['cpu_seconds']:.0f} |"
            )
    return "\n".join(lines)


def main():
    command_line.require(FLAGS, "init_checkpoint", "work_dir", "results")
    command_line.import_tensorflow()
    run_missing()
    print(table(read_results()))


if __name__ == "__main__":
    command_line.run(main)
