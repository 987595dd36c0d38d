"""What is cut out of a traced function, and what is found in it: on steps that are made for it."""

import pytest
import tensorflow as tf

from benchmarks.tpu_check.cases import DEFECTS
from benchmarks.tpu_check.cluster import all_operations, dynamic_shapes, find_cluster, host_operations
from benchmarks.tpu_check.defects import with_defect
from official.errors import InputError
from official.objectives.means import Measures

IDS = tf.TensorSpec([8, 16], tf.int32)


def cluster_of(strategy, step, *specs):
    """Traces `step` as a replica of `strategy` runs it."""

    def run(*values):
        return strategy.run(step, args=values)

    return find_cluster(tf.function(run, autograph=False).get_concrete_function(*specs))


def defective(defect):
    """A step with nothing in it but a defect."""
    objective = with_defect(lambda model, batch, training: Measures({}, {}), defect)

    def step(ids):
        return objective(None, {"input_ids": ids}, training=True).metrics[defect].total

    return step


def in_a_function(step):
    return tf.function(step, autograph=False)


def in_a_loop(step):
    def looped(ids):
        return tf.while_loop(lambda n, _: n < 3, lambda n, total: (n + 1, total + step(ids)), (0, 0.0))[1]

    return looped


@pytest.mark.parametrize("wrap", [lambda step: step, in_a_function, in_a_loop], ids=["plain", "function", "loop"])
@pytest.mark.parametrize(
    ("defect", "host", "dynamic"),
    [
        ("numpy_function", "(PyFunc)", "(PyFunc)"),
        ("string", "(AsString)", None),
        ("unique", None, "(Unique) (None,)"),
        ("boolean_mask", None, "(Where) (None, 1)"),
    ],
)
def test_what_a_tpu_cannot_run_is_found_and_named_wherever_it_is(tpu, wrap, defect, host, dynamic):
    cluster = cluster_of(tpu, wrap(defective(defect)), IDS)
    for found, wanted in ((host_operations(cluster), host), (dynamic_shapes(cluster), dynamic)):
        assert any(wanted in name for name in found) if wanted else not found


def test_every_defect_is_tried_above():
    marks = test_what_a_tpu_cannot_run_is_found_and_named_wherever_it_is.pytestmark
    assert {values[0] for mark in marks if mark.args[0] != "wrap" for values in mark.args[1]} == set(DEFECTS)


def test_a_step_of_fixed_size_has_nothing_that_could_be_found(tpu):
    cluster = cluster_of(tpu, lambda ids: tf.reduce_sum(tf.nn.softmax(tf.cast(ids, tf.float32))), IDS)
    assert not host_operations(cluster) and not dynamic_shapes(cluster)


def test_a_cluster_holds_what_replicas_run_and_nothing_of_the_host(tpu):
    def run(ids):
        with tf.control_dependencies([tf.print("for the host alone")]):
            return tf.sqrt(tpu.reduce("SUM", tpu.run(lambda x: tf.cast(tf.square(x), tf.float32), (ids,)), axis=None))

    cluster = find_cluster(tf.function(run, autograph=False).get_concrete_function(IDS))
    kinds = {operation.type for operation in all_operations(cluster)}
    assert "Square" in kinds and not kinds & {"PrintV2", "Sqrt"}
    assert [tensor.shape for tensor in cluster.values if tensor.shape.rank] == [IDS.shape]
    assert [tensor.dtype for tensor in cluster.outputs] == [tf.float32]


def test_a_host_operation_would_be_refused_on_a_tpu_too_rather_than_run_on_the_host(tpu):
    graph = cluster_of(tpu, lambda ids: ids + 1, IDS).graph
    metadata = next(op for op in graph.get_operations() if op.type == "TPUReplicateMetadata")
    assert not metadata.get_attr("allow_soft_placement")  # Else TensorFlow takes such operations out of the program.


@pytest.mark.parametrize("count", [0, 2])
def test_a_function_with_another_number_of_programs_is_refused(tpu, count):
    def run(ids):
        return [tpu.run(lambda x: x + 1, (ids,)) for _ in range(count)]

    with pytest.raises(InputError, match=f"{count} programs for a TPU were found"):
        find_cluster(tf.function(run, autograph=False).get_concrete_function(IDS))
