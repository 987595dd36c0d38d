"""Reaching a TPU, and what to do where that fails."""

import re
import socket
from urllib.parse import urlsplit

import tensorflow as tf

from official.errors import InputError

GRPC = "grpc://"
ANSWER_SECONDS = 10  # TensorFlow would wait for hours for an address where nobody answers.

# What TensorFlow and Google's client say, and what is to be done.
ADVICE = {
    r"No OpKernel was registered": "this TensorFlow knows no TPU: on a TPU VM, pip install tensorflow-tpu",
    r"already in use|lockfile": "another process has it: a TPU serves one at a time",
    r"urlopen error|service not known": (
        "names are looked up at a server that answers on Google Cloud only; elsewhere give the address, "
        "--tpu=grpc://IP:8470; on a TPU VM it is --tpu=local"
    ),
    r"cloud-tpu-client": (
        "to look up a name, pip install cloud-tpu-client; or give the address, --tpu=grpc://IP:8470; on a TPU VM it is "
        "--tpu=local"
    ),
    r"not yet ready|PREEMPTED|become healthy": (
        "wait until it is READY; one that was preempted has to be created again, and the same command then goes on "
        "from the last checkpoint"
    ),
    r"PERMISSION_DENIED|[Pp]ermission|HttpError 403": "this machine's account has to be a TPU Viewer in --gcp_project",
    r"lookup TPU metadata|HttpError 404|No TPUs with": "check the name, --tpu_zone and --gcp_project",
    r"Received http2 header|UNIMPLEMENTED": "what answers there is not TensorFlow's server",
    r"[Tt]opology|mesh_shape|num_tasks": "every host of a slice has to run this command, with the same TensorFlow",
}


def reach_tpu(tpu: str, zone: str | None = None, project: str | None = None) -> tf.distribute.TPUStrategy:
    """Connects to a TPU and initialises it.

    Args:
        tpu: its name, grpc:// addresses with commas between, or `local` on a TPU VM.
        zone, project: where one of that name is, if the machine does not know.

    Raises:
        InputError: it can't be reached; what can be done about it is said.
    """
    for address in tpu.split(",") if tpu.startswith(GRPC) else ():
        _require_answer(tpu, address)
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu=tpu, zone=zone, project=project)
        if tpu != "local":
            tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
        return tf.distribute.TPUStrategy(resolver)
    except (ValueError, RuntimeError, ImportError, OSError, tf.errors.OpError) as error:
        raise InputError(f"--tpu={tpu}: {_advice(error)}") from error


def _require_answer(tpu, address):
    try:
        parts = urlsplit(address)
        if not parts.hostname or not parts.port:
            raise InputError(f"--tpu={tpu}: an address is grpc://HOST:PORT, the port mostly 8470")
        socket.create_connection((parts.hostname, parts.port), timeout=ANSWER_SECONDS).close()
    except (OSError, ValueError) as error:
        raise InputError(
            f"--tpu={tpu}: nobody answers at {address} ({error}): is it running, and is it reached from this network?"
        ) from error


def _advice(error):
    said = " ".join(str(error).split())
    known = next((advice for pattern, advice in ADVICE.items() if re.search(pattern, said)), None)
    return f"{known} ({said[:120]})" if known else f"no TPU could be reached: {said[:300]}"
