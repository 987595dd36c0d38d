"""What a server needs beside its models, and how to ask it: files in the export directory, for all models in it."""

import json
import os
import pathlib
import sys
from collections.abc import Sequence

from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from official import files
from official.errors import InputError
from official.serving.servable import DEFAULT, Servable

TEMPLATES = pathlib.Path(__file__).parent / "templates"
MODELS_CONFIG, BATCHING, MONITORING = "models.config", "batching_parameters.txt", "monitoring.config"
ROOT = "/models"  # Of the export directory inside the container.
BATCH_TIMEOUT_MICROS = 2_000  # So long a request waits for others: less than a text takes.
MAX_ENQUEUED_BATCHES = 1_000
METRICS_PATH = "/monitoring/prometheus/metrics"


def write_deployment(export_dir: str, name: str, servable: Servable, batch_sizes: Sequence[int]) -> None:
    """Writes configuration, docker compose file and clients.

    A file of that name that is there already stays as it is: it may have been adapted, or be another's. In the list of
    models this one is added, and nothing else is changed.

    Args:
        export_dir: holds a directory for each model.
        name: the model for which requests are shown.
        batch_sizes: those that the server makes batches of.
    """
    once = {
        BATCHING: batching_parameters(batch_sizes),
        MONITORING: f'prometheus_config {{ enable: true path: "{METRICS_PATH}" }}\n',
    }
    for template in sorted(TEMPLATES.iterdir()):
        if template.is_file():
            once[template.name] = template.read_text("utf-8")
    for file_name, text in once.items():
        _write_once(os.path.join(export_dir, file_name), text)
    _write(os.path.join(export_dir, f"{name}.request.json"), rest_request(servable))
    _write(os.path.join(export_dir, MODELS_CONFIG), models_config(read_models_config(export_dir), [name]))


def _write(path: str, text: str) -> None:
    with files.write_whole(path) as file:
        file.write(text)


def _write_once(path: str, text: str) -> None:
    if not files.exists(path):
        _write(path, text)
        return
    with files.open_file(path) as file:
        if file.read() != text:
            print(f"note: {path}: is there already, and stays as it is", file=sys.stderr)


def read_models_config(export_dir: str) -> ModelServerConfig:
    """The models that are served from there; none if nothing says so.

    Raises:
        InputError: the file that says so is not as the server wants it.
    """
    config, path = ModelServerConfig(), os.path.join(export_dir, MODELS_CONFIG)
    if files.exists(path):
        with files.open_file(path) as file:
            try:
                text_format.Parse(file.read(), config)
            except text_format.ParseError as error:
                raise InputError(f"{path}:{error}: a ModelServerConfig was expected") from error
    return config


def models_config(config: ModelServerConfig, names: Sequence[str]) -> str:
    """`--model_config_file`, with each of these models served in its newest version where it was not there before."""
    known = {model.name for model in config.model_config_list.config}
    for name in names:
        if name not in known:
            config.model_config_list.config.add(name=name, base_path=f"{ROOT}/{name}", model_platform="tensorflow")
    return text_format.MessageToString(config, as_utf8=True)


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
