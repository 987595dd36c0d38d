"""What is known of each case: read from its file, in words, as a table."""

import json

from benchmarks.tpu_check import cases
from benchmarks.tpu_check.cases import Case
from benchmarks.tpu_check.topologies import topology_of
from official import files

GIB = 2**30


def outcome_of(found: dict) -> str:
    """How a case ended, in the words of `cases.py`."""
    if "bridge_refusal" in found:
        return cases.REFUSED_BY_BRIDGE
    if found["dynamic_shapes"]:
        return cases.DYNAMIC_SHAPE
    if "compiler_refusal" in found:
        lacks_memory = "RESOURCE_EXHAUSTED" in found["compiler_refusal"]
        return cases.OUT_OF_MEMORY if lacks_memory else cases.REFUSED_BY_COMPILER
    return cases.HOST_OPERATION if found["host_operations"] else cases.COMPILED


def read_results(path: str) -> dict[Case, dict]:
    """The results of a file, by case; the last where there are several."""
    if not files.exists(path):
        return {}
    with files.open_file(path) as file:
        results = [json.loads(line) for line in file]
    return {Case(**{name: result[name] for name in Case._fields if name in result}): result for result in results}


def table(results: dict[Case, dict]) -> str:
    """Markdown: a line for each case."""
    lines = [
        "| training step | model | examples a replica x tokens | TPU | replicas | what became of it "
        "| all-reduces | arguments, GiB | temporaries, GiB | a device, GiB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for case, result in results.items():
        topology = topology_of(case.topology)
        step = ", ".join([case.task, *case.particulars])
        cells = [step, case.bert_config_file, f"{case.batch_size} x {case.max_seq_length}", topology.name]
        cells += [str(topology.replicas), result["outcome"], *_measured(result, topology.hbm)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _measured(result: dict, hbm: int) -> list[str]:
    if "bytes" not in result:
        return ["–"] * 4
    sizes = {name: f"{size / GIB:.2f}" for name, size in result["bytes"].items()}
    return [str(result["all_reduces"]), sizes["arguments"], sizes["temporaries"], f"{sizes['total']} of {hbm}"]
