"""What is written beside the models: the server's configuration, the compose file, a request."""

import json
import pathlib
import re

import pytest
import yaml
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from official.errors import InputError
from official.serving import deployment

# Of servables/tensorflow/session_bundle_config.proto and config/monitoring_config.proto: not in the wheel.
BATCHING_FIELDS = {
    "max_batch_size": "value",
    "batch_timeout_micros": "value",
    "max_enqueued_batches": "value",
    "num_batch_threads": "value",
    "thread_pool_name": "value",
    "allowed_batch_sizes": int,
    "pad_variable_length_inputs": bool,
    "enable_large_batch_splitting": "value",
    "max_execution_batch_size": "value",
}
# Of model_servers/main.cc.
SERVER_FLAGS = {
    "port", "rest_api_port", "model_config_file", "model_config_file_poll_wait_seconds", "enable_batching",
    "batching_parameters_file", "monitoring_config_file",
}  # fmt: skip


def config_of(*names: str) -> ModelServerConfig:
    return text_format.Parse(deployment.models_config(ModelServerConfig(), names), ModelServerConfig())


def test_the_server_is_told_of_every_model_that_was_exported(exported):
    export_dir = pathlib.Path(exported("classifier")).parent.parent
    exported("tagger")
    config = deployment.read_models_config(str(export_dir))
    models = {model.name: model for model in config.model_config_list.config}
    assert {"classifier", "tagger"} <= set(models)
    assert models["tagger"].base_path == "/models/tagger" and models["tagger"].model_platform == "tensorflow"


def test_what_a_user_has_written_of_models_stays():
    config = config_of("old")
    config.model_config_list.config[0].model_version_policy.specific.versions.append(3)
    config.model_config_list.config[0].version_labels["stable"] = 3
    text = deployment.models_config(config, ["old", "new"])
    parsed = text_format.Parse(text, ModelServerConfig()).model_config_list.config
    assert [model.name for model in parsed] == ["old", "new"]
    assert list(parsed[0].model_version_policy.specific.versions) == [3] and parsed[0].version_labels["stable"] == 3


def test_a_list_of_models_that_is_none_is_named_with_its_line(tmp_path):
    (tmp_path / "models.config").write_text("model_config_list {\n  config { nmae: 'x' }\n}\n")
    with pytest.raises(InputError, match=rf"{re.escape(str(tmp_path))}/models.config:2:12 : .*ModelServerConfig was"):
        deployment.read_models_config(str(tmp_path))


def test_batching_has_the_servers_fields_and_its_last_size_is_the_largest():
    text = deployment.batching_parameters([8, 1, 4, 8])
    found = re.findall(r"^(\w+)(?:: (\S+)| \{ value: (\d+) \})$", text, re.MULTILINE)
    assert len(found) == len(text.splitlines())
    for name, plain, wrapped in found:
        assert wrapped if BATCHING_FIELDS[name] == "value" else BATCHING_FIELDS[name](plain)
    sizes = [int(plain) for name, plain, _ in found if name == "allowed_batch_sizes"]
    # The server refuses to start where the last is another (servables/tensorflow/bundle_factory_util.cc).
    assert sizes == [1, 4, 8] and ("max_batch_size", "", "8") in found


def test_the_compose_file_starts_the_server_with_flags_that_it_has_and_files_that_are_there(exported):
    export_dir = pathlib.Path(exported("classifier")).parent.parent
    service = yaml.safe_load((export_dir / "docker-compose.yml").read_text())["services"]["serving"]
    flags = dict(flag.removeprefix("--").split("=") for flag in service["command"])
    assert set(flags) <= SERVER_FLAGS
    assert service["volumes"] == [".:/models:ro"]
    for name, value in flags.items():
        if name.endswith("_file"):
            assert (export_dir / value.removeprefix("/models/")).is_file()
    assert set(service["ports"]) == {f"{flags[name]}:{flags[name]}" for name in ("port", "rest_api_port")}


def test_monitoring_is_one_message(exported):
    text = (pathlib.Path(exported("classifier")).parent.parent / "monitoring.config").read_text()
    assert re.fullmatch(r'prometheus_config \{ enable: true path: "(/\w+)+" \}\n', text)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [("classifier", {"text"}), ("questions_v1", {"question", "context"}), ("multiple_choice", {"text_a", "choices"})],
)
def test_a_request_of_one_row_goes_with_each_model(name, inputs, exported):
    export_dir = pathlib.Path(exported(name)).parent.parent
    request = json.loads((export_dir / f"{name}.request.json").read_text())
    assert set(request) == {"inputs"} and set(request["inputs"]) == inputs
    assert all(len(rows) == 1 for rows in request["inputs"].values())


def test_files_that_are_there_are_not_replaced(tmp_path, capsys):
    class Servable:
        @staticmethod
        def signatures():
            raise AssertionError("is not asked before the rest is written")

    (tmp_path / "README.md").write_text("mine")
    (tmp_path / "batching_parameters.txt").write_text(deployment.batching_parameters([1]))
    with pytest.raises(AssertionError):
        deployment.write_deployment(str(tmp_path), "model", Servable(), [1])
    assert (tmp_path / "README.md").read_text() == "mine"
    assert (tmp_path / "docker-compose.yml").is_file()
    said = capsys.readouterr().err
    assert "README.md: is there already, and stays" in said and "batching_parameters" not in said
