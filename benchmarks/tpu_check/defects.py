"""Steps that a TPU can't make: what the check has to find."""

import tensorflow as tf

from official.objectives.means import Measures, weighted_mean
from official.training.step import Objective


def _numpy_function(ids: tf.Tensor) -> tf.Tensor:
    """A call of Python, which only the host has."""
    return tf.ensure_shape(tf.numpy_function(lambda x: x.astype("float32"), [ids], tf.float32), ids.shape)


def _string(ids: tf.Tensor) -> tf.Tensor:
    """Strings, of which TPUs have none."""
    return tf.strings.to_number(tf.strings.as_string(ids))


def _unique(ids: tf.Tensor) -> tf.Tensor:
    """So many numbers as there are different ids."""
    return tf.cast(tf.unique(tf.reshape(ids, [-1])).y, tf.float32)


def _boolean_mask(ids: tf.Tensor) -> tf.Tensor:
    """So many numbers as there are real tokens."""
    return tf.cast(tf.boolean_mask(ids, ids > 0), tf.float32)


_DEFECTS = {
    "numpy_function": _numpy_function,
    "string": _string,
    "unique": _unique,
    "boolean_mask": _boolean_mask,
}


def with_defect(objective: Objective, defect: str) -> Objective:
    """The objective, with one measure more that is made by a defect of `cases.DEFECTS`; unchanged where it is empty."""
    if not defect:
        return objective

    def defective(model, batch: dict[str, tf.Tensor], training: bool) -> Measures:
        losses, metrics = objective(model, batch, training)
        values = _DEFECTS[defect](batch["input_ids"])
        return Measures(losses, metrics | {defect: weighted_mean(values, tf.ones_like(values))})

    return defective
