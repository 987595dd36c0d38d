"""How a case ends, the table of all, and the whole way where the environments for it are there."""

import json
import subprocess
import sys

import pytest

from benchmarks.tpu_check import cases
from benchmarks.tpu_check.cases import CASES, Case
from benchmarks.tpu_check.compiler import ALL_REDUCE
from benchmarks.tpu_check.results import outcome_of, read_results

CLEAN = {"dynamic_shapes": [], "host_operations": []}
OUT_OF_HBM = "RESOURCE_EXHAUSTED: XLA:TPU compile permanent error. Ran out of memory in memory space hbm."


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ({"bytes": {}}, cases.COMPILED),
        ({"dynamic_shapes": ["Unique"]}, cases.DYNAMIC_SHAPE),
        ({"host_operations": ["AsString"]}, cases.HOST_OPERATION),
        ({"host_operations": ["PyFunc"], "dynamic_shapes": ["PyFunc"], "bridge_refusal": ""}, cases.REFUSED_BY_BRIDGE),
        ({"compiler_refusal": OUT_OF_HBM}, cases.OUT_OF_MEMORY),
        ({"compiler_refusal": "INTERNAL: Mosaic failed"}, cases.REFUSED_BY_COMPILER),
    ],
)
def test_a_case_ends_in_one_way(found, outcome):
    assert outcome_of(CLEAN | found) == outcome


def test_all_reduces_are_counted_once_whether_or_not_they_are_parted():
    text = """
      %all-reduce.1 = (f32[8]{0}, f32[4]{0}) all-reduce(%a, %b), channel_id=1, to_apply=%add
      %all-reduce-start.2 = f32[8]{0} all-reduce-start(%c), channel_id=2, to_apply=%add
      %all-reduce-done.2 = f32[8]{0} all-reduce-done(%all-reduce-start.2)
      %fusion.3 = f32[8]{0} fusion(%all-reduce.1), kind=kLoop
    """
    assert len(ALL_REDUCE.findall(text)) == 2


def test_every_case_has_a_name_of_its_own_and_says_all_of_itself_in_flags():
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(len(case.flags) == len(Case._fields) for case in CASES)


def test_an_absent_environment_is_one_line_that_says_how_it_is_made(repository, tmp_path):
    flags = [f"--work_dir={tmp_path}", "--lowering_python=/absent/python"]
    command = [sys.executable, "-m", "benchmarks.tpu_check.check", *flags]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.strip().split("\n")[-1].startswith("error: /absent/python: no such file; benchmarks/tpu_check")


@pytest.fixture
def committed(repository):
    return read_results(str(repository / "benchmarks" / "tpu_check" / "results.jsonl"))


def test_committed_results_are_of_the_cases_and_ended_as_expected(committed):
    assert {case: result["outcome"] for case, result in committed.items()} == {case: CASES[case] for case in committed}


def test_committed_programs_hold_their_state_and_add_up_gradients(committed):
    compiled = [result for result in committed.values() if result["outcome"] == cases.COMPILED]
    assert compiled
    for result in compiled:
        sizes = result["bytes"]
        assert result["all_reduces"] > 0
        assert sizes["aliased"] <= sizes["arguments"]
        kept = sizes["arguments"] + sizes["outputs"] - sizes["aliased"]
        assert sizes["total"] == kept + sizes["temporaries"] + sizes["code"]


def test_the_table_has_a_line_for_each_result(repository, tmp_path, committed):
    lines = [json.dumps(case._asdict() | result) for case, result in committed.items()]
    (tmp_path / "results.jsonl").write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "benchmarks.tpu_check.check", f"--work_dir={tmp_path}", "--table_only"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip().split("\n")) == 2 + len(committed)


def test_the_command_fails_where_a_case_did_not_end_as_expected(repository, tmp_path):
    case = next(case for case, expected in CASES.items() if expected == cases.OUT_OF_MEMORY)
    result = case._asdict() | CLEAN | {"outcome": cases.COMPILED, "all_reduces": 2}
    result["bytes"] = {"arguments": 2**30, "temporaries": 2**30, "total": 2**31}
    (tmp_path / "results.jsonl").write_text(json.dumps(result) + "\n")
    command = [sys.executable, "-m", "benchmarks.tpu_check.check", f"--work_dir={tmp_path}", "--table_only"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 1 and case.name in done.stderr
    assert "| 1.00 | 1.00 | 2.00 of 16 |" in done.stdout


@pytest.mark.slow
def test_a_small_step_is_lowered_and_compiled(repository, tmp_path):
    lowering, compiling = (repository / f".venv_tpu_{stage}/bin/python" for stage in ("lowering", "compiling"))
    if not (lowering.exists() and compiling.exists()):
        pytest.skip("benchmarks/tpu_check/check.py says how the two environments are made")
    command = [sys.executable, "-m", "benchmarks.tpu_check.check", f"--work_dir={tmp_path}"]
    case = Case("pretraining", "bert-tiny", 8, 128)
    done = subprocess.run([*command, f"--cases={case.name}"], cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    result = read_results(str(tmp_path / "results.jsonl"))[case]
    parameters = 4_433_468  # With the heads of pretraining; each is a float32 with Adam's two averages.
    assert 12 * parameters < result["bytes"]["arguments"] < 1.02 * 12 * parameters
