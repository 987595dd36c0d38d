"""The flags that every script which computes has: on what devices, and in what precision."""

from absl import flags

flags.DEFINE_bool("use_tpu", False, "Whether to use a TPU.")
flags.DEFINE_string("tpu_name", None, "The TPU: its name, a grpc:// address, or 'local' on a TPU VM.")
flags.DEFINE_alias("tpu", "tpu_name")
flags.DEFINE_string("tpu_zone", None, "Zone of the TPU, where the machine does not know it.")
flags.DEFINE_string("gcp_project", None, "Project of the TPU, where the machine does not know it.")
flags.DEFINE_string("master", None, "Address of a TPU, as the original called it.")
flags.DEFINE_integer("num_tpu_cores", 8, "Accepted for old command lines; a TPU says itself how many it has.")
flags.DEFINE_enum(
    "distribution",
    None,
    ["one_device", "mirrored", "multi_worker", "tpu"],
    "How the work is shared out (default: as the hardware and TF_CONFIG suggest).",
)
flags.DEFINE_enum(
    "mixed_precision",
    "float32",
    ["float32", "bfloat16", "auto"],
    "What is computed in; weights, normalisation, softmax and losses are float32 in any case. auto: bfloat16 where the "
    "hardware multiplies it natively.",
)
flags.DEFINE_enum(
    "fusion",
    "auto",
    ["auto", "blocks", "none"],
    "What is compiled in training: the element-wise blocks between matrix products, or nothing. auto: blocks on CPUs.",
)


def strategy_of_flags():
    """The `tf.distribute.Strategy` that these flags ask for."""
    from official.training.strategy import make_strategy

    values = flags.FLAGS
    tpu = values.tpu_name or values.master or ("local" if values.use_tpu else None)
    return make_strategy(values.distribution, tpu, values.tpu_zone, values.gcp_project)
