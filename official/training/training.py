"""What a run that trains is made of, put together from its options."""

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping

import keras
import tensorflow as tf

from official.errors import InputError
from official.optimization import OPTIMIZERS, SCHEDULES, MovingAverage
from official.training.checkpoint import TrainState, restore_weights
from official.training.loss_scale import HALVINGS, LossScale
from official.training.precision import about_precision, set_precision, training_dtype
from official.training.step import Objective, TrainLoop
from official.training.strategy import fastest_precision, runs_on_cpu

TENSORFLOW_SEEDS = 2**31 - 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How steps are computed, whatever is trained; each field is the flag of that name."""

    train_batch_size: int = 32
    mixed_precision: str = "auto"
    fusion: str = "auto"
    dropout_generator: str = "auto"
    gradient_accumulation_steps: int = 1
    recompute: bool = False
    optimizer: str = "adamw_bert"
    learning_rate_schedule: str = "bert"
    adam_beta_2: float = 0.999
    weight_decay_rate: float = 0.01
    clip_norm: float = 1.0  # 0: gradients are left as long as they are
    loss_average: str = "global"
    ema_decay: float | None = None
    max_skipped_steps: int = 0
    seed: int = 12_345

    def fusion_on(self, strategy: tf.distribute.Strategy) -> str:
        """What is compiled on these devices: `blocks`, `step` or `none`."""
        if self.fusion != "auto":
            return self.fusion
        return "blocks" if runs_on_cpu(strategy) else "none"

    def dropout_generator_on(self, strategy: tf.distribute.Strategy) -> str:
        """Counting where masks are made within compiled blocks; elsewhere TensorFlow's own is quicker."""
        if self.dropout_generator != "auto":
            return self.dropout_generator
        compiled = self.fusion_on(strategy) != "none" or isinstance(strategy, tf.distribute.TPUStrategy)
        return "counter" if compiled else "philox"

    def schedule(self, learning_rate: float, num_train_steps: int, num_warmup_steps: int) -> Callable:
        """step → learning rate."""
        return SCHEDULES[self.learning_rate_schedule](learning_rate, num_train_steps, num_warmup_steps)


def prepare(options: TrainingOptions, strategy: tf.distribute.Strategy) -> None:
    """Sets precision and seed for the model that is about to be made.

    Raises:
        InputError: the batch can't be shared out evenly.
    """
    replicas, parts = strategy.num_replicas_in_sync, options.gradient_accumulation_steps
    if options.train_batch_size % (replicas * parts):
        accumulated = f" in --gradient_accumulation_steps={parts}" if parts > 1 else ""
        raise InputError(
            f"--train_batch_size is {options.train_batch_size}: the {replicas} replicas{accumulated} can't share it "
            "evenly"
        )
    set_precision(options.mixed_precision, fastest_precision(strategy))
    keras.utils.set_random_seed(options.seed)
    # Where TensorFlow's own seed is 0 it can't shuffle by one that is a tensor (python/framework/random_seed.py:91).
    tf.random.set_seed(options.seed % TENSORFLOW_SEEDS or TENSORFLOW_SEEDS - 1)


class Training:
    """The state of a run and its loop of steps.

    Args:
        options: of the run.
        strategy: under whose scope the model was made.
        model, objective: what is trained, and for what.
        weights: the variables that are trained, by name.
        schedule: step → learning rate.
        directory: of the checkpoints.
        learning_rate_scales: of the optimizer.

    Attributes:
        step, position: variables: optimizer steps taken, and the (epoch, index) of the next record.
        state, loop: of `training.loop.train`.
    """

    def __init__(
        self,
        options: TrainingOptions,
        strategy: tf.distribute.Strategy,
        model: keras.Model,
        objective: Objective,
        weights: Mapping[str, tf.Variable],
        schedule: Callable[[tf.Tensor], tf.Tensor],
        directory: str,
        learning_rate_scales: Mapping[str, float] | None = None,
    ):
        with strategy.scope():
            optimizer = OPTIMIZERS[options.optimizer](
                weights,
                weight_decay_rate=options.weight_decay_rate,
                beta_2=options.adam_beta_2,
                learning_rate_scales=learning_rate_scales,
            )
            self.step = tf.Variable(0, dtype=tf.int64, trainable=False, name="global_step")
            self.position = tf.Variable([0, 0], dtype=tf.int64, trainable=False, name="position")
            self._average = None if options.ema_decay is None else MovingAverage(weights, options.ema_decay)
            loss_scale = LossScale() if training_dtype() == "float16" else None
        if options.mixed_precision == "auto" and training_dtype() != "float32":
            print(f"precision: {about_precision()} (--mixed_precision=float32: everywhere)", file=sys.stderr)
        slots = optimizer.slots | {
            name: slot for part in (self._average, loss_scale) if part is not None for name, slot in part.slots.items()
        }
        self.state = TrainState(directory, weights, slots, self.step, self.position)
        self.loop = TrainLoop(
            strategy,
            model,
            objective,
            optimizer,
            schedule,
            self.step,
            options.seed,
            options.fusion_on(strategy),
            gradient_accumulation_steps=options.gradient_accumulation_steps,
            recompute=options.recompute,
            loss_average=options.loss_average,
            loss_scale=loss_scale,
            moving_average=self._average,
            clip_norm=options.clip_norm,
            max_skipped_steps=options.max_skipped_steps + (0 if loss_scale is None else HALVINGS),
            dropout_generator=options.dropout_generator_on(strategy),
        )

    def restore_or(self, initialize: Callable[[], None], repair: bool = True) -> None:
        """Goes back to the last checkpoint, or else takes the weights that `initialize` gives the model.

        Args:
            repair: as of `TrainState.restore`.
        """
        if self.state.restore(repair):
            return
        initialize()
        if self._average is not None:
            self._average.start()

    @contextlib.contextmanager
    def evaluated_weights(self) -> Iterator[None]:
        """Within the block the model has the weights that are evaluated and written: the averages, if there are."""
        if self._average is None:
            yield
        else:
            with self._average.in_place_of_weights():
                yield

    def leave_evaluated_weights(self) -> None:
        """Gives the model, whose training is over, the weights that are evaluated and written."""
        if self._average is not None:
            self._average.replace_weights()


def restore_evaluated_weights(
    directory: str, options: TrainingOptions, weights: Mapping[str, tf.Variable]
) -> int | None:
    """Reads from the last checkpoint in `directory` what is evaluated; answers with its step, or None."""
    return restore_weights(directory, weights, None if options.ema_decay is None else MovingAverage.SLOT)
