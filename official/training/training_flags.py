"""The flags of `TrainingOptions`, which every script that trains has."""

from absl import flags

flags.DEFINE_enum(
    "mixed_precision",
    "auto",
    ["auto", "float32", "bfloat16", "float16"],
    "What is computed in; weights, normalisation, softmax and losses are float32 in any case. float16 comes with loss "
    "scaling. auto: bfloat16 in training, where the hardware multiplies it natively, and float32 for all else, so that "
    "evaluation, prediction and what is exported don't depend on the machine.",
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
flags.DEFINE_enum(
    "optimizer",
    "adamw_bert",
    ["adamw_bert", "adamw", "lamb", "lamb_albert"],
    "Adam as published, AdamW, LAMB, or LAMB as ALBERT has it, without bias correction.",
)
flags.DEFINE_enum(
    "learning_rate_schedule",
    "bert",
    ["bert", "electra", "roberta"],
    "How the rate goes to 0: as published, with a jump down where the warm-up ends; times the warm-up; or down from "
    "where the warm-up ends.",
)
flags.DEFINE_float("adam_beta_2", 0.999, "Of Adam: how slowly the mean of squared gradients changes.", 0.0, 1.0)
flags.DEFINE_float("weight_decay_rate", 0.01, "Of matrices, and of whatever is neither bias nor LayerNorm.", 0.0)
flags.DEFINE_float("clip_norm", 1.0, "The longest gradient; longer ones are scaled to it. 0: none is.", 0.0)
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
