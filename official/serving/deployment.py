"""What a server needs beside its models, and how to ask it: files in the export directory, for all models in it."""

import json
import os
import pathlib
from collections.abc import Sequence

import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from official import files
from official.serving.saved_model import versions
from official.serving.servable import DEFAULT, Servable

TEMPLATES = pathlib.Path(__file__).parent / "templates"
MODELS_CONFIG, BATCHING, MONITORING = "models.config", "batching_parameters.txt", "monitoring.config"
ROOT = "/models"  # Of the export directory inside the container.
BATCH_TIMEOUT_MICROS = 2_000  # So long a request waits for others: less than a text takes.
MAX_ENQUEUED_BATCHES = 1_000
METRICS_PATH = "/monitoring/prometheus/metrics"


def write_deployment(export_dir: str, name: str, servable: Servable, batch_sizes: Sequence[int]) -> None:
    """Writes configuration, docker compose file and clients; what is there from another model is replaced.

    Args:
        export_dir: holds a directory for each model.
        name: the model for which requests are shown.
        batch_sizes: those that the server makes batches of.
    """
    written = {
        MODELS_CONFIG: models_config(model_names(export_dir)),
        BATCHING: batching_parameters(batch_sizes),
        MONITORING: f'prometheus_config {{ enable: true path: "{METRICS_PATH}" }}\n',
    }
    for template in sorted(TEMPLATES.iterdir()):
        if template.is_file():
            written[template.name] = template.read_text("utf-8")
    written[f"{name}.request.json"] = rest_request(servable)
    for file_name, text in written.items():
        with files.write_whole(os.path.join(export_dir, file_name)) as file:
            file.write(text)


def model_names(export_dir: str) -> list[str]:
    """The models of which there is a version."""
    names = (name.rstrip("/") for name in tf.io.gfile.listdir(export_dir))
    directories = [name for name in names if tf.io.gfile.isdir(os.path.join(export_dir, name))]
    return sorted(name for name in directories if versions(os.path.join(export_dir, name)))


def models_config(names: Sequence[str]) -> str:
    """`--model_config_file`: each model's newest version."""
    config = model_server_config_pb2.ModelServerConfig()
    for name in names:
        config.model_config_list.config.add(name=name, base_path=f"{ROOT}/{name}", model_platform="tensorflow")
    return text_format.MessageToString(config)


def batching_parameters(batch_sizes: Sequence[int]) -> str:
    """`--batching_parameters_file`.

    `pad_variable_length_inputs` is left off: texts need none, and with token ids of different lengths it pads the mask
    with the same value as the ids (servables of one batch have to send rows of one length).
    """
    sizes = sorted(set(batch_sizes))
    return (
        f"max_batch_size {{ value: {sizes[-1]} }}\n"
        + "".join(f"allowed_batch_sizes: {size}\n" for size in sizes)
        + f"batch_timeout_micros {{ value: {BATCH_TIMEOUT_MICROS} }}\n"
        f"max_enqueued_batches {{ value: {MAX_ENQUEUED_BATCHES} }}\n"
        "num_batch_threads { value: 2 }\n"
    )


def rest_request(servable: Servable) -> str:
    """The body of a request for the default signature, as `curl -d @NAME.request.json` sends it."""
    sample = servable.signatures()[DEFAULT].sample(8)  # The first is the shortest.
    request = {name: _as_text(values[:1].tolist()) for name, values in sample.items()}
    return json.dumps({"inputs": request}, ensure_ascii=False) + "\n"


def _as_text(value):
    return value.decode() if isinstance(value, bytes) else [_as_text(each) for each in value]
