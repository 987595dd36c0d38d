"""The flags of exporting that all scripts have."""

from absl import flags

flags.DEFINE_string("export_dir", None, "Write a SavedModel for TensorFlow Serving to EXPORT_DIR/NAME/VERSION.")
flags.DEFINE_string("model_name", None, "NAME of the exported model (default: that of its directory).")
flags.DEFINE_integer(
    "version", None, "VERSION of the exported model (default: one more than the newest).", lower_bound=1
)
flags.DEFINE_list(
    "batch_sizes", ["1", "2", "4", "8", "16", "32"], "Batches a server makes of requests and is warmed up for."
)
flags.register_validator(
    "batch_sizes",
    lambda sizes: bool(sizes) and all(size.isdecimal() and int(size) for size in sizes),
    "whole numbers of at least 1, parted by commas, were expected",
)
