"""What TPUStrategy sends to its replicas, cut out of a traced function, and what in it a TPU could not run."""

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import tensorflow as tf
from tensorflow.python.framework import kernels

from official.errors import InputError

CLUSTER = "_tpu_replicate"  # The attribute that names the cluster that an operation belongs to.
# Outputs of their own size that the compiler takes as constants: which axes a gradient is summed over.
CONSTANT_TO_THE_COMPILER = {"BroadcastGradientArgs"}


class Cluster(NamedTuple):
    """The part of a graph that every replica runs.

    Attributes:
        graph: the one that it is part of.
        operations: in the order in which they were made, which is the order of a variable's reads and writes.
        inputs: tensors from outside, the variables' handles among them.
        outputs: what leaves it.
    """

    graph: tf.Graph
    operations: list[tf.Operation]
    inputs: list[tf.Tensor]
    outputs: list[tf.Tensor]

    @property
    def variables(self) -> list[tf.Tensor]:
        return [tensor for tensor in self.inputs if tensor.dtype == tf.resource]

    @property
    def values(self) -> list[tf.Tensor]:
        """Inputs that are not variables: the batch, the learning rate, the replica's number."""
        return [tensor for tensor in self.inputs if tensor.dtype != tf.resource]


def find_cluster(traced: tf.types.experimental.ConcreteFunction) -> Cluster:
    """The one cluster in a traced function or in those that it calls: a loop's body.

    Raises:
        InputError: there is none, or more than one.
    """
    operations = (op for graph in _graphs(traced.graph) for op in graph.get_operations())
    marked = [operation for operation in operations if operation.type == "TPUReplicateMetadata"]
    if len(marked) != 1:
        raise InputError(f"{len(marked)} programs for a TPU were found in the step, one was expected")
    graph, name = marked[0].graph, marked[0].get_attr(CLUSTER)
    operations = [op for op in graph.get_operations() if op is not marked[0] and _cluster_of(op) == name]
    inside = {op.name for op in operations}
    entering = [tensor for op in operations for tensor in op.inputs if tensor.op.name not in inside]
    leaving = [op.inputs[0] for op in graph.get_operations() if op.type == "TPUReplicatedOutput"]
    return Cluster(graph, operations, list({tensor.name: tensor for tensor in entering}.values()), leaving)


def _cluster_of(operation: tf.Operation) -> bytes | None:
    return operation.get_attr(CLUSTER) if CLUSTER in operation.node_def.attr else None


def _graphs(graph: tf.Graph, seen: set[str] | None = None) -> Iterator[tf.Graph]:
    """A graph and those of all functions that it knows, each once."""
    seen = set() if seen is None else seen
    yield graph
    for name, function in graph._functions.items():
        if name not in seen:
            seen.add(name)
            yield from _graphs(function.graph, seen)


def all_operations(cluster: Cluster) -> Iterator[tf.Operation]:
    """The operations of a cluster and of the functions that it calls, without these functions' arguments."""
    functions = {
        name: function.graph for graph in _graphs(cluster.graph) for name, function in graph._functions.items()
    }
    waiting, seen = list(cluster.operations), set()
    while waiting:
        operation = waiting.pop()
        yield operation
        called = {name for name in _called_functions(operation) if name in functions} - seen
        seen |= called
        for name in sorted(called):
            waiting.extend(op for op in functions[name].get_operations() if op.type != "Placeholder")


def _called_functions(operation: tf.Operation) -> Iterator[str]:
    for value in operation.node_def.attr.values():
        yield from (function.name for function in [value.func, *value.list.func] if function.name)


def host_operations(cluster: Cluster) -> list[str]:
    """Operations that no compiler has a kernel for, but a CPU has: `name (Type)` of each."""
    _register_kernels()
    host = {kind for kind in {op.type for op in all_operations(cluster)} if _runs_on_the_host_only(kind)}
    return [f"{op.name} ({op.type})" for op in all_operations(cluster) if op.type in host]


def _register_kernels() -> None:
    """XLA registers its kernels when it is first used, for whichever platforms this TensorFlow was built."""
    plus_one = tf.function(lambda x: x + 1.0, jit_compile=True, autograph=False)
    for platform in ("CPU", "TPU"):
        with contextlib.suppress(ValueError):
            plus_one.experimental_get_compiler_ir(tf.TensorSpec([]))(stage="hlo", platform_name=platform)
    if _runs_on_the_host_only("AddV2"):
        raise InputError("this TensorFlow has no kernels for XLA: 2.20 or 2.21, or tensorflow-tpu 2.20 were expected")


def _runs_on_the_host_only(kind: str) -> bool:
    devices = {kernel.device_type for kernel in kernels.get_registered_kernels_for_op(kind).kernel}
    return "CPU" in devices and not any(device.startswith("XLA_") for device in devices)


def dynamic_shapes(cluster: Cluster) -> list[str]:
    """Tensors whose size is known only when they are there: `name (Type) shape` of each.

    The bridge lowers them without complaint, padded to what they can be at most. A TPU's compiler may then refuse the
    program, and where it does not, the step computes on padding.
    """
    return [
        f"{tensor.name} ({op.type}) {tensor.shape}"
        for op in all_operations(cluster)
        if op.type not in CONSTANT_TO_THE_COMPILER
        for tensor in op.outputs
        if tensor.dtype not in (tf.resource, tf.variant) and not tensor.shape.is_fully_defined()
    ]


def describe(cluster: Cluster) -> dict:
    """What is found in a cluster, for JSON."""
    kinds = [operation.type for operation in all_operations(cluster)]
    return {
        "operations": len(kinds),
        "cross_replica_sums": kinds.count("CrossReplicaSum"),
        "variables": len(cluster.variables),
        "host_operations": host_operations(cluster),
        "dynamic_shapes": dynamic_shapes(cluster),
    }
