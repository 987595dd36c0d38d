"""What the variants of an exported model lose, and what they cost: a line for each, beside float32.

    python -m benchmarks.serving.quality --init_checkpoint=MODEL --eval_file=dev.tsv --work_dir=quality

A classifier's labels are compared with the file's; the vectors of an encoder, means over tokens, with those of float32.
All read the token ids that the exported model makes of the texts. Needs what `pip install 'bert-family[onnx]'` brings.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from absl import flags

from official import command_line, files
from official.errors import InputError

FLAGS = flags.FLAGS
REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent

flags.DEFINE_string("init_checkpoint", None, "The model: a classifier of single texts, or an encoder.")
flags.DEFINE_string("eval_file", None, "Tab-separated, with a header.")
flags.DEFINE_string("text_column", "sentence", "Of the file.")
flags.DEFINE_string("label_column", "label", "Of the file.")
flags.DEFINE_string("work_dir", None, "For the exported models; those that are there are not made again.")
flags.DEFINE_integer("max_seq_length", 128, "Tokens of a row.", 3)
flags.DEFINE_integer("rows", 1_000, "Of the file, at most.", 1)
flags.DEFINE_integer("threads", len(os.sched_getaffinity(0)), "Of every runtime.", 1)
BATCH_SIZE = 32
TIMED_ROWS = 100

Answer = Callable[[dict], dict]  # int32 [B, T] each to float32 [B, …] each, by name.


class Variant(NamedTuple):
    """An exported model that can be asked."""

    name: str
    files: list[pathlib.Path]
    answer: Answer


def export() -> dict[str, pathlib.Path]:
    """EXPORT/NAME/VERSION in float32 and in bfloat16.

    Raises:
        InputError: the model can't be exported.
    """
    paths = {}
    for precision, more in (("float32", ["--variants=tflite_int8", "--variants=onnx"]), ("bfloat16", [])):
        paths[precision] = pathlib.Path(FLAGS.work_dir, precision, "1")
        if paths[precision].exists():
            continue
        given = {"init_checkpoint": FLAGS.init_checkpoint, "export_dir": FLAGS.work_dir, "model_name": precision}
        given |= {"mixed_precision": precision, "max_seq_length": FLAGS.max_seq_length}
        command = [sys.executable, str(REPOSITORY / "export_savedmodel.py"), *more]
        done = subprocess.run(
            command + [f"--{name}={value}" for name, value in given.items()], capture_output=True, text=True
        )
        if done.returncode:
            raise InputError(done.stderr.strip().split("\n")[-1])
    return paths


def read_rows() -> tuple[list[str], list[str]]:
    """Texts and labels.

    Raises:
        InputError: the file has no such column.
    """
    with files.open_file(FLAGS.eval_file) as file:
        header, *rows = (line.rstrip("\n").split("\t") for line in file)
    for name in (FLAGS.text_column, FLAGS.label_column):
        if name not in header:
            raise InputError(f"{FLAGS.eval_file}:1: has no column {name}: {', '.join(header)}")
    columns = [
        [row[header.index(name)] for row in rows[: FLAGS.rows]] for name in (FLAGS.text_column, FLAGS.label_column)
    ]
    return columns[0], columns[1]


def saved_model(path: pathlib.Path, signature_name: str) -> Answer:
    """A signature, asked in a Session."""
    import tensorflow as tf
    import tensorflow_text  # noqa: F401 - its operations

    config = tf.compat.v1.ConfigProto(
        intra_op_parallelism_threads=FLAGS.threads, inter_op_parallelism_threads=FLAGS.threads
    )
    session = tf.compat.v1.Session(graph=tf.Graph(), config=config)
    with session.graph.as_default():
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], str(path))
    signature = meta_graph.signature_def[signature_name]
    outputs = {name: info.name for name, info in signature.outputs.items()}
    return lambda inputs: session.run(outputs, {signature.inputs[name].name: inputs[name] for name in inputs})


def tflite(path: pathlib.Path) -> Answer:
    import tensorflow as tf

    run = tf.lite.Interpreter(str(path), num_threads=FLAGS.threads).get_signature_runner()
    return lambda inputs: run(**inputs)


def onnx(path: pathlib.Path) -> Answer:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = FLAGS.threads
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, dict(inputs))))


def variants_of(paths: dict[str, pathlib.Path]) -> Iterator[Variant]:
    from official.serving.variants import FILES, ONNX, TFLITE_INT8

    for name, path in paths.items():
        stored = [*path.glob("variables/*"), path / "saved_model.pb"]
        yield Variant(name, stored, saved_model(path, "serving_tokens"))
    for name, load in ((TFLITE_INT8, tflite), (ONNX, onnx)):
        path = paths["float32"] / "assets.extra" / FILES[name]
        yield Variant(name, [path], load(path))


def result_of(inputs: dict, outputs: dict):
    """A classifier's logits [B, labels], or the mean of an encoder's states [B, H]."""
    if "logits" in outputs:
        return outputs["logits"]
    mask = inputs["input_mask"][:, :, None]
    return (outputs["sequence_output"] * mask).sum(1) / mask.sum(1)


def measure(variant: Variant, batches: list[dict], single: list[dict]) -> dict:
    """What it answers to all rows [N, …], its size, and the seconds of one row."""
    import numpy as np

    results = np.concatenate([result_of(inputs, variant.answer(inputs)) for inputs in batches])
    seconds = []
    for inputs in single:
        started = time.perf_counter()
        variant.answer(inputs)
        seconds.append(time.perf_counter() - started)
    size = sum(path.stat().st_size for path in variant.files)
    return {"name": variant.name, "results": results, "seconds": statistics.median(seconds), "bytes": size}


def table(measured: list[dict], labels: list[str], known: list[str] | None) -> str:
    """Markdown; `known` are the model's labels."""
    import numpy as np

    lines = [
        "| variant | MB | ms a row | accuracy | as float32 | cosine, mean | least |",
        "|---|---|---|---|---|---|---|",
    ]
    exact = measured[0]["results"]
    for each in measured:
        results = each["results"]
        cosine = (results * exact).sum(1) / np.linalg.norm(results, axis=1) / np.linalg.norm(exact, axis=1)
        accuracy = agreement = "–"
        if known:
            chosen = results.argmax(1)
            accuracy = f"{np.mean([known[index] == label for index, label in zip(chosen, labels)]):.1%}"
            agreement = f"{np.mean(chosen == exact.argmax(1)):.1%}"
        lines.append(
            f"| {each['name']} | {each['bytes'] / 1e6:.1f} | {each['seconds'] * 1e3:.1f} | {accuracy} | {agreement} "
            f"| {cosine.mean():.6f} | {cosine.min():.6f} |"
        )
    return "\n".join(lines)


def main():
    command_line.require(FLAGS, "init_checkpoint", "eval_file", "work_dir")
    texts, labels = read_rows()
    paths = export()
    command_line.import_tensorflow()
    import numpy as np

    tokenize = saved_model(paths["float32"], "tokenize")
    batches = [
        tokenize({"text": np.array(texts[start : start + BATCH_SIZE], object)})
        for start in range(0, len(texts), BATCH_SIZE)
    ]
    single = [tokenize({"text": np.array([text], object)}) for text in texts[:TIMED_ROWS]]
    measured = [measure(variant, batches, single) for variant in variants_of(paths)]
    known = paths["float32"] / "assets.extra" / "labels.json"
    print(table(measured, labels, json.loads(known.read_text()) if known.exists() else None))


if __name__ == "__main__":
    command_line.run(main)
