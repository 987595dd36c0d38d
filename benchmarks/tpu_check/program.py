"""A cluster as a function without side effects: variables go in as values and come out as values.

The bridge is asked to lower a function for a TPU that is not there, so that there are no variables that it could find.
A read becomes the value that was last written before it, and what was written last is a result.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf
from tensorflow.core.framework import function_pb2, graph_pb2, node_def_pb2
from tensorflow.python.eager import context
from tensorflow.python.ops import handle_data_util

from benchmarks.tpu_check.cluster import CLUSTER, Cluster
from official.errors import InputError

UPDATES = {"AssignAddVariableOp": "AddV2", "AssignSubVariableOp": "Sub"}
# What belongs to the cluster or to its variables, not to its operations.
DROPPED_ATTRIBUTES = (CLUSTER, "_class", "_read_only_resource_inputs")


def pure_function(cluster: Cluster) -> tuple[Callable, list[tf.TensorSpec]]:
    """A `tf.function`, and the specs of its arguments: the variables first, then the cluster's other inputs.

    It answers with the variables' new values in their order, then with the cluster's outputs.

    Raises:
        InputError: a variable is used in a way that can't be followed.
    """
    graph_def, results = _Writer(cluster).write()
    arguments = [*cluster.variables, *cluster.values]
    used = {name.split(":")[0] for node in graph_def.node for name in node.input}

    def replica(*values: tf.Tensor) -> list[tf.Tensor]:
        known = {tensor.name: value for tensor, value in zip(arguments, values, strict=True)}
        made = [name for name in results if name not in known]  # Of a variable that is not written, its value is known.
        mapped = {name: value for name, value in known.items() if name.split(":")[0] in used}
        outputs = tf.graph_util.import_graph_def(graph_def, input_map=mapped, return_elements=made, name="")
        known |= dict(zip(made, outputs, strict=True))
        return [known[name] for name in results]

    specs = [_value_spec(tensor) for tensor in arguments]
    return tf.function(replica, jit_compile=True, autograph=False), specs


def _value_spec(tensor: tf.Tensor) -> tf.TensorSpec:
    """Of a variable's handle, the spec of what it holds."""
    if tensor.dtype != tf.resource:
        return tf.TensorSpec(tensor.shape, tensor.dtype)
    source = tensor.op.inputs[0] if tensor.op.inputs else tensor  # Of the first replica's.
    data = handle_data_util.get_resource_handle_data(source).shape_and_type[0]
    return tf.TensorSpec(tf.TensorShape(data.shape), tf.as_dtype(data.dtype))


class _Writer:
    """Writes a cluster's graph anew, operation by operation."""

    def __init__(self, cluster: Cluster):
        self.cluster = cluster
        self.source = cluster.graph.as_graph_def()
        self.nodes = {node.name: node for node in self.source.node}
        self.written = graph_pb2.GraphDef(versions=self.source.versions, library=self.source.library)
        self.functions = _Functions(self.written.library)
        self.types = {tensor.name: _value_spec(tensor).dtype for tensor in cluster.variables}
        self.values = {tensor.name: tensor.name for tensor in cluster.variables}  # Handle → its value's name, by now.
        self.variables = {tensor.name: tensor.name for tensor in cluster.variables}  # Handle → the variable's.

    def write(self) -> tuple[graph_pb2.GraphDef, list[str]]:
        """The graph, in which the cluster's inputs are left open, and the names of its results."""
        for operation in self.cluster.operations:
            self._write_operation(operation)
        return self.written, [*self.values.values(), *(tensor.name for tensor in self.cluster.outputs)]

    def _write_operation(self, operation: tf.Operation) -> None:
        handles = {n: tensor.name for n, tensor in enumerate(operation.inputs) if tensor.dtype == tf.resource}
        if not handles:
            if operation.type != "NoOp":  # Those are there for the order of things only.
                self._copy(operation)
            return
        variable = self.variables[handles[0]] if 0 in handles else ""
        match operation.type:
            case "Identity":
                self.variables[operation.outputs[0].name] = variable
            case "ReadVariableOp":
                self._add(operation.name, "Identity", self.types[variable], self.values[variable])
            case "AssignVariableOp":
                self.values[variable] = operation.inputs[1].name
            case "AssignAddVariableOp" | "AssignSubVariableOp":
                inputs = self.values[variable], operation.inputs[1].name
                self._add(operation.name, UPDATES[operation.type], self.types[variable], *inputs)
                self.values[variable] = f"{operation.name}:0"
            case _:
                self._copy_call(operation, handles)

    def _add(self, name: str, kind: str, dtype: tf.DType, *inputs: str) -> None:
        node = self.written.node.add(name=name, op=kind, input=inputs)
        node.attr["T"].type = dtype.as_datatype_enum

    def _copy(self, operation: tf.Operation) -> node_def_pb2.NodeDef:
        """Without the control inputs: where nothing has side effects, there is no order to be kept."""
        node = self.written.node.add()
        node.CopyFrom(self.nodes[operation.name])
        node.device = ""
        _forget_control(node)
        for name in DROPPED_ATTRIBUTES:
            node.attr.pop(name, None)
        return node

    def _copy_call(self, operation: tf.Operation, handles: Mapping[int, str]) -> None:
        """A call of functions that read variables: they are given the values instead."""
        node = self._copy(operation)
        types = {}
        for place, handle in handles.items():
            variable = self.variables[handle]
            node.input[place] = self.values[variable]
            types[place] = self.types[variable]
        self.functions.change_call(node, types)
        for output in operation.outputs:  # A loop hands its variables through.
            if output.dtype == tf.resource:
                self.variables[output.name] = self.variables[handles[output.value_index]]


