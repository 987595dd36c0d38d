"""The flags of exporting that all scripts have, and what the run scripts do with them."""

from collections.abc import Callable

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


def exporter(values: flags.FlagValues, **known) -> Callable[..., None]:
    """What a run script calls when its run has ended, with the directory of the model and what it has found out.

    Whether the model can be written is found out at once, not after hours of training. Nothing is done where there is
    no --export_dir.

    Args:
        values: the flags.
        known: fields of `exporting.Export` that the script knows better than the flags; `model_name` is the default.

    Raises:
        InputError: as of `exporting.check_destination`.
    """
    if values.export_dir is None:
        return lambda directory, **found: None
    from official.serving import exporting

    # The directory holds the vocabulary that was used; and it is not known what the server's hardware is good at.
    settled = {"bert_config_file": None, "vocab_file": None, "do_lower_case": None, "mixed_precision": "float32"}
    known["model_name"] = values.model_name or known["model_name"]
    exporting.check_destination(exporting.export_of_flags(values, source="", **known, **settled), values.dry_run)

    def export(directory: str, **found) -> None:
        path = exporting.export(exporting.export_of_flags(values, source=directory, **known, **settled, **found))
        print(f"exported: {path}")

    return export
