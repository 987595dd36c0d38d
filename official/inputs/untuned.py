"""Pipelines that end as soon as nobody wants their batches."""

import tensorflow as tf


def untuned(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The dataset without tf.data's tuning at run time; AUTOTUNE then means as many calls as there are threads.

    The thread that tunes sleeps for twice as long each time, up to a minute, and who ends an iterator may have to wait
    until it wakes.
    """
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
