"""Second stage: TensorFlow's own bridge to TPUs lowers the step.

    python -m benchmarks.tpu_check.lower --task=pretraining --bert_config_file=bert-tiny --output=step.hlo

Needs an environment of its own, with what lowering_requirements.txt names. Writes the program of one replica as a
serialized HLO module, and prints JSON: what the first stage says, and how the lowering ended.
"""

import json
import os
import time

from absl import flags

from benchmarks.tpu_check import case_flags
from official import command_line, files

FLAGS = flags.FLAGS

flags.DEFINE_string("output", None, "Where the HLO module is written.")
flags.adopt_module_key_flags(case_flags)


def lower(cluster) -> tuple[bytes, int]:
    """The HLO module of a cluster, and how many of its first arguments are variables that its first results replace.

    Raises:
        ValueError: the bridge refuses it.
    """
    from benchmarks.tpu_check.program import pure_function

    function, specs = pure_function(cluster)
    generate = function.experimental_get_compiler_ir(*specs)
    return generate(stage="hlo_serialized", platform_name="TPU"), len(cluster.variables)


def main():
    command_line.require(FLAGS, "output")
    # Else the library looks for a TPU for minutes.
    os.environ.setdefault("TPU_SKIP_MDS_QUERY", "1")
    os.environ.setdefault("ALLOW_MULTIPLE_LIBTPU_LOAD", "1")
    command_line.import_tensorflow()
    from benchmarks.tpu_check.cluster import describe
    from benchmarks.tpu_check.steps import trace_step
    from benchmarks.tpu_check.topologies import absent_tpu_strategy, topology_of

    case = case_flags.case_of_flags(FLAGS)
    cluster = trace_step(case, absent_tpu_strategy(topology_of(case.topology)))
    found, started = describe(cluster), time.monotonic()
    try:
        module, variables = lower(cluster)
    except ValueError as error:
        found["bridge_refusal"] = " ".join(str(error).split())[:400]
    else:
        with files.write_whole(FLAGS.output, "wb") as file:
            file.write(module)
        found |= {"aliased": variables, "lowering_seconds": round(time.monotonic() - started, 1)}
    print(json.dumps(found))


if __name__ == "__main__":
    command_line.run(main)
