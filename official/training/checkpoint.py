"""What a run needs to go on: weights, optimizer, step and place in the data, saved whole or not at all."""

import contextlib
import os
from collections.abc import Mapping

import tensorflow as tf

from official.errors import InputError


class TrainState:
    """The checkpoints of a run, in `output_dir/checkpoints`.

    Args:
        directory: where they are.
        weights: the model's variables by name.
        slots: the optimizer's.
        step: int64 variable.
        position: int64 [2] variable, the (epoch, index) of the next record.
        keep: how many checkpoints are kept.
    """

    def __init__(
        self,
        directory: str,
        weights: Mapping[str, tf.Variable],
        slots: Mapping[str, tf.Variable],
        step: tf.Variable,
        position: tf.Variable,
        keep: int = 5,
    ):
        self.step, self.position = step, position
        checkpoint = tf.train.Checkpoint(model=dict(weights), optimizer=dict(slots), step=step, position=position)
        self._checkpoint = checkpoint
        self._manager = tf.train.CheckpointManager(checkpoint, directory, keep, checkpoint_name="ckpt")

    @property
    def latest(self) -> str | None:
        """Path of the last checkpoint, or None."""
        return self._manager.latest_checkpoint

    def restore(self) -> bool:
        """Goes back to the last checkpoint, if there is one.

        Raises:
            InputError: it can't be read, or is of another model.
        """
        if not self.latest:
            return False
        try:
            self._checkpoint.restore(self.latest).assert_consumed()
        except (ValueError, AssertionError, tf.errors.OpError) as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(
                f"{self.latest}: can't go on from this checkpoint: {reason} (another --bert_config_file? a new "
                "--output_dir starts a new run)"
            ) from error
        return True

    def save(self) -> str:
        """Saves under the present step.

        Raises:
            InputError: it can't be written; the checkpoints before are as they were.
        """
        step = int(self.step.numpy())
        try:
            return self._manager.save(checkpoint_number=step)
        except (tf.errors.OpError, OSError) as error:
            kept = f"the last good checkpoint is {self.latest}" if self.latest else "there is no checkpoint yet"
            self._remove_remains(step)
            raise InputError(f"step {step} could not be saved: {_reason(error)}; {kept}") from error

    def _remove_remains(self, step):
        """Takes away what a failed save has written."""
        for path in tf.io.gfile.glob(os.path.join(self._manager.directory, f"ckpt-{step}[._]*")):
            with contextlib.suppress(tf.errors.OpError):
                tf.io.gfile.rmtree(path) if tf.io.gfile.isdir(path) else tf.io.gfile.remove(path)


def _reason(error):
    text = " ".join(str(getattr(error, "message", error)).split())
    return "no space left on the disk" if "No space left on device" in text else text[:200]


def restore_weights(directory: str, weights: Mapping[str, tf.Variable]) -> int | None:
    """Reads the weights of the last checkpoint in `directory`, for evaluation; answers with its step, or None."""
    latest = tf.train.latest_checkpoint(directory)
    if latest is None:
        return None
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    try:
        checkpoint = tf.train.Checkpoint(model=dict(weights), step=step)
        checkpoint.restore(latest).assert_existing_objects_matched().expect_partial()
    except (ValueError, AssertionError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"{latest}: is not a checkpoint of this model: {reason}") from error
    return int(step.numpy())
