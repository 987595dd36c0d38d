"""The workers that `TF_CONFIG` names."""

import json
import os
from typing import NamedTuple

import tensorflow as tf

from official.errors import InputError

CHIEF, WORKER = "chief", "worker"
EXAMPLE = '{"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]}, "task": {"type": "worker", "index": 0}}'


class Cluster(NamedTuple):
    """Workers that train together.

    addresses: of all of them, the chief's first.
    number: of this one among them.
    """

    addresses: list[str]
    number: int


def read_tf_config() -> Cluster | None:
    """What the environment says; None if it names no workers.

    Raises:
        InputError: it can't be understood.
    """
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        config = json.loads(text)
        tasks, task = config.get("cluster", {}), config.get("task", {})
        addresses = [(kind, index) for kind in (CHIEF, WORKER) for index in range(len(tasks.get(kind, [])))]
        others = sorted(set(tasks) - {CHIEF, WORKER, "evaluator"})
        this = (task.get("type"), int(task.get("index", 0)))
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(f"TF_CONFIG: {text[:200]} was found, expected was {EXAMPLE}") from error
    if not addresses:
        return None
    if others:
        raise InputError(f"TF_CONFIG: names {', '.join(others)}: only workers, and a chief among them, train together")
    if this not in addresses:
        kind, index = this
        raise InputError(
            f"TF_CONFIG: its cluster has no {kind} {index}, which its task says to be; it is like {EXAMPLE}"
        )
    return Cluster([tasks[kind][index] for kind, index in addresses], addresses.index(this))


def multi_worker_strategy() -> tf.distribute.MultiWorkerMirroredStrategy:
    """Starts this worker's server; the strategy is there when all workers are.

    Raises:
        InputError: `TF_CONFIG` can't be understood, or the server can't be started.
    """
    cluster = read_tf_config()
    if cluster is None:
        raise InputError(f"--distribution=multi_worker: the workers have to be named in TF_CONFIG, as in {EXAMPLE}")
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (ValueError, RuntimeError, tf.errors.OpError) as error:
        raise InputError(
            f"TF_CONFIG: worker {cluster.number}, {cluster.addresses[cluster.number]}, can't start: "
            f"{' '.join(str(error).split())[:300]}"
        ) from error
