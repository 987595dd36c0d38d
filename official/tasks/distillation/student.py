"""The student: fine-tuned like any model, and perhaps begun with layers of its teacher."""

import dataclasses
import re
import sys
from collections.abc import Sequence

from official.checkpoints.family import Family
from official.checkpoints.loading import open_source, variables_by_name
from official.errors import InputError
from official.models import registry
from official.models.config import Config
from official.tasks.distillation.distillation_run import DistillationRun
from official.tasks.distillation.teacher import Teacher
from official.tasks.fine_tuning.fine_tuning import FineTuning
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun, read_encoder
from official.tokenization.tokenizer import Tokenizer


def read_student(run: FineTuningRun, distillation: DistillationRun, teacher: Teacher) -> tuple[Config, Tokenizer]:
    """Config and tokenizer of the student; the tokenizer is the teacher's where nothing says another.

    A preset without weights has as many tokens as the tokenizer.

    Raises:
        InputError: nothing says which model it is, or config, vocabulary and run don't fit together.
    """
    layers = distillation.student_layers
    if layers is not None:
        return _shortened(teacher, layers), teacher.tokenizer
    if run.init_checkpoint is not None or run.vocab_file is not None or run.bert_config_file is None:
        return read_encoder(run)
    config, tokenizer = registry.read_config(run.bert_config_file), teacher.tokenizer
    if run.bert_config_file in registry.PRESETS:
        config = _for_vocabulary(config, tokenizer)
    if tokenizer.vocab_size > config.vocab_size:
        raise InputError(
            f"{run.bert_config_file}: vocab_size is {config.vocab_size}, the teacher's vocabulary has "
            f"{tokenizer.vocab_size} tokens; --vocab_file names another"
        )
    if run.max_seq_length > config.longest_sequence:
        raise InputError(
            f"--max_seq_length is {run.max_seq_length}: the student has max_position_embeddings "
            f"{config.longest_sequence}"
        )
    return config, tokenizer


def _for_vocabulary(config: Config, tokenizer: Tokenizer) -> Config:
    """A preset as it would be with this vocabulary."""
    values = {"vocab_size": tokenizer.vocab_size}
    if "pad_token_id" in {field.name for field in dataclasses.fields(config)}:
        values["pad_token_id"] = tokenizer.pad_id
    return dataclasses.replace(config, **values)


def _shortened(teacher: Teacher, layers: tuple[int, ...]) -> Config:
    """The teacher's config with so many layers."""
    field, _ = open_source(teacher.run.init_checkpoint, teacher.config)[0].layer
    there = getattr(teacher.config, field)
    if len(set(layers)) < len(layers) or max(layers) >= there:
        raise InputError(
            f"--student_layers={','.join(map(str, layers))}: different numbers from 0 to {there - 1}, layers of the "
            "teacher, were expected"
        )
    return dataclasses.replace(teacher.config, **{field: len(layers)})


class Student(FineTuning):
    """A student on given devices.

    Args:
        teacher: whose layers it may start from.
        layers: which; None: it starts as any model does.
        *arguments: of `FineTuning`.
    """

    def __init__(self, teacher: Teacher, layers: tuple[int, ...] | None, *arguments):
        self._teacher, self._layers = teacher, layers
        super().__init__(*arguments)

    def initialize(self, new_head: bool) -> None:
        """As of `FineTuning`; or the chosen layers of the teacher with its embeddings and its head, as DistilBERT
        starts from BERT (Sanh et al. 2019, §3)."""
        if not new_head or self._layers is None:
            super().initialize(new_head)
            return
        family, source = open_source(self._teacher.run.init_checkpoint, self._teacher.config)
        for ours, variable in variables_by_name(self.model).items():
            theirs = name_in_teacher(ours, family, self._layers)
            if theirs not in source.tensors:
                raise InputError(f"--student_layers: {source.path} has no {theirs} to start from")
            variable.assign(source.read(theirs))
        print(f"the student starts from layers {', '.join(map(str, self._layers))} of {source.path}", file=sys.stderr)


def name_in_teacher(name: str, family: Family, layers: Sequence[int]) -> str:
    """What a variable of a student is called in the model whose layers it has: layer n there is layers[n]."""
    _, start = family.layer
    match = re.match(re.escape(start).replace(r"\{n\}", r"(\d+)"), name)
    return start.format(n=layers[int(match[1])]) + name[match.end() :] if match else name
