"""Third stage: libtpu compiles the step for a TPU, with as many replicas as it has.

    python -m benchmarks.tpu_check.compile --module=step.hlo --aliased=138 --topology=v5e:2x2

Needs an environment of its own, with what compiling_requirements.txt names: a process that holds TensorFlow's libtpu as
well crashes. Prints JSON: the memory that a device needs, in bytes, and how many all-reduces the program has; or what
the compiler says where it refuses it.
"""

import json
import os
import time

from absl import flags

from benchmarks.tpu_check.compiler import compile_module, describe
from benchmarks.tpu_check.topologies import topology_of
from official import command_line, files
from official.errors import InputError

FLAGS = flags.FLAGS

flags.DEFINE_string("module", None, "A serialized HLO module, of the second stage.")
flags.DEFINE_integer("aliased", 0, "So many first arguments are replaced by the first results.", lower_bound=0)
flags.DEFINE_string("topology", "v5e:2x2", "The TPU, by libtpu's name.")


def main():
    command_line.require(FLAGS, "module")
    topology = topology_of(FLAGS.topology)
    # Else JAX looks for a TPU for minutes, and libtpu wants to be alone on the machine, as where there is one.
    os.environ |= {"JAX_PLATFORMS": "cpu", "TPU_SKIP_MDS_QUERY": "1", "ALLOW_MULTIPLE_LIBTPU_LOAD": "1"}
    import jax

    with files.open_file(FLAGS.module, "rb") as file:
        module = file.read()
    started = time.monotonic()
    try:
        found = describe(compile_module(module, FLAGS.aliased, topology))
    except jax.errors.JaxRuntimeError as error:
        if str(error).startswith("ABORTED"):  # No word on the program: the library did not start.
            raise InputError(f"libtpu: {error}") from error
        found = {"compiler_refusal": " ".join(str(error).split())[:400]}
    print(json.dumps(found | {"compiling_seconds": round(time.monotonic() - started, 1)}))


if __name__ == "__main__":
    command_line.run(main)
