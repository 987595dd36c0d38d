"""libtpu as a compiler, which needs no TPU: JAX's client of it, given a program of TensorFlow's."""

import re

from benchmarks.tpu_check.topologies import Topology

# On TPUs an all-reduce may be parted into its start and its end, so that other work is done meanwhile.
ALL_REDUCE = re.compile(r" all-reduce(?:-start)?\(")


def compile_module(module: bytes, aliased: int, topology: Topology):
    """Compiles a module for all devices of a topology.

    Raises:
        jax.errors.JaxRuntimeError: the compiler refuses it.
    """
    import numpy as np
    from jax._src.interpreters import mlir
    from jax._src.lib import _jax, xla_client
    from jax._src.lib.mlir import ir
    from jax.experimental import topologies

    description = topologies.get_topology_desc(platform="tpu", topology_name=topology.name)
    devices = description.devices[: topology.replicas]
    options = xla_client.CompileOptions()
    options.num_replicas, options.num_partitions = topology.replicas, 1
    assignment = np.array([[device.id] for device in devices])  # [replicas, 1]
    options.device_assignment = xla_client.DeviceAssignment.create(assignment)
    with mlir.make_ir_context():
        parsed = ir.Module.parse(_jax.mlir.hlo_to_stablehlo(module))
        function = next(op for op in parsed.body.operations if op.attributes["sym_name"].value == "main")
        _drop_copies(function)
        _alias(function, aliased)
        return devices[0].client.compile(
            parsed, executable_devices=xla_client.DeviceList(tuple(devices)), compile_options=options
        )


def _drop_copies(function) -> None:
    """TensorFlow copies what it returns; the form in which the client hands programs on has no such operation."""
    for operation in list(function.regions[0].blocks[0]):
        if operation.operation.name == "mhlo.copy":
            operation.results[0].replace_all_uses_with(operation.operands[0])
            operation.operation.erase()


def _alias(function, count: int) -> None:
    """Variables are updated in their place: result n takes the memory of argument n."""
    from jax._src.lib.mlir import ir

    known = list(function.attributes["arg_attrs"]) if "arg_attrs" in function.attributes else []
    known += [ir.DictAttr.get({})] * (len(function.regions[0].blocks[0].arguments) - len(known))
    for n in range(count):
        place = ir.IntegerAttr.get(ir.IntegerType.get_signless(32), n)
        known[n] = ir.DictAttr.get({entry.name: entry.attr for entry in known[n]} | {"tf.aliasing_output": place})
    function.attributes["arg_attrs"] = ir.ArrayAttr.get(known)


def describe(program) -> dict:
    """What a compiled program takes of a device, and its all-reduces, for JSON."""
    memory = program.get_compiled_memory_stats()
    sizes = {
        "arguments": memory.argument_size_in_bytes,
        "outputs": memory.output_size_in_bytes,
        "aliased": memory.alias_size_in_bytes,
        "temporaries": memory.temp_size_in_bytes,
        "code": memory.generated_code_size_in_bytes,
    }
    total = sum(sizes.values()) - 2 * sizes["aliased"]  # What is aliased is counted among arguments and outputs.
    text = program.hlo_modules()[0].to_string()
    return {"bytes": sizes | {"total": total}, "all_reduces": len(ALL_REDUCE.findall(text))}
