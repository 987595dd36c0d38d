"""Answers requests with an exported model as TF Serving does, in a Session, with nothing of this project.

python session.py MODEL REQUESTS ANSWERS [MODEL REQUESTS ANSWERS ...]
    MODEL is EXPORT/NAME/VERSION, the others are files as `tensor_file.py` beside this one describes them.
"""

import pathlib
import sys

import tensor_file
import tensorflow as tf
import tensorflow_text  # noqa: F401 - its operations


def answer(session, signature, inputs) -> tensor_file.Exchange:
    """The outputs by name; an error is told in the title."""
    feeds = {signature.inputs[name].name: values for name, values in inputs.items()}
    try:
        return "", session.run({name: info.name for name, info in signature.outputs.items()}, feeds)
    except tf.errors.OpError as error:
        return f"{type(error).__name__}: {error.message}", {}


def answer_all(model: str, requests: str, answers: str) -> None:
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        meta_graph = tf.compat.v1.saved_model.load(session, ["serve"], model)
        signatures = meta_graph.signature_def
        written = [answer(session, signatures[name], inputs) for name, inputs in tensor_file.read(requests)]
    tensor_file.write(answers, written)


def peak_megabytes() -> int:
    """Of this process alone: what `getrusage` tells has what its parent had when it started it (Linux, `exec_mmap`)."""
    lines = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    for first in range(1, len(sys.argv), 3):
        answer_all(*sys.argv[first : first + 3])
    assert "official" not in sys.modules
    print(peak_megabytes(), "MB")
