"""The processes that train together, and what they have to agree on."""

import contextlib
import functools
from collections.abc import Callable, Iterator

import tensorflow as tf

from official.errors import WorkerLost

# What operations of all workers end with where one is gone.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.InternalError,
)


class Workers:
    """All workers of a strategy, as one of them sees them; where there is one process only, it is the chief.

    What is agreed on is exchanged in an operation of all workers, so all of them have to ask, in the same order.
    """

    def __init__(self, strategy: tf.distribute.Strategy):
        self.strategy = strategy
        self.several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)

    @property
    def is_chief(self) -> bool:
        """Whether this process is the one that writes."""
        if not self.several:
            return True
        resolver = self.strategy.cluster_resolver
        return resolver.task_type == "chief" or (
            resolver.task_id == 0 and not resolver.cluster_spec().as_dict().get("chief")
        )

    def sum(self, value: int) -> int:
        """The sum of what all workers give."""
        if not self.several:
            return value
        local = self.strategy.num_replicas_in_sync // self._count
        given = self.strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(value if context.replica_id_in_sync_group % local == 0 else 0, tf.int32)
        )
        return int(self.strategy.experimental_local_results(self._sum(given))[0])

    def of_chief(self, value: int) -> int:
        """What the chief gives."""
        return self.sum(value if self.is_chief else 0)

    def wait(self) -> None:
        """Until all workers have come here."""
        self.sum(0)

    @contextlib.contextmanager
    def lost_is_said(self, latest: Callable[[], str | None]) -> Iterator[None]:
        """Turns the failure of an operation of all workers into `WorkerLost`; `latest` tells of the last checkpoint."""
        try:
            yield
        except LOST as error:
            if not self.several:
                raise
            reason = " ".join(error.message.split("aborted by: ")[-1].split())[:120]
            raise WorkerLost(
                f"another worker is gone ({reason}); the last checkpoint is {latest()}; the same command on all "
                "workers, as many as there are then, goes on from there"
            ) from error

    @property
    def _count(self) -> int:
        tasks = self.strategy.cluster_resolver.cluster_spec().as_dict()
        return sum(len(tasks.get(kind, ())) for kind in ("chief", "worker"))

    @functools.cached_property
    def _sum(self):
        def add(value):
            return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(value))

        return tf.function(lambda value: self.strategy.run(add, args=(value,)), autograph=False)