def _forget_control(node: node_def_pb2.NodeDef) -> None:
    inputs = [name for name in node.input if not name.startswith("^")]
    del node.input[:]
    node.input.extend(inputs)


class _Functions:
    """The functions that a graph calls; for those that are given variables, others are made that are given values.

    They have names of their own: TensorFlow knows the first ones already, and would be at a loss with two of a name.
    """

    def __init__(self, library: function_pb2.FunctionDefLibrary):
        self.library = library
        self.known = {function.signature.name: function for function in library.function}

    def change_call(self, node: node_def_pb2.NodeDef, types: Mapping[int, tf.DType]) -> None:
        """Makes a call take values.

        Args:
            node: the call.
            types: the inputs that were variables, with the types of their values.

        Raises:
            InputError: what is called is no function, or it does more with a variable than read it.
        """
        called = [value.func for value in node.attr.values() if value.func.name]
        if not called:
            raise InputError(f"{node.name} ({node.op}): uses a variable in a way that this check can't follow")
        skipped = 1 if node.op in ("If", "StatelessIf") else 0  # The condition is not handed on.
        for function in called:
            function.name = self._of_values(function.name, {n - skipped: dtype for n, dtype in types.items()})
        for key in ("Tin", "T", "Tout"):
            for n, dtype in types.items():
                listed = node.attr[key].list.type if key in node.attr else []
                place = n - skipped
                if place < len(listed) and listed[place] == tf.resource.as_datatype_enum:
                    listed[place] = dtype.as_datatype_enum

    def _of_values(self, name: str, types: Mapping[int, tf.DType]) -> str:
        """The name of the function that does the same where these of its arguments are values."""
        new_name = "_".join([name, "values", *map(str, sorted(types))])
        if new_name not in self.known:
            function = self.library.function.add()
            function.CopyFrom(self.known[name])
            function.signature.name = new_name
            self.known[new_name] = function
            self._change_function(function, types)
            context.context().add_function_def(function)  # Importing the graph does not make it known.
        return new_name

    def _change_function(self, function: function_pb2.FunctionDef, types: Mapping[int, tf.DType]) -> None:
        values: dict[str, tf.DType] = {}
        for place, dtype in types.items():
            argument = function.signature.input_arg[place]
            argument.type = dtype.as_datatype_enum
            function.arg_attr.pop(place, None)
            values[argument.name] = dtype
        reads = {node.name for node in function.node_def if node.op == "ReadVariableOp"}
        for node in function.node_def:
            self._change_node(node, values)
            node.input[:] = [_renamed(source, reads) for source in node.input]
        for result in function.signature.output_arg:
            source = function.ret[result.name] = _renamed(function.ret[result.name], reads)
            if result.type == tf.resource.as_datatype_enum:
                result.type = values[source.split(":")[0]].as_datatype_enum

    def _change_node(self, node: node_def_pb2.NodeDef, values: dict[str, tf.DType]) -> None:
        _forget_control(node)
        sources = [name.split(":")[0] for name in node.input]
        handles = {place: values[source] for place, source in enumerate(sources) if source in values}
        if not handles:
            return
        if node.op not in ("ReadVariableOp", "Identity"):
            self.change_call(node, handles)
            return
        if node.op == "Identity":
            values[node.name] = handles[0]
        node.op = "Identity"
        node.attr.clear()
        node.attr["T"].type = handles[0].as_datatype_enum


def _renamed(source: str, reads: set[str]) -> str:
    """What a read called its value is an Identity's output."""
    return source.replace(":value:", ":output:") if source.split(":")[0] in reads else source
