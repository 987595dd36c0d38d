"""TensorFlow's own strategy for TPUs, told of one that is not there."""

import pytest
import tensorflow as tf

from benchmarks.tpu_check.topologies import TOPOLOGIES, absent_tpu_strategy, topology_of
from official.errors import InputError
from official.training.strategy import fastest_precision, runs_on_cpu


@pytest.mark.parametrize(("name", "replicas"), [("v5e:2x2", 4), ("v5e:4x4", 16), ("v4:2x2x1", 4), ("v4:2x2x4", 16)])
def test_the_strategy_is_tensorflows_with_a_replica_for_each_chip(name, replicas):
    strategy = absent_tpu_strategy(TOPOLOGIES[name])
    assert type(strategy) is tf.distribute.TPUStrategy
    assert strategy.num_replicas_in_sync == TOPOLOGIES[name].replicas == replicas


def test_what_a_run_decides_by_its_devices_is_decided_as_on_a_tpu(tpu):
    assert fastest_precision(tpu) == "bfloat16" and not runs_on_cpu(tpu)


def test_an_unknown_topology_is_refused_by_name():
    with pytest.raises(InputError, match="--topology=v9:1x1: one of v5e:2x2, .* was expected"):
        topology_of("v9:1x1")
