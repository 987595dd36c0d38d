"""The student: fine-tuned like any model, and perhaps begun with layers of its teacher."""

from official.checkpoints.some_layers import load_some_layers
from official.errors import InputError
from official.models import registry
from official.models.config import Config
from official.tasks.distillation.distillation_run import DistillationRun
from official.tasks.distillation.teacher import Teacher
from official.tasks.fine_tuning.fine_tuning import FineTuning
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun, read_encoder
from official.tasks.shapes import for_vocabulary
from official.tasks.student_layers import shortened
from official.tokenization.tokenizer import Tokenizer


def read_student(run: FineTuningRun, distillation: DistillationRun, teacher: Teacher) -> tuple[Config, Tokenizer]:
    """Config and tokenizer of the student; the tokenizer is the teacher's where nothing says another.

    A preset without weights has as many tokens as the tokenizer.

    Raises:
        InputError: nothing says which model it is, or config, vocabulary and run don't fit together.
    """
    layers = distillation.student_layers
    if layers is not None:
        return shortened(teacher.config, layers), teacher.tokenizer
    if run.init_checkpoint is not None or run.vocab_file is not None or run.bert_config_file is None:
        return read_encoder(run)
    config, tokenizer = registry.read_config(run.bert_config_file), teacher.tokenizer
    if run.bert_config_file in registry.PRESETS:
        config = for_vocabulary(config, tokenizer)
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
        load_some_layers(self.model, self._teacher.run.init_checkpoint, self._layers, self._teacher.config)
