"""Two devices on one CPU; this has to be said before TensorFlow starts, so before any test runs."""

import tensorflow as tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
