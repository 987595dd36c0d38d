"""A step without side effects computes what the step with them computes."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks.tpu_check.program import pure_function
from official.errors import InputError
from tests.benchmarks.tpu_check.test_cluster import cluster_of

X = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.fixture
def variable(tpu):
    with tpu.scope():
        return tf.Variable(np.full([3], 2.0, "float32"))


def outcome(strategy, step):
    """New values of the step's variables and its outputs, for variables of 2 and X."""
    function, specs = pure_function(cluster_of(strategy, step, tf.TensorSpec(X.shape, tf.float32)))
    values = {(3,): np.full([3], 2.0, "float32"), (2, 3): X, (): np.int32(0)}
    return [result.numpy() for result in function(*(values[tuple(spec.shape)] for spec in specs))]


def read(variable):
    return lambda x: tf.reduce_sum(x * variable)


def write_between_reads(variable):
    def step(x):
        before = variable.read_value()
        variable.assign_add(tf.reduce_sum(x, axis=0))
        middle = variable.read_value()
        variable.assign(middle * 10.0)
        variable.assign_sub(tf.ones([3]))
        return before, middle, variable.read_value()

    return step


def read_in_a_function(variable):
    @tf.function(autograph=False)
    def inner(x):
        return tf.function(lambda: tf.reduce_sum(x * variable), autograph=False)()

    def step(x):
        variable.assign_add(tf.ones([3]))
        return inner(x) + inner(x)

    return step


def read_in_a_loop(variable):
    def step(x):
        grown = tf.while_loop(lambda n, y: n < 3, lambda n, y: (n + 1, y * variable), (0, x))[1]
        variable.assign(grown[1])
        return grown

    return step


def read_in_a_branch(variable):
    return lambda x: tf.cond(x[0, 0] > 1.0, lambda: x * 2.0, lambda: x * variable + 1.0)


TWO = np.full(3, 2.0)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (read, [TWO, (X * TWO).sum()]),
        (write_between_reads, [(TWO + X.sum(0)) * 10 - 1, TWO, TWO + X.sum(0), (TWO + X.sum(0)) * 10 - 1]),
        (read_in_a_function, [TWO + 1, 2 * (X * (TWO + 1)).sum()]),
        (read_in_a_loop, [X[1] * TWO**3, X * TWO**3]),
        (read_in_a_branch, [TWO, X * TWO + 1]),
    ],
)
def test_variables_go_in_and_come_out_as_values(tpu, variable, make, expected):
    for found, wanted in zip(outcome(tpu, make(variable)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_a_function_that_writes_a_variable_is_refused_by_name(tpu, variable):
    @tf.function(autograph=False)
    def inner(x):
        variable.assign_add(x[0])

    with pytest.raises(InputError, match=r"\(AssignAddVariableOp\): uses a variable in a way"):
        outcome(tpu, lambda x: inner(x))
