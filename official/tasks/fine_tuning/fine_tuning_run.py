"""What fine-tuning is told, whatever the task, and the encoder that it starts from."""

import dataclasses
import os

from absl.flags import FlagValues

from official import checkpoints, files
from official.checkpoints.loading import open_source
from official.errors import InputError
from official.models.config import Config
from official.models.registry import read_config
from official.tasks.model_directory import directory_of_model
from official.tokenization.tokenizer import Tokenizer
from official.tokenization.vocabulary_files import read_vocabulary_file
from official.training.training import TrainingOptions


@dataclasses.dataclass(frozen=True, kw_only=True)
class FineTuningRun(TrainingOptions):
    """What the scripts of fine-tuning are told alike; each field is the flag of that name."""

    output_dir: str
    init_checkpoint: str | None = None
    bert_config_file: str | None = None
    vocab_file: str | None = None
    do_lower_case: bool | None = None
    max_seq_length: int = 128
    eval_batch_size: int = 8
    predict_batch_size: int = 8
    learning_rate: float = 5e-5
    num_train_epochs: float = 3.0
    warmup_proportion: float = 0.1
    save_checkpoints_steps: int = 1_000
    iterations_per_loop: int = 1_000
    reinitialize_head: bool = False
    layer_decay: float = 1.0
    layer_decay_as_published: bool = False
    keep_best: bool = False
    early_stopping_patience: int | None = None
    num_trials: int = 1
    group_by_length: bool | None = None
    pack_examples: bool = False
    write_tf1_checkpoint: bool = False
    write_tf_records: bool = False
    dry_run: bool = False
    export_dir: str | None = None  # If given, output_dir/model is written without --do_train too.

    @property
    def source(self) -> str | None:
        """What to start from: --init_checkpoint, or else the model that an earlier run has left in `output_dir`."""
        written = directory_of_model(self.output_dir)
        if self.init_checkpoint is None and files.exists(os.path.join(written, "config.json")):
            return written
        return self.init_checkpoint


def run_of_flags(flags: FlagValues) -> FineTuningRun:
    """The run that the command line describes."""
    names = {field.name for field in dataclasses.fields(FineTuningRun)} & set(flags)
    return FineTuningRun(**{name: flags[name].value for name in names})


def read_encoder(run: FineTuningRun) -> tuple[Config, Tokenizer]:
    """Config and tokenizer: those that are named, or else those that go with the weights that the run starts from.

    Raises:
        InputError: there is neither, or they don't fit together or the run.
    """
    if run.bert_config_file is not None:
        config = read_config(run.bert_config_file)
    elif run.source is not None:
        config = open_source(run.source)[1].config
    else:
        raise InputError(
            f"{run.output_dir}: holds no model, and neither --init_checkpoint nor --bert_config_file says which to take"
        )
    tokenizer = _read_tokenizer(run)
    if tokenizer.vocab_size > config.vocab_size:
        raise InputError(
            f"{tokenizer.vocab_file}: holds {tokenizer.vocab_size} tokens, but the model's vocab_size is "
            f"{config.vocab_size}"
        )
    tokenizer.require(tokenizer.special.cls, tokenizer.special.sep)
    if run.max_seq_length > config.longest_sequence:
        raise InputError(
            f"--max_seq_length is {run.max_seq_length}: the model has max_position_embeddings {config.longest_sequence}"
        )
    return config, tokenizer


def _read_tokenizer(run: FineTuningRun) -> Tokenizer:
    beside = None
    if run.source is not None and (run.vocab_file is None or run.do_lower_case is None):
        beside = checkpoints.read_tokenizer(run.source)
    if run.vocab_file is None:
        if beside is None:
            raise InputError(f"--vocab_file must be given: there is no vocabulary beside {run.source}")
        if run.do_lower_case in (None, beside.lower_case):
            return beside
        raise InputError(
            f"--do_lower_case={run.do_lower_case}: but the tokenizer beside {run.source} says "
            f"{beside.lower_case}; --vocab_file with it makes another"
        )
    lower_case = run.do_lower_case
    if lower_case is None:
        lower_case = beside.lower_case if beside is not None else True
    return read_vocabulary_file(run.vocab_file, lower_case=lower_case)
