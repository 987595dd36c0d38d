"""Losses and metrics of a model, over many batches."""

import tensorflow as tf

from official.training.replicas import stack_sums, sum_over_replicas
from official.training.step import Objective


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
        parts = [mean.total / (sum_over_replicas(mean.weight, replica) + mean.epsilon) for mean in losses.values()]
        return stack_sums(losses | metrics), tf.add_n(parts)
