"""Checkpoints of TensorFlow 1, as google-research/bert reads and writes them: `bert_model.ckpt.{index,data-…}`."""

import contextlib
import functools
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from official import files
from official.checkpoints.names import NameMap
from official.checkpoints.source import Source, Tensor
from official.errors import InputError

# What the original's optimizer keeps in the same file: its moments and the step (optimization.py:114-131).
TRAINING_STATE = re.compile(r"(.*/)?adam_[mv]|global_step")
OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"
DATA, INDEX = ".data-00000-of-00001", ".index"


def open_checkpoint(prefix: str, names: NameMap | None = None, **about: Any) -> Source:
    """Opens the checkpoint of this prefix; the optimizer's slots and the step are passed over.

    Args:
        prefix: such as `output/bert_model.ckpt`.
        names: of the family, where ours are not the original's.
        about: further fields of the source.

    Raises:
        InputError: it is not there, broken, or made by TensorFlow 2's object-based `tf.train.Checkpoint`.
    """
    with _errors_of(prefix):
        reader = tf.compat.v1.train.NewCheckpointReader(prefix)  # tf.train's takes a prefix for a directory on ram://.
        shapes = reader.get_variable_to_shape_map()
        types = reader.get_variable_to_dtype_map()
    if OBJECT_GRAPH in shapes:
        raise InputError(
            f"{prefix}: is the training state of a TensorFlow 2 program: a TF1 checkpoint was expected, or the "
            "directory `model` beside `checkpoints` in an output_dir of ours"
        )

    def read(name: str) -> np.ndarray:
        if not types[name].is_floating:
            raise InputError(f"{name} is of type {types[name].name}: floating point was expected")
        with _errors_of(prefix, name):
            return reader.get_tensor(name).astype(np.float32, copy=False)

    return Source(
        path=prefix,
        tensors={
            _ours(names, name): Tensor(name, tuple(shape), functools.partial(read, name), dtype=types[name].name)
            for name, shape in sorted(shapes.items())
            if not TRAINING_STATE.fullmatch(name)
        },
        format="TensorFlow 1 checkpoint",
        integrity="crc32c of each tensor",
        **about,
    )


def _ours(names: NameMap | None, theirs: str) -> str:
    """Our name; their own where there is no other."""
    found = names.to_ours(theirs) if names else None
    return found[0] if found else theirs


@contextlib.contextmanager
def _errors_of(prefix: str, name: str | None = None) -> Iterator[None]:
    """TensorFlow's errors in one line; its checkpoint reader turns some of them into Python's own kinds."""
    try:
        yield
    except (tf.errors.OpError, LookupError, RuntimeError, TypeError, ValueError) as error:
        what = f"{name} can't be read" if name else f"{prefix}: no TF1 checkpoint, or a broken one"
        reason = " ".join(str(error).split())
        raise InputError(f"{what}: {reason}") from error


def save_variables(variables: Mapping[str, tf.Variable], prefix: str, names: NameMap | None = None) -> None:
    """Writes variables under the names given, or what `names` makes of them.

    The file that makes a checkpoint readable, the index, comes last.

    Raises:
        InputError: it can't be written; nothing of it is then left behind.
    """
    if names is not None:
        variables = {names.to_theirs(ours)[0]: variable for ours, variable in variables.items()}
    temporary = files.temporary_name(prefix)
    names = sorted(variables)  # The order in which the original's saver lays them down.
    try:
        tf.raw_ops.SaveV2(
            prefix=temporary,
            tensor_names=names,
            shape_and_slices=[""] * len(names),
            tensors=[tf.convert_to_tensor(variables[name]) for name in names],
        )
        for suffix in (DATA, INDEX):
            files.replace(temporary + suffix, prefix + suffix)
    except tf.errors.OpError as error:
        raise InputError(f"{prefix}: can't be written: {' '.join(error.message.split())}") from error
    except OSError as error:
        raise InputError(f"{prefix}: {files.describe_os_error(error)}") from error
    finally:
        for suffix in (DATA, INDEX):
            files.remove_if_there(temporary + suffix)


def beside(prefix: str, name: str) -> str:
    """The path of a file in the checkpoint's directory."""
    return os.path.join(os.path.dirname(prefix), name)
