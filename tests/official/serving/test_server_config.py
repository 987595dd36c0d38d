"""What a server is started with: configuration that it can read."""

import os
import re

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from official.serving import deployment
from tests.official.serving import small_models

# tensorflow_serving/servables/tensorflow/session_bundle_config.proto, BatchingParameters. Numbers are wrapped.
BATCHING_FIELDS = {
    "max_batch_size": "wrapped",
    "batch_timeout_micros": "wrapped",
    "max_enqueued_batches": "wrapped",
    "num_batch_threads": "wrapped",
    "thread_pool_name": "wrapped",
    "allowed_batch_sizes": "repeated",
    "pad_variable_length_inputs": "plain",
    "enable_large_batch_splitting": "wrapped",
    "max_execution_batch_size": "wrapped",
    "low_priority_max_batch_size": "wrapped",
}
FIELD = re.compile(r"^(?P<name>\w+)(?: \{ value: (?P<wrapped>\d+) \}|: (?P<plain>\d+))$")


def directory(path: str) -> str:
    """EXPORT of EXPORT/NAME/VERSION."""
    return os.path.dirname(os.path.dirname(path))


def read(*parts: str) -> str:
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def test_the_server_s_own_message_holds_the_models(exported):
    paths = [exported(name) for name in ("classifier", "tagger")]
    config = model_server_config_pb2.ModelServerConfig()
    text_format.Parse(read(directory(paths[0]), "models.config"), config)
    models = {model.name: model for model in config.model_config_list.config}
    assert {"classifier", "tagger"} <= set(models) <= set(small_models.KINDS)
    for name, model in models.items():
        assert model.base_path == f"/models/{name}" and model.model_platform == "tensorflow"


def test_batching_has_the_fields_of_the_server_s_message(exported):
    found = {}
    for line in read(directory(exported("classifier")), "batching_parameters.txt").splitlines():
        field = FIELD.match(line)
        assert field, line
        kind = BATCHING_FIELDS[field["name"]]
        assert (field["wrapped"] is not None) == (kind == "wrapped"), line
        found.setdefault(field["name"], []).append(int(field["wrapped"] or field["plain"]))
    sizes = sorted(small_models.BATCH_SIZES)
    assert found["allowed_batch_sizes"] == sizes and found["max_batch_size"] == [sizes[-1]]
    assert all(len(values) == 1 for name, values in found.items() if BATCHING_FIELDS[name] != "repeated")


def test_batch_sizes_grow_and_end_with_the_largest_as_the_server_demands():
    text = deployment.batching_parameters((8, 1, 4, 4))
    assert [int(size) for size in re.findall(r"allowed_batch_sizes: (\d+)", text)] == [1, 4, 8]
    assert "max_batch_size { value: 8 }" in text


def test_monitoring_has_the_fields_of_the_server_s_message(exported):
    # tensorflow_serving/config/monitoring_config.proto: MonitoringConfig { PrometheusConfig { enable, path } }.
    text = read(directory(exported("classifier")), "monitoring.config")
    assert re.fullmatch(r'prometheus_config \{ enable: true path: "/[\w/]+" \}\n', text)
