"""What a run needs to go on: weights, optimizer, step and place in the data, saved whole or not at all."""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from official import files
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
        self._directory, self._keep = directory, keep
        self._checkpoint = tf.train.Checkpoint(model=dict(weights), optimizer=dict(slots), step=step, position=position)
        self._manager = self._make_manager()

    def _make_manager(self):
        return tf.train.CheckpointManager(self._checkpoint, self._directory, self._keep, checkpoint_name="ckpt")

    @property
    def latest(self) -> str | None:
        """Path of the last checkpoint that is whole, as far as is known, or None."""
        return self._manager.latest_checkpoint

    def restore(self, repair: bool = True) -> bool:
        """Goes back to the last checkpoint that is whole, if there is any, and says to which.

        Args:
            repair: whether damaged ones behind it are struck off the list of checkpoints; otherwise nothing is written.

        Raises:
            InputError: there are some and none can be read, or the last is of another model.
        """
        paths = self._manager.checkpoints
        path = _first_whole(paths, lambda path: self._checkpoint.restore(path).assert_consumed())
        if path is None:
            return False
        if repair and path != paths[-1]:
            _write_list(self._directory, paths[: paths.index(path) + 1])
            self._manager = self._make_manager()
        print(f"going on from {path}", file=sys.stderr)
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
        for path in tf.io.gfile.glob(os.path.join(self._directory, f"ckpt-{step}[._]*")):
            with contextlib.suppress(tf.errors.OpError):
                tf.io.gfile.rmtree(path) if tf.io.gfile.isdir(path) else tf.io.gfile.remove(path)


def _reason(error):
    text = " ".join(str(getattr(error, "message", error)).split())
    return "no space left on the disk" if "No space left on device" in text else text[:200]


def _write_list(directory: str, paths: Sequence[str]) -> None:
    """Says which checkpoints there are; TensorFlow 2 reads this, but has no function to write it.

    It overlooks those that have no time.
    """
    names = [json.dumps(os.path.basename(path)) for path in paths]
    with files.write_whole(os.path.join(directory, "checkpoint")) as file:
        file.write(f"model_checkpoint_path: {names[-1]}\n")
        file.writelines(f"all_model_checkpoint_paths: {name}\n" for name in names)
        file.writelines(f"all_model_checkpoint_timestamps: {time.time()}\n" for _ in names)


def _first_whole(paths: Sequence[str], restore: Callable[[str], object]) -> str | None:
    """Restores the last of `paths` that can be read, and answers with it; every byte that is read has a checksum.

    Raises:
        InputError: there are some and none can be read, or one is of another model.
    """
    for path in reversed(paths):
        try:
            restore(path)
        except (tf.errors.OpError, IndexError) as error:  # the second where a file is too short
            print(f"warning: {path}: can't be read ({_reason(error)}); the one before it is tried", file=sys.stderr)
        except (ValueError, AssertionError) as error:
            raise InputError(
                f"{path}: is not a checkpoint of this model: {' '.join(str(error).split())[:300]} (other flags? a new "
                "--output_dir starts a new run)"
            ) from error
        else:
            return path
    if paths:
        raise InputError(f"{os.path.dirname(paths[-1])}: none of the {len(paths)} checkpoints can be read")
    return None


def restore_weights(directory: str, weights: Mapping[str, tf.Variable], slot: str | None = None) -> int | None:
    """Reads the weights of the last checkpoint in `directory`, for evaluation; answers with its step, or None.

    Args:
        directory: of a `TrainState`.
        weights: what is read, by name.
        slot: if given, what stands under this name beside each of them is read in their place.

    Raises:
        InputError: none of the checkpoints can be read, or they are of another model.
    """
    state = tf.train.get_checkpoint_state(directory)
    step = tf.Variable(0, dtype=tf.int64, trainable=False)
    if slot is None:
        checkpoint = tf.train.Checkpoint(model=dict(weights), step=step)
    else:
        beside = {f"{name}/{slot}": variable for name, variable in weights.items()}
        checkpoint = tf.train.Checkpoint(optimizer=beside, step=step)

    def restore(path):
        checkpoint.restore(path).assert_existing_objects_matched().expect_partial()

    if state is None or _first_whole(state.all_model_checkpoint_paths, restore) is None:
        return None
    return int(step.numpy())
