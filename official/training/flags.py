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
    ["float32", "bfloat16", "float16", "auto"],
    "What is computed in; weights, normalisation, softmax and losses are float32 in any case. float16 comes with loss "
    "scaling. auto: bfloat16 where the hardware multiplies it natively.",
)
flags.DEFINE_enum(
    "fusion",
    "auto",
    ["auto", "blocks", "step", "none"],
    "What is compiled in training: the element-wise blocks between matrix products, the whole step up to its gradients "
    "(for GPUs and batches of one length), or nothing. auto: blocks on CPUs. TPUs compile everything in any case.",
)
flags.DEFINE_enum(
    "dropout_generator",
    "auto",
    ["auto", "counter", "philox"],
    "How dropout's masks are drawn: by counting, which is free in a compiled block, or by TensorFlow's generator. "
    "auto: counter where blocks are compiled and on TPUs.",
)
flags.DEFINE_integer(
    "gradient_accumulation_steps",
    1,
    "Parts that a device's share of train_batch_size is computed in, one after the other, where memory is short: the "
    "result is that of the whole batch.",
    lower_bound=1,
)
flags.DEFINE_bool("recompute", False, "Keep less for the backward pass, and compute it again: less memory, more time.")
flags.DEFINE_enum("optimizer", "adamw_bert", ["adamw_bert", "adamw", "lamb"], "Adam as published, AdamW or LAMB.")
flags.DEFINE_enum(
    "loss_average",
    "global",
    ["global", "replica"],
    "Mean over the batch of all devices, or the mean of each device's own mean, as the original had it on TPUs.",
)
flags.DEFINE_float("ema_decay", None, "Keep a moving average of the weights, which is evaluated and written.", 0.0, 1.0)
flags.DEFINE_integer(
    "max_skipped_steps", 0, "Steps in a row that may be skipped because they are not finite.", lower_bound=0
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
