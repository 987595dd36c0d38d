"""From flags and hardware to a `tf.distribute.Strategy`."""

import tensorflow as tf

from official.training.tf_config import multi_worker_strategy, read_tf_config
from official.training.tpu import reach_tpu

NATIVE_BFLOAT16 = ("amx_bf16", "avx512_bf16")  # What /proc/cpuinfo calls the instructions.
DISTRIBUTIONS = ("one_device", "mirrored", "multi_worker", "tpu")


def make_strategy(
    distribution: str | None = None,
    tpu: str | None = None,
    tpu_zone: str | None = None,
    gcp_project: str | None = None,
) -> tf.distribute.Strategy:
    """The strategy that was asked for, or else the one that fits: a TPU if named, many workers if `TF_CONFIG` names
    them, all GPUs if there are several, one device otherwise.

    Args:
        distribution: one of `DISTRIBUTIONS`, or None.
        tpu: name or grpc:// address of a TPU, `local` on a TPU VM.
        tpu_zone, gcp_project: where that TPU is, if the machine does not know.

    Raises:
        InputError: the TPU can't be reached, or `TF_CONFIG` can't be understood.
    """
    distribution = distribution or _fitting(tpu)
    if distribution == "tpu":
        return reach_tpu(tpu or "local", tpu_zone, gcp_project)
    if distribution == "multi_worker":
        return multi_worker_strategy()
    if distribution == "mirrored":
        gpus = tf.config.list_logical_devices("GPU")
        return tf.distribute.MirroredStrategy(gpus or tf.config.list_logical_devices("CPU"))
    device = "/gpu:0" if tf.config.list_physical_devices("GPU") else "/cpu:0"
    return tf.distribute.OneDeviceStrategy(device)


def _fitting(tpu):
    if tpu:
        return "tpu"
    cluster = read_tf_config()
    if cluster is not None and len(cluster.addresses) > 1:
        return "multi_worker"
    return "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "one_device"


def runs_on_cpu(strategy: tf.distribute.Strategy) -> bool:
    """Whether the replicas of a strategy are CPUs."""
    return all("CPU" in device.upper() for device in strategy.extended.worker_devices)


def fastest_precision(strategy: tf.distribute.Strategy) -> str:
    """`bfloat16` where the devices of a strategy multiply it natively, else `float32`."""
    if runs_on_cpu(strategy):
        native = _cpu_multiplies_bfloat16()
    elif isinstance(strategy, tf.distribute.TPUStrategy):
        native = True
    else:
        gpus = tf.config.list_physical_devices("GPU")
        details = (tf.config.experimental.get_device_details(gpu) for gpu in gpus)
        native = all(gpu.get("compute_capability", (0, 0)) >= (8, 0) for gpu in details)
    return "bfloat16" if native else "float32"


def _cpu_multiplies_bfloat16():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            processors = file.read()
    except OSError:
        return False
    return any(name in processors for name in NATIVE_BFLOAT16)
