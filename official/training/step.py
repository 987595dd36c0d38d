"""One optimizer step, and a loop of them that stays on the devices."""

from collections.abc import Callable
from typing import NamedTuple

import tensorflow as tf

from official.layers import DropoutSeed, dropout_seed, fused_blocks, recomputed_blocks
from official.optimization import MovingAverage, clipping_factor
from official.training.loss_scale import LossScale
from official.training.precision import training_precision
from official.training.replicas import stack_sums, sum_over_replicas

# objective(model, batch, training) answers with two dicts, `losses` and `metrics`: means as (total, weight, epsilon).
Objective = Callable


class LoopResult(NamedTuple):
    """What a loop of steps says to the host.

    sums: float32 [M, 2], totals and weights of the M measures, summed over the loop's steps.
    learning_rate, gradient_norm: float32 scalars, of the last step.
    position: int64 [2], the (epoch, index) of the record that comes next.
    skipped: int32 scalar, how many steps in a row, up to the last, were not finite and changed nothing.
    all_skipped: int32 scalar, how many of the loop's steps were.
    """

    sums: tf.Tensor
    learning_rate: tf.Tensor
    gradient_norm: tf.Tensor
    position: tf.Tensor
    skipped: tf.Tensor
    all_skipped: tf.Tensor


class TrainLoop:
    """Many steps in one call of the devices.

    Global-batch semantics: every mean of the objective is taken over the batch of all replicas and micro-batches,
    gradients are summed, then clipped, then applied; so the result does not depend on how many of them there are.

    A step whose loss or gradient is not finite changes nothing and does not count. After more than `max_skipped_steps`
    of them in a row nothing is changed any more, so that the weights stay those of the last good step.

    Args:
        strategy: under whose scope model and optimizer were made.
        model: a `keras.Model`.
        objective: see above.
        optimizer: has `variables` (name → variable) and `apply_gradients`; see `AdamWeightDecay`.
        schedule: step → learning rate.
        step: int64 variable, the number of optimizer steps taken.
        seed, dropout_generator: of dropout.
        fusion: what is compiled: the layers' element-wise `blocks`, a replica's whole `step` up to its gradients, or
            `none` of it.
        gradient_accumulation_steps: micro-batches that a replica's batch is computed in, one after the other.
        recompute: whether a block's inner values are computed again in the backward pass instead of kept.
        loss_average: `global`, or `replica`: the mean of each replica's own mean, as on the original's TPUs
            (`CrossShardOptimizer`, optimization.py:68).
        loss_scale: of float16.
        moving_average: of the weights, to be kept up to date.
        max_skipped_steps: see above.
        clip_norm: the longest gradient (optimization.py:74); 0 for any.
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
        fusion: str = "none",
        *,
        gradient_accumulation_steps: int = 1,
        recompute: bool = False,
        loss_average: str = "global",
        loss_scale: LossScale | None = None,
        moving_average: MovingAverage | None = None,
        max_skipped_steps: int = 0,
        dropout_generator: str = "philox",
        clip_norm: float = 1.0,
    ):
        self.strategy, self.model, self.objective = strategy, model, objective
        self.optimizer, self.schedule, self.step = optimizer, schedule, step
        self.seed = seed % 2**31
        self.fusion, self.recompute = fusion, recompute
        self.gradient_accumulation_steps, self.loss_average = gradient_accumulation_steps, loss_average
        self.loss_scale, self.moving_average = loss_scale, moving_average
        self.max_skipped_steps, self.dropout_generator = max_skipped_steps, dropout_generator
        self.clip_norm = clip_norm
        self.loss_names: list[str] = []  # Known once the step was traced.
        self.measure_names: list[str] = []  # The losses, then the metrics.
        self._loop = tf.function(self._run_steps)
        # Compiled, since Grappler would merge these sums with those that the gradients are, in temporary variables that
        # it leaves behind where the micro-batches end: of a model like bert-mini the next call would fail.
        self._add = tf.function(
            lambda sums, more: [a + b for a, b in zip(sums, more, strict=True)], jit_compile=True, autograph=False
        )

    # Not `__call__`: TensorFlow 2.20 would trace that in place of a method of a callable object.
    def run(self, iterator, count: int, skipped: int = 0) -> LoopResult:
        """Makes `count` steps with batches of `iterator`; `skipped` is what the call before this one has said."""
        return self._loop(iterator, tf.constant(count, tf.int64), tf.constant(skipped, tf.int32))

    def _run_steps(self, iterator, count, skipped):
        # One traced step, run in a loop even when it is run once: so that the bits don't depend on how steps are
        # grouped into calls.
        sums, learning_rate, gradient_norm = tf.constant(0.0), tf.constant(0.0), tf.constant(0.0)
        position, all_skipped = tf.zeros([2], tf.int64), tf.constant(0)
        for _ in tf.range(count):
            tf.autograph.experimental.set_loop_options(shape_invariants=[(sums, tf.TensorShape(None))])
            stopped = skipped > self.max_skipped_steps
            step_sums, learning_rate, gradient_norm, position, applied = self._step(next(iterator), stopped)
            sums += step_sums
            skipped = tf.where(applied, 0, skipped + 1)
            all_skipped += tf.cast(~applied, tf.int32)
        return LoopResult(sums, learning_rate, gradient_norm, position, skipped, all_skipped)

    # Converting Python's control flow, of which there is none from here on, would double the time of tracing.
    @tf.autograph.experimental.do_not_convert
    def _step(self, batch, stopped):
        position = self.strategy.experimental_local_results(batch.pop("position"))[-1][-1]
        step, learning_rate = self.step.read_value(), self.schedule(self.step)
        scale = tf.constant(1.0) if self.loss_scale is None else self.loss_scale.value()
        results = self.strategy.run(self._replica_step, args=(batch, learning_rate, step, scale, stopped))
        sums, gradient_norm, finite = (self.strategy.experimental_local_results(result)[0] for result in results)
        applied = finite & ~stopped
        if self.loss_scale is not None:
            self.loss_scale.update(finite)
        self.step.assign_add(tf.cast(applied, tf.int64))
        return tf.where(applied, sums, 0.0), learning_rate, gradient_norm, position, applied

    def _replica_step(self, batch, learning_rate, step, scale, stopped):
        replica = tf.distribute.get_replica_context()
        with training_precision():  # In the backward pass too, where blocks may be computed again.
            gradients, sums = self._gradients(batch, step, scale, replica)
        gradients = sum_over_replicas(gradients, replica)
        if self.loss_scale is not None:
            gradients = [gradient / scale for gradient in gradients]
        factor, norm = clipping_factor(gradients, self.clip_norm)
        sums = sum_over_replicas(sums, replica)
        finite = tf.reduce_all(tf.math.is_finite(sums)) & tf.math.is_finite(norm)
        applied = finite & ~stopped
        self.optimizer.apply_gradients(gradients, learning_rate, step, applied, factor)
        if self.moving_average is not None:
            self.moving_average.update(applied)
        return sums, norm, finite

    def _gradients(self, batch, step, scale, replica):
        """This replica's part of the gradients, times `scale`, and of the measures' sums [M, 2]."""
        count = self.gradient_accumulation_steps
        if count == 1 and self.fusion != "step":
            return self._micro_batch_gradients(batch, 0, None, step, scale, replica)
        # Only the weights of the means are asked for, which rest on labels: what else is traced here is never run.
        losses, metrics = self.objective(self.model, batch, training=False)
        denominators = {name: self._denominator(mean, replica) for name, mean in losses.items()}

        def gradients_of(part, number):
            return self._micro_batch_gradients(part, number, denominators, step, scale, replica)

        if self.fusion == "step":
            gradients_of = tf.function(gradients_of, jit_compile=True, autograph=False)
        if count == 1:
            return gradients_of(batch, tf.constant(0))
        return self._accumulated(gradients_of, batch, len(losses | metrics))

    def _accumulated(self, gradients_of, batch, num_measures):
        """The sums over all micro-batches, computed one after the other."""
        count = self.gradient_accumulation_steps

        def add_micro_batch(number, sums, gradients):
            part = {name: _micro_batch(values, number, count) for name, values in batch.items()}
            more, more_sums = gradients_of(part, number)
            return number + 1, sums + more_sums, self._add(gradients, more)

        zeros = [tf.zeros(variable.shape) for variable in self.optimizer.variables.values()]
        start = (tf.constant(0), tf.zeros([num_measures, 2]), zeros)
        _, sums, gradients = tf.while_loop(
            lambda number, *_: number < count, add_micro_batch, start, parallel_iterations=1, maximum_iterations=count
        )
        return gradients, sums

    def _micro_batch_gradients(self, batch, number, denominators, step, scale, replica):
        """Where `denominators` of the losses are not given, they are this batch's own."""
        variables = list(self.optimizer.variables.values())
        seed = self._dropout_seed(step, replica, number)
        fused, recomputed = self.fusion == "blocks", self.recompute
        with tf.GradientTape() as tape, dropout_seed(seed), fused_blocks(fused), recomputed_blocks(recomputed):
            losses, metrics = self.objective(self.model, batch, training=True)
            if denominators is None:
                denominators = {name: self._denominator(mean, replica) for name, mean in losses.items()}
            loss = tf.add_n([mean.total / denominators[name] for name, mean in losses.items()])
            if self.loss_scale is not None:
                loss *= scale
        gradients = [tf.convert_to_tensor(gradient) for gradient in tape.gradient(loss, variables)]
        self.loss_names, self.measure_names = list(losses), list(losses | metrics)
        return gradients, stack_sums(losses | metrics)

    def _denominator(self, mean, replica):
        """What this replica's sum is divided by, so that the parts of all replicas add up to the average."""
        if self.loss_average == "replica":
            return (mean.weight + mean.epsilon) * replica.num_replicas_in_sync
        return sum_over_replicas(mean.weight, replica) + mean.epsilon

    def _dropout_seed(self, step, replica, micro_batch=0):
        number = tf.cast(replica.replica_id_in_sync_group, tf.int32)
        stream = tf.bitwise.bitwise_xor(number * 7_368_787, self.seed)
        if self.gradient_accumulation_steps > 1:
            stream = tf.bitwise.bitwise_xor(stream, micro_batch * 15_485_863)
        return DropoutSeed(tf.stack([stream, tf.cast(step, tf.int32)]), self.dropout_generator)


def _micro_batch(values: tf.Tensor, number: tf.Tensor, count: int) -> tf.Tensor:
    """The rows of one micro-batch of `count`."""
    parts = tf.reshape(values, tf.concat([[count, -1], tf.shape(values)[1:]], axis=0))  # [k, B/k, ...]
    known = values.shape[0] // count if values.shape[0] is not None else None
    return tf.ensure_shape(tf.gather(parts, number), [known, *values.shape[1:]])  # Slices would have no size on TPUs.
