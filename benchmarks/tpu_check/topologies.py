"""TPUs by the names that libtpu has for them, and a strategy for one that is not there."""

from typing import NamedTuple
from unittest import mock

from official.errors import InputError


class Topology(NamedTuple):
    """Chips in a mesh; each is one device, and one replica.

    Attributes:
        name: libtpu's.
        mesh: chips along x, y and z.
        hbm: memory of a chip in GiB, as published.
    """

    name: str
    mesh: tuple[int, int, int]
    hbm: int

    @property
    def replicas(self) -> int:
        x, y, z = self.mesh
        return x * y * z


TOPOLOGIES = {
    topology.name: topology
    for topology in (
        Topology("v5e:2x2", (2, 2, 1), hbm=16),
        Topology("v5e:4x4", (4, 4, 1), hbm=16),
        Topology("v4:2x2x1", (2, 2, 1), hbm=32),
        Topology("v4:2x2x4", (2, 2, 4), hbm=32),
    )
}


def topology_of(name: str) -> Topology:
    """The topology of this name.

    Raises:
        InputError: there is none.
    """
    if name not in TOPOLOGIES:
        raise InputError(f"--topology={name}: one of {', '.join(TOPOLOGIES)} was expected")
    return TOPOLOGIES[name]


def absent_tpu_strategy(topology: Topology):
    """A `tf.distribute.TPUStrategy` as on this TPU, which is never asked: what is traced under it can't be run.

    The class is TensorFlow's own. What it would learn from the TPU, its devices and how they are connected, is put in;
    variables are on the CPU. All chips belong to one host here, which changes nothing in the program of a replica.
    """
    import tensorflow as tf
    from tensorflow.python.tpu import tpu_strategy_util

    metadata, connections = _system_metadata(topology), {"local": _connections(topology)}
    resolver_class = tf.distribute.cluster_resolver.TPUClusterResolver
    with (
        mock.patch.object(resolver_class, "get_tpu_system_metadata", lambda self: metadata),
        mock.patch.object(tpu_strategy_util, "_INITIALIZED_TPU_SYSTEMS", connections),
    ):
        return tf.distribute.TPUStrategy(resolver_class(tpu="local"))


def _system_metadata(topology):
    from tensorflow.python.client import session
    from tensorflow.python.tpu import tpu_system_metadata

    def device(kind, number):
        name = f"/job:localhost/replica:0/task:0/device:{kind}:{number}"
        return session._DeviceAttributes(name, kind, 0, 0)

    devices = [device("CPU", 0), device("TPU_SYSTEM", 0)]
    return tpu_system_metadata.TPUSystemMetadata(
        num_cores=topology.replicas,
        num_hosts=1,
        num_of_cores_per_host=topology.replicas,
        topology=None,
        devices=devices + [device("TPU", number) for number in range(topology.replicas)],
    )


def _connections(topology):
    """Where each chip is in the mesh, x fastest; the fourth number counts cores on a chip."""
    import numpy as np
    from tensorflow.python.tpu.topology import Topology as Connections

    x, y, z = topology.mesh
    places = [[n % x, n // x % y, n // (x * y), 0] for n in range(topology.replicas)]
    return Connections(mesh_shape=[x, y, z, 1], device_coordinates=np.array([places]))
