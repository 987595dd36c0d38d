"""The flag of the scripts that train: to look at all of it before it costs anything.

Beside the device flags rather than among them: scripts that only compute have those too.
"""

from absl import flags

flags.DEFINE_bool(
    "dry_run",
    False,
    "Check flags and inputs as the run would, make a few steps, write nothing, and report: parameters, memory, FLOPs, "
    "speed, time to the end, examples as they are read.",
)


def needs_do_train() -> None:
    """To be called by a module that has defined --do_train."""
    flags.register_multi_flags_validator(
        ["dry_run", "do_train"],
        lambda values: values["do_train"] or not values["dry_run"],
        "a dry run is one of training: --do_train must be given",
    )
