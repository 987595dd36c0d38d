"""First stage: is the step one that TPUStrategy accepts and a TPU could run?

    python -m benchmarks.tpu_check.trace --task=pretraining --bert_config_file=bert-tiny --batch_size=8

Needs TensorFlow 2.20 or 2.21 only. Prints JSON: operations, all-reduces asked for, and by name the operations that only
a host can run and the tensors of unknown size. Ends with status 1 where there are any.
"""

import json

from absl import flags

from benchmarks.tpu_check import case_flags
from official import command_line
from official.errors import InputError

FLAGS = flags.FLAGS

flags.adopt_module_key_flags(case_flags)


def main():
    case = case_flags.case_of_flags(FLAGS)
    command_line.import_tensorflow()
    from benchmarks.tpu_check.cluster import describe
    from benchmarks.tpu_check.steps import trace_step
    from benchmarks.tpu_check.topologies import absent_tpu_strategy, topology_of

    found = describe(trace_step(case, absent_tpu_strategy(topology_of(case.topology))))
    print(json.dumps(found))
    wrong = found["host_operations"] + found["dynamic_shapes"]
    if wrong:
        raise InputError(f"{case.name}: a TPU can't run this step: {'; '.join(wrong[:5])}")


if __name__ == "__main__":
    command_line.run(main)
