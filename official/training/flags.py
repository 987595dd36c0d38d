"""The flags that every script which computes has: on what devices."""

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


def strategy_of_flags():
    """The `tf.distribute.Strategy` that these flags ask for; `output_dir` is then this process's own.

    Raises:
        InputError: the devices can't be used, or another process trains in `output_dir`.
    """
    from official.training import output_dir
    from official.training.strategy import make_strategy

    values = flags.FLAGS
    tpu = values.tpu_name or values.master or ("local" if values.use_tpu else None)
    strategy = make_strategy(values.distribution, tpu, values.tpu_zone, values.gcp_project)
    if "output_dir" in values and "do_train" in values:
        output_dir.claim(values, strategy)
    return strategy
