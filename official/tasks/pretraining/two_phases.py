"""Pretraining in two phases: short sequences for most of the way, then long ones for the far positions.

As published: nine tenths of the steps with 128 tokens, the rest with 512 (BERT paper, appendix A.2); with LAMB the
second phase has a batch, a learning rate and a warm-up of its own (You et al. 2020, section 4.1, mixed-batch training).
"""

import dataclasses
import os
import sys

import tensorflow as tf
from absl.flags import FlagValues

from official import files
from official.tasks.model_directory import directory_of_model
from official.tasks.pretraining.methods import follow, follow_method
from official.tasks.pretraining.pretraining import PretrainingRun, check_length, pretrain, run_of_flags

PREFIX = "phase_2_"
# The batches of You et al. 2020, table 1 (64k, 32k: 8,599 steps in all), with the rates and warm-ups of NVIDIA's
# run_pretraining_lamb.sh (7.5e-4 and 5e-4 times 8 devices; 90 % of 7,820 steps, then 10 % of them twice as many).
RECIPES = {
    "lamb": {
        "optimizer": "lamb",
        "train_batch_size": 65_536,
        "learning_rate": 6e-3,
        "num_train_steps": 7_038,
        "num_warmup_steps": 2_000,
        "phase_2_train_batch_size": 32_768,
        "phase_2_learning_rate": 4e-3,
        "phase_2_num_train_steps": 1_563,
        "phase_2_num_warmup_steps": 200,
    }
}


def follow_recipe(flags: FlagValues) -> None:
    """Gives flags that were not given the values of `--recipe`, and says so."""
    follow(flags, RECIPES.get(flags.recipe, {}), f"--recipe={flags.recipe}")


def runs_of_flags(flags: FlagValues) -> list[PretrainingRun]:
    """The run that the command line describes, or the two of `--phase_2_input_file`, the last in `output_dir`.

    Raises:
        InputError: a config or record files are not there, or can't be used.
    """
    follow_recipe(flags)
    follow_method(flags)
    run = run_of_flags(flags)
    if flags.phase_2_input_file is None:
        return [run]
    given = {name: flags[PREFIX + name].value for name in _own_fields(flags)}
    second = {name: value for name, value in given.items() if value is not None}
    first = dataclasses.replace(run, output_dir=os.path.join(run.output_dir, "phase_1"), export_dir=None)
    held_out = flags.phase_2_eval_input_file
    last = dataclasses.replace(
        run,
        input_files=files.expand_patterns(flags.phase_2_input_file, "phase_2_input_file"),
        eval_input_files=files.expand_patterns(held_out, "phase_2_eval_input_file") if held_out else None,
        init_checkpoint=directory_of_model(first.output_dir),
        student_layers=None,
        **second,
    )
    check_length(first)
    check_length(last, f"{PREFIX}max_seq_length")
    return [first, last]


def _own_fields(flags: FlagValues) -> list[str]:
    names = [field.name for field in dataclasses.fields(PretrainingRun)]
    return [name for name in names if PREFIX + name in flags]


def pretrain_in_phases(
    runs: list[PretrainingRun], strategy: tf.distribute.Strategy, do_train: bool, do_eval: bool
) -> None:
    """Makes one run after the other; those before the last are over where the last has a checkpoint."""
    *before, last = runs
    if do_train and tf.train.latest_checkpoint(os.path.join(last.output_dir, "checkpoints")) is None:
        for run in before:
            print(f"{os.path.basename(run.output_dir)}: {run.max_seq_length} tokens", file=sys.stderr)
            pretrain(run, strategy, do_train=True, do_eval=do_eval and run.eval_input_files is not None)
    pretrain(last, strategy, do_train, do_eval)
