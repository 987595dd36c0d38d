"""What a distillation is told beside what all fine-tuning is."""

import dataclasses

from absl.flags import FlagValues

from official import files
from official.objectives.distilled_tasks import Imitation
from official.tasks.student_layers import layers_of_flag


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistillationRun:
    """Each field, and each of `Imitation`, is the flag of that name.

    Attributes:
        unlabelled_file: files and globs, parted by commas; None where the labelled texts are all.
        student_layers: of the teacher, from 0, in the order in which the student has them.
    """

    teacher: str
    teacher_config_file: str | None = None
    teacher_vocab_file: str | None = None
    teacher_logits_dir: str | None = None
    unlabelled_file: str | None = None
    student_layers: tuple[int, ...] | None = None
    imitation: Imitation = Imitation()

    @property
    def unlabelled_files(self) -> list[str]:
        """Those that there are; InputError where a pattern matches none."""
        return files.expand_patterns(self.unlabelled_file, "unlabelled_file") if self.unlabelled_file else []


def run_of_flags(flags: FlagValues) -> DistillationRun:
    """The run that the command line describes.

    Raises:
        InputError: `student_layers` are no numbers.
    """

    def same_names(kind: type) -> dict:
        names = {field.name for field in dataclasses.fields(kind)} & set(flags)
        return {name: flags[name].value for name in names}

    values = same_names(DistillationRun) | {"imitation": Imitation(**same_names(Imitation))}
    if flags.student_layers is not None:
        values["student_layers"] = layers_of_flag(flags.student_layers)
    return DistillationRun(**values)
