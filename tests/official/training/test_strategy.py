"""What a TPU that can't be reached, or a `TF_CONFIG` that can't be understood, is answered with."""

import json
import socket
import urllib.error

import pytest
import tensorflow as tf

from official.errors import InputError
from official.training import tpu
from official.training.strategy import make_strategy
from official.training.tf_config import read_tf_config

CLUSTER = {"worker": ["one:1", "two:2"]}


def resolver_that_raises(error):
    def resolver(**_):
        raise error

    return resolver


@pytest.mark.parametrize(
    "error, advice",
    [
        (urllib.error.URLError("[Errno -2] Name or service not known"), "on Google Cloud only"),
        (RuntimeError("Run `pip install cloud-tpu-client` to fix."), "to look up a name"),
        (RuntimeError('TPU "n" is not yet ready; state: "PREEMPTED"'), "created again"),
        (ValueError("Could not lookup TPU metadata from name 'n'. Exception: <HttpError 404"), "check the name"),
        (RuntimeError("<HttpError 403 when requesting"), "TPU Viewer"),
        (tf.errors.UnknownError(None, None, "The TPU is already in use by process with pid 7"), "one at a time"),
        (ValueError("`mesh_shape` must be a vector of size 4"), "every host of a slice"),
        (RuntimeError("What nobody has foreseen"), "no TPU could be reached: What nobody has foreseen"),
    ],
)
def test_what_failed_with_a_tpu_is_said_with_what_to_do(monkeypatch, error, advice):
    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", resolver_that_raises(error))
    with pytest.raises(InputError, match=f"^--tpu=n: .*{advice}"):
        make_strategy(tpu="n")


def test_a_machine_without_a_tpu_is_told_what_its_tensorflow_lacks():
    with pytest.raises(InputError, match="pip install tensorflow-tpu"):
        make_strategy(tpu="local")


def test_an_address_where_nobody_answers_is_found_out_at_once():
    with socket.socket() as taken:
        taken.bind(("localhost", 0))  # And does not listen.
        address = f"grpc://localhost:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match=f"nobody answers at {address}"):
            make_strategy(tpu=address)


@pytest.mark.parametrize("address", ["grpc://", "grpc://host", "grpc://host:port", "grpc://host:99999999"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(InputError, match="^--tpu="):
        tpu.reach_tpu(address)


@pytest.mark.parametrize(
    "text, complaint",
    [
        ("{", "expected was"),
        ("[]", "expected was"),
        ('{"cluster": []}', "expected was"),
        ('{"cluster": {"worker": 3}, "task": {"type": "worker", "index": 0}}', "expected was"),
        (json.dumps({"cluster": CLUSTER, "task": {"type": "worker", "index": "x"}}), "expected was"),
        (json.dumps({"cluster": CLUSTER, "task": {"type": "worker", "index": 2}}), "has no worker 2"),
        (json.dumps({"cluster": CLUSTER}), "has no None 0"),
        (json.dumps({"cluster": CLUSTER | {"ps": ["three:3"]}, "task": {"type": "worker"}}), "names ps"),
    ],
)
def test_a_tf_config_that_names_no_workers_rightly_is_one_line(monkeypatch, text, complaint):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(InputError, match=f"^TF_CONFIG: .*{complaint}"):
        make_strategy()


@pytest.mark.parametrize("config", [None, "", "{}", '{"cluster": {}}'])
def test_without_workers_there_is_one_device_and_many_workers_can_not_be_asked_for(monkeypatch, config):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config is not None:
        monkeypatch.setenv("TF_CONFIG", config)
    assert isinstance(make_strategy(), tf.distribute.OneDeviceStrategy)
    with pytest.raises(InputError, match="have to be named in TF_CONFIG"):
        make_strategy("multi_worker")


def test_the_chief_comes_first(monkeypatch):
    config = {"cluster": CLUSTER | {"chief": ["zero:0"]}, "task": {"type": "worker", "index": 1}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(config))
    assert read_tf_config() == (["zero:0", "one:1", "two:2"], 2)


def test_mirrored_takes_all_devices():
    assert make_strategy("mirrored").num_replicas_in_sync == 2  # As conftest.py has divided the CPU.
