"""The project's own training steps are what TPUStrategy accepts and a TPU could run."""

import functools
import subprocess
import sys

import keras
import pytest

from benchmarks.tpu_check.cases import TASKS, Case
from benchmarks.tpu_check.cluster import all_operations, describe
from benchmarks.tpu_check.steps import trace_step

IN_CI = {"pretraining", "question_answering"}
CHECKED_TASKS = [pytest.param(task, marks=[] if task in IN_CI else pytest.mark.slow) for task in TASKS]
# Of bert-tiny: three tables, 16 variables a block, the two of each LayerNorm, dense layer and head.
ENCODER = 3 + 2 + 2 * 16
POOLER = HEAD = 2
TRAINED = {
    "pretraining": ENCODER + POOLER + 4 + 1 + HEAD,  # The masked LM's dense layer, LayerNorm and bias.
    "question_answering": ENCODER + HEAD,
    "tagging": ENCODER + HEAD,
}
LOSSES = {"pretraining": 2}


@pytest.fixture(scope="module")
def step_of(tpu):
    """Traces the step of a task, once: two examples a replica of 16 tokens, three of them masked."""
    yield functools.cache(
        lambda task: trace_step(Case(task, "bert-tiny", 2, max_seq_length=16, max_predictions_per_seq=3), tpu)
    )
    keras.mixed_precision.set_global_policy("float32")


@pytest.mark.parametrize("task", CHECKED_TASKS)
def test_a_training_step_traces_with_static_shapes_and_nothing_for_the_host(step_of, task):
    cluster = step_of(task)
    found = describe(cluster)
    assert found["host_operations"] == found["dynamic_shapes"] == []
    trained = TRAINED.get(task, ENCODER + POOLER + HEAD)
    assert found["variables"] == 3 * trained  # With Adam's two averages.
    # Gradients, each loss's weight, and all measures together.
    assert found["cross_replica_sums"] == trained + LOSSES.get(task, 1) + 1
    rows = 2 * 4 if task == "choice" else 2
    assert (rows, 16) in [tuple(value.shape) for value in cluster.values]


@pytest.mark.slow
def test_micro_batches_recomputed_blocks_and_lamb_are_what_a_tpu_could_run_too(tpu):
    case = Case("pretraining", "bert-tiny", 4, 16, max_predictions_per_seq=3)
    found = describe(trace_step(case._replace(gradient_accumulation_steps=2, recompute=True, optimizer="lamb"), tpu))
    assert found["host_operations"] == found["dynamic_shapes"] == []
    assert found["cross_replica_sums"] == TRAINED["pretraining"] + LOSSES["pretraining"] + 1


@pytest.mark.slow
@pytest.mark.parametrize("method", ["roberta", "albert", "electra"])
def test_the_steps_of_bert_s_descendants_are_what_a_tpu_could_run_too(tpu, method):
    found = describe(trace_step(Case("pretraining", "bert-tiny", 2, 16, max_predictions_per_seq=3, method=method), tpu))
    assert found["host_operations"] == found["dynamic_shapes"] == []
    assert found["cross_replica_sums"] > 20


@pytest.mark.slow
@pytest.mark.parametrize("task", ["classification", "question_answering"])
def test_rows_of_several_examples_are_what_a_tpu_could_run_too(tpu, task):
    cluster = trace_step(Case(task, "bert-tiny", 8, 16, gradient_accumulation_steps=2, pack_examples=True), tpu)
    found = describe(cluster)
    assert found["host_operations"] == found["dynamic_shapes"] == []
    shapes = [tuple(value.shape) for value in cluster.values]
    assert shapes.count((2, 16)) >= 4 and (8, 4) in shapes  # Two rows of four examples of four tokens.


def test_it_is_made_as_on_a_tpu_bfloat16_with_one_hot_embeddings_and_masked_positions_gathered_first(step_of):
    outputs = [tensor for operation in all_operations(step_of("pretraining")) for tensor in operation.outputs]
    of_vocabulary = [tensor for tensor in outputs if tensor.shape.rank == 3 and tensor.shape[-1] == 30_522]
    assert [tuple(tensor.shape) for tensor in of_vocabulary if tensor.op.type == "OneHot"] == [(2, 16, 30_522)]
    products = [tensor for tensor in outputs if "MatMul" in tensor.op.type]
    assert {tensor.dtype.name for tensor in products} == {"bfloat16"}
    scored = [tensor for tensor in outputs if tensor.op.type == "SparseSoftmaxCrossEntropyWithLogits"]
    assert [2 * 3, 30_522] in [tensor.shape for tensor in scored]


@pytest.mark.slow
@pytest.mark.parametrize(("defect", "name"), [("string", "AsString"), ("unique", "Unique")])
def test_the_command_refuses_a_step_that_a_tpu_cannot_run_in_one_line_that_names_it(repository, defect, name):
    command = [sys.executable, "-m", "benchmarks.tpu_check.trace", f"--defect={defect}", "--max_seq_length=16"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.strip().split("\n")[-1]
    assert "a TPU can't run this step" in last and f"({name})" in last
