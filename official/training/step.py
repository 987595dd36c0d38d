"""One optimizer step, and a loop of them that stays on the devices."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import tensorflow as tf

from official.layers import dropout_seed, fused_blocks
from official.optimization import clip_by_global_norm

CLIP_NORM = 1.0  # optimization.py:74

# objective(model, batch, training) answers with two dicts, `losses` and `metrics`: means as (total, weight, epsilon).
Objective = Callable


class LoopResult(NamedTuple):
    """What a loop of steps says to the host.

    sums: float32 [M, 2], totals and weights of the M measures, summed over the loop's steps.
    learning_rate, gradient_norm: float32 scalars, of the last step.
    position: int64 [2], the (epoch, index) of the record that comes next.
    not_finite_at: int64 scalar, the first step whose loss or gradient was not finite, or −1.
    """

    sums: tf.Tensor
    learning_rate: tf.Tensor
    gradient_norm: tf.Tensor
    position: tf.Tensor
    not_finite_at: tf.Tensor


class TrainLoop:
    """Many steps in one call of the devices.

    Global-batch semantics: every mean of the objective is taken over the batch of all replicas, gradients are summed,
    then clipped, then applied; so the result does not depend on the number of replicas.

    Args:
        strategy: under whose scope model and optimizer were made.
        model: a `keras.Model`.
        objective: see above.
        optimizer: has `variables` (name → variable) and `apply_gradients(gradients, learning_rate)`.
        schedule: step → learning rate.
        step: int64 variable, the number of optimizer steps taken.
        seed: of dropout.
        fused: whether the layers' element-wise blocks are compiled.
    """

    def __init__(
        self,
        strategy,
        model,
        objective: Objective,
        optimizer,
        schedule,
        step: tf.Variable,
        seed: int,
        fused: bool = False,
    ):
        self.strategy, self.model, self.objective = strategy, model, objective
        self.optimizer, self.schedule, self.step = optimizer, schedule, step
        self.seed = seed % 2**31
        self.fused = fused
        self.loss_names: list[str] = []  # Known once the step was traced.
        self.measure_names: list[str] = []  # The losses, then the metrics.
        self._loop = tf.function(self._run_steps)

    # Not `__call__`: TensorFlow 2.20 would trace that in place of a method of a callable object.
    def run(self, iterator, count: int) -> LoopResult:
        """Makes `count` steps with batches of `iterator`."""
        return self._loop(iterator, tf.constant(count, tf.int64))

    def _run_steps(self, iterator, count):
        # One traced step, run in a loop even when it is run once: so that the bits don't depend on how steps are
        # grouped into calls.
        sums, learning_rate, gradient_norm = tf.constant(0.0), tf.constant(0.0), tf.constant(0.0)
        position, not_finite_at = tf.zeros([2], tf.int64), tf.constant(-1, tf.int64)
        for _ in tf.range(count):
            tf.autograph.experimental.set_loop_options(shape_invariants=[(sums, tf.TensorShape(None))])
            step_sums, learning_rate, gradient_norm, position, finite = self._step(next(iterator))
            sums += step_sums
            not_finite_at = tf.where(finite | (not_finite_at >= 0), not_finite_at, self.step.read_value())
        return LoopResult(sums, learning_rate, gradient_norm, position, not_finite_at)

    # Converting Python's control flow, of which there is none from here on, would double the time of tracing.
    @tf.autograph.experimental.do_not_convert
    def _step(self, batch):
        position = self.strategy.experimental_local_results(batch.pop("position"))[-1][-1]
        learning_rate = self.schedule(self.step)
        sums, gradient_norm = self.strategy.run(self._replica_step, args=(batch, learning_rate, self.step.read_value()))
        sums = self.strategy.reduce("SUM", sums, axis=None)
        gradient_norm = self.strategy.experimental_local_results(gradient_norm)[0]
        finite = tf.reduce_all(tf.math.is_finite(sums)) & tf.math.is_finite(gradient_norm)
        self.step.assign_add(1)
        return sums, learning_rate, gradient_norm, position, finite

    def _replica_step(self, batch, learning_rate, step):
        replica = tf.distribute.get_replica_context()
        variables = list(self.optimizer.variables.values())
        seed = self._dropout_seed(step, replica)
        with tf.GradientTape() as tape, dropout_seed(seed), fused_blocks(self.fused):
            losses, metrics = self.objective(self.model, batch, training=True)
            loss = tf.add_n([_global_part(mean, replica) for mean in losses.values()])
        gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, variables)]
        gradients = _sum_over_replicas(gradients, replica)
        gradients, norm = clip_by_global_norm(gradients, CLIP_NORM)
        self.optimizer.apply_gradients(gradients, learning_rate)
        self.loss_names, self.measure_names = list(losses), list(losses | metrics)
        return _stack_sums(losses | metrics), norm

    def _dropout_seed(self, step, replica):
        number = tf.cast(replica.replica_id_in_sync_group, tf.int32)
        return tf.stack([tf.bitwise.bitwise_xor(number * 7_368_787, self.seed), tf.cast(step, tf.int32)])


def _stack_sums(means: Mapping) -> tf.Tensor:
    return tf.stack([tf.stack([mean.total, mean.weight]) for mean in means.values()])  # [M, 2]


def _global_part(mean, replica):
    """This replica's part of a mean over the global batch; the parts of all replicas add up to it."""
    weight = _sum_over_replicas(mean.weight, replica)
    return mean.total / (weight + mean.epsilon)


def _sum_over_replicas(values, replica):
    """Sums tensors over all replicas, if there are several.

    `all_reduce` registers a gradient for good, and with it the graph and all variables in it: a process that makes one
    model after the other would keep them all.
    """
    if replica.num_replicas_in_sync == 1:
        return values
    return replica.all_reduce(tf.distribute.ReduceOp.SUM, values)


class Evaluation:
    """Means over many batches, with the weights as they are.

    Args:
        strategy, model, objective: as for training.
    """

    def __init__(self, strategy, model, objective: Objective):
        self.strategy, self.model, self.objective = strategy, model, objective
        self._traced_step = tf.function(self._step, autograph=False)

    def run(self, batches, max_steps: int | None = None) -> dict[str, float]:
        """Evaluates `max_steps` batches, or all of them.

        Returns:
            Each loss and metric as its mean over everything seen, and `loss`: the mean over the batches of the sum of
            the losses, as an Estimator reports it.
        """
        sums, batch_losses = 0.0, []
        for batch in batches.take(-1 if max_steps is None else max_steps):
            batch_sums, batch_loss = self._traced_step(batch)
            sums += batch_sums.numpy().astype("float64")
            batch_losses.append(float(batch_loss))
        results = {name: total / max(weight, 1e-12) for name, (total, weight) in zip(self._names, sums, strict=True)}
        return results | {"loss": sum(batch_losses) / len(batch_losses)}

    def _step(self, batch):
        sums, loss = self.strategy.run(self._replica_step, args=(batch,))
        return self.strategy.reduce("SUM", sums, axis=None), self.strategy.reduce("SUM", loss, axis=None)

    def _replica_step(self, batch):
        replica = tf.distribute.get_replica_context()
        losses, metrics = self.objective(self.model, batch, training=False)
        self._names = list(losses | metrics)
        loss = tf.add_n([_global_part(mean, replica) for mean in losses.values()])
        return _stack_sums(losses | metrics), loss
