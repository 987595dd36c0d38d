"""A model on its devices, ready to be trained: what the reports of all scripts look at."""

import dataclasses
import os
import resource
import sys

import keras
import tensorflow as tf

from official.optimization import LinearDecayWithWarmup
from official.tasks.dry_run import costs
from official.tasks.dry_run.network import Network, Parameters, count_parameters, network_of
from official.tasks.dry_run.report import Row, in_bytes, memory_section
from official.training.precision import about_precision, training_dtype
from official.training.step import TrainLoop
from official.training.strategy import runs_on_cpu
from official.training.training import Training, TrainingOptions


@dataclasses.dataclass(frozen=True)
class Trainable:
    """What training would begin with.

    Attributes:
        options: of the run.
        loop: its steps, with the model and all else that takes part in them.
        source: where the weights are from, for the report.
        step: that training begins with.
    """

    options: TrainingOptions
    loop: TrainLoop
    source: str
    step: int

    @classmethod
    def of(cls, training: Training, options: TrainingOptions, init_checkpoint: str | None) -> "Trainable":
        """A run whose weights are what its first step finds."""
        step, latest = int(training.step.numpy()), training.state.latest
        if latest is not None:
            source = f"of {os.path.dirname(latest)}, at step {step:,}"
        else:
            source = "new" if init_checkpoint is None else f"of {init_checkpoint}"
        return cls(options, training.loop, source, step)

    @property
    def model(self) -> keras.Model:
        return self.loop.model

    @property
    def schedule(self) -> LinearDecayWithWarmup:
        return self.loop.schedule

    @property
    def replicas(self) -> int:
        return self.loop.strategy.num_replicas_in_sync

    @property
    def network(self) -> Network:
        return network_of(self.model, getattr(self.loop.objective, "teacher", None))

    @property
    def steps_left(self) -> int:
        return max(0, self.schedule.num_train_steps - self.step)

    def parameters(self) -> Parameters:
        shapes = {variable.path: tuple(variable.shape) for variable in self.model.weights}
        trained = [variable.path for variable in self.model.trainable_variables]
        return count_parameters(shapes, trained, self.loop.optimizer.decays)

    def storage(self) -> costs.Storage:
        """A TPU compiles the whole step, and with it the blocks."""
        width = tf.as_dtype(training_dtype()).size
        compiled = self.loop.fusion != "none" or isinstance(self.loop.strategy, tf.distribute.TPUStrategy)
        return costs.Storage(width, compiled, self.loop.recompute)

    def flops(self, shape: costs.BatchShape) -> int:
        """Operations of a replica's step."""
        return costs.step_flops(self.network, shape, self.loop.recompute)

    def rows(self) -> list[Row]:
        """What is trained from where to where, on what."""
        options, schedule = self.options, self.schedule
        devices = sorted({device.split("device:")[-1] for device in self.loop.strategy.extended.worker_devices})
        warm_up = f"from 0 in {schedule.num_warmup_steps:,} steps" if schedule.num_warmup_steps else "at once"
        average = "" if options.ema_decay is None else f", with a moving average of the weights ({options.ema_decay:g})"
        rate = f"{schedule.learning_rate:g}, {warm_up}, then down to 0 at step {schedule.num_train_steps:,}"
        return [
            ("weights", self.source),
            ("optimizer", f"{options.optimizer}{average}"),
            ("precision", about_precision()),
            ("learning rate", rate),
            ("batch", self._batch()),
            ("devices", f"{', '.join(devices)} ({type(self.loop.strategy).__name__})"),
        ]

    def _batch(self) -> str:
        size, parts = self.options.train_batch_size, self.loop.gradient_accumulation_steps
        each = f", {size // self.replicas:,} on each of {self.replicas} devices" if self.replicas > 1 else ""
        in_parts = f", {size // self.replicas // parts:,} at a time" if parts > 1 else ""
        return f"{size:,} examples{each}{in_parts}"

    def memory_sizes(self, shape: costs.BatchShape) -> dict[str, int]:
        """Bytes that a replica holds for a batch of this shape, by what they hold."""
        parameters, storage, network = self.parameters(), self.storage(), self.network
        at_a_time = self._at_a_time(shape)
        slots = self.loop.optimizer.slots.values()
        average, accumulates = self.loop.moving_average, self.loop.gradient_accumulation_steps > 1
        sizes = {
            "weights": 4 * parameters.total,
            "weights, 16 bits": storage.width * parameters.total if storage.width < 4 else 0,
            "optimizer": sum(slot.shape.num_elements() * slot.dtype.size for slot in slots),
            "moving average": 0 if average is None else 4 * parameters.trained,
            "gradients": 4 * parameters.trained,
            "their sums": 4 * parameters.trained if accumulates else 0,
            "activations": sum(costs.activation_bytes(network, at_a_time, storage).values()),
        }
        return {name: size for name, size in sizes.items() if size}

    def _at_a_time(self, shape: costs.BatchShape) -> costs.BatchShape:
        return dataclasses.replace(shape, rows=shape.rows // self.loop.gradient_accumulation_steps)

    def memory(self, shape: costs.BatchShape, batch: str = "") -> str:
        """The section on memory, for a replica's batch of this shape, which `batch` names."""
        at_a_time = self._at_a_time(shape)
        activations = costs.activation_bytes(self.network, at_a_time, self.storage())
        about = {
            "their sums": f"over the {self.loop.gradient_accumulation_steps} parts of a batch",
            "activations": ", ".join(f"{part} {in_bytes(size)}" for part, size in activations.items() if size),
        }
        return memory_section(
            f"Memory of a device, estimated for {batch}{at_a_time.rows} × {shape.length}",
            self.memory_sizes(shape),
            about,
            _most_memory() if runs_on_cpu(self.loop.strategy) else None,
        )

    def notes(self) -> list[str]:
        """What looks wrong."""
        notes, schedule = [], self.schedule
        if schedule.num_warmup_steps >= schedule.num_train_steps:
            notes.append(
                f"the learning rate never gets to {schedule.learning_rate:g}: it rises for "
                f"{schedule.num_warmup_steps:,} steps of a run of {schedule.num_train_steps:,}"
            )
        if not self.steps_left:
            notes.append("the run is at its last step already: nothing is left to be trained")
        return notes


def _most_memory() -> int:
    """The most that this process has had in memory, in bytes."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else 1_024 * used  # Linux counts in kilobytes.
