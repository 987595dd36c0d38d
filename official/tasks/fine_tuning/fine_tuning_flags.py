"""The flags that the scripts of fine-tuning share, with the original's names and defaults.

`max_seq_length` and the script's own are defined by each script.
"""

from absl import flags

from official.training import dry_run_flag, training_flags
from official.training import flags as device_flags

# === The original's flags ===
flags.DEFINE_string("bert_config_file", None, "The bert_config.json, or a preset (default: init_checkpoint's own).")
flags.DEFINE_string("vocab_file", None, "The vocabulary (default: the one beside init_checkpoint).")
flags.DEFINE_string("output_dir", None, "Where checkpoints, the model, logs and results are written.")
flags.DEFINE_string("init_checkpoint", None, "What to start from: a TF1 checkpoint, a Hugging Face directory, …")
flags.DEFINE_bool("do_lower_case", None, "Whether the vocabulary is uncased (default: as the checkpoint says; true).")
flags.DEFINE_bool("do_train", False, "Whether to train.")
flags.DEFINE_bool("do_eval", False, "Whether to score.")
flags.DEFINE_bool("do_predict", False, "Whether to predict.")
flags.DEFINE_integer("train_batch_size", 32, "Examples in a step, over all devices.", lower_bound=1)
flags.DEFINE_integer("eval_batch_size", 8, "Examples in a step of scoring.", lower_bound=1)
flags.DEFINE_integer("predict_batch_size", 8, "Examples in a step of prediction.", lower_bound=1)
flags.DEFINE_float("learning_rate", 5e-5, "The peak learning rate.", lower_bound=0.0)
flags.DEFINE_float("num_train_epochs", 3.0, "How often each example is seen.", lower_bound=0.0)
flags.DEFINE_float("warmup_proportion", 0.1, "Share of the steps over which the learning rate rises.", 0.0, 1.0)
flags.DEFINE_integer("save_checkpoints_steps", 1_000, "Steps between two checkpoints.", lower_bound=1)
flags.DEFINE_integer("iterations_per_loop", 1_000, "Steps that stay on the devices, at most.", lower_bound=1)
flags.adopt_module_key_flags(device_flags)
flags.adopt_module_key_flags(training_flags)
flags.adopt_module_key_flags(dry_run_flag)
dry_run_flag.needs_do_train()

# === Ours ===
flags.DEFINE_bool("reinitialize_head", False, "Start with a new head where the checkpoint's is of another shape.")
flags.DEFINE_float("layer_decay", 1.0, "What the learning rate of a layer is times that of the layer above.", 0.0, 1.0)
flags.DEFINE_bool(
    "layer_decay_as_published",
    False,
    "One layer_decay more for all but the head, as ELECTRA's code has it (google-research/electra#51).",
)
flags.DEFINE_bool("keep_best", False, "Score after every epoch or checkpoint, and keep the best model.")
flags.DEFINE_integer("early_stopping_patience", None, "Stop after so many scores without a better one.", lower_bound=1)
flags.DEFINE_integer("num_trials", 1, "Train with so many seeds; the median and the range are shown.", lower_bound=1)
flags.DEFINE_bool("group_by_length", None, "Batches of texts of about one length (default: except on a TPU).")
flags.DEFINE_bool("pack_examples", False, "Several examples in a row, each attending to itself: less padding on a TPU.")
flags.DEFINE_bool("write_tf1_checkpoint", False, "Write the model as bert_model.ckpt too.")
flags.DEFINE_integer(
    "seed", 12_345, "Of the head, the order of examples and dropout.", lower_bound=0, upper_bound=2**32 - 1
)
