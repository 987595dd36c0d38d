"""Pretraining of a student: which model it is, whom it learns from, and with what it starts."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
from absl.flags import FlagValues

from official import checkpoints, layers
from official.checkpoints.loading import open_source, parts_of
from official.checkpoints.some_layers import load_some_layers
from official.errors import InputError
from official.layers.initializers import TruncatedNormal
from official.models import registry
from official.models.bert import BertConfig
from official.models.config import Config
from official.models.distilbert import DistilBertConfig
from official.objectives import distilled_pretraining as objectives
from official.objectives.distillation import DistilBertWeights, uniform_layer_map
from official.tasks.student_layers import layers_of_flag, shortened
from official.training.step import Objective

if TYPE_CHECKING:
    from official.tasks.pretraining.pretraining import PretrainingRun

DISTILBERT_LAYERS = (0, 2, 4, 7, 9, 11)  # Of a teacher of 12: scripts/extract_distilbert.py of the release.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Imitation:
    """What a method imitates, and what it asks of student and teacher.

    Attributes:
        objective: of a run and its teacher's model.
        alike: fields of the configs that have to be the same.
        heads: that both have.
        compares_attention: whether what blocks attend with is compared, which recomputation does not keep.
        ends_with_attention: whether nothing is learnt of what follows the last block's attention.
        is_widened: whether the student's hidden states are brought to the teacher's width.
        check: raises InputError where a run and its teacher's config don't fit together otherwise.
    """

    objective: Callable[["PretrainingRun", keras.Model], Objective]
    alike: Sequence[str]
    heads: Sequence[str] = ()
    compares_attention: bool = True
    ends_with_attention: bool = False
    is_widened: bool = False
    check: Callable[["PretrainingRun", Config], None] = lambda run, teacher: None


def _distilbert_objective(run: "PretrainingRun", teacher: keras.Model) -> Objective:
    return objectives.DistilBertPretraining(teacher, run.temperature, DistilBertWeights(*run.distilbert_weights))


def _tinybert_objective(run: "PretrainingRun", teacher: keras.Model) -> Objective:
    layers_of_both = run.config.num_hidden_layers, teacher.config.num_hidden_layers
    return objectives.TinyBertPretraining(teacher, uniform_layer_map(*layers_of_both))


def _check_layers(run: "PretrainingRun", teacher: Config) -> None:
    ours, theirs = run.config.num_hidden_layers, teacher.num_hidden_layers
    if theirs % ours:
        raise InputError(
            f"--method={run.method}: the student's {ours} layers can't share its teacher's {theirs} evenly"
        )


def _check_relations(run: "PretrainingRun", teacher: Config) -> None:
    if not -teacher.num_hidden_layers <= run.teacher_layer < teacher.num_hidden_layers:
        raise InputError(
            f"--teacher_layer={run.teacher_layer}: the teacher has {teacher.num_hidden_layers} layers, from 0"
        )
    for whose, config in (("student", run.config), ("teacher", teacher)):
        if config.hidden_size % run.relation_heads:
            raise InputError(
                f"--relation_heads={run.relation_heads}: doesn't divide the {whose}'s hidden_size {config.hidden_size}"
            )


IMITATIONS: dict[str, Imitation] = {
    "distilbert": Imitation(
        objective=_distilbert_objective,
        alike=("vocab_size", "hidden_size"),
        heads=("mlm",),
        compares_attention=False,
    ),
    "tinybert": Imitation(
        objective=_tinybert_objective,
        alike=("vocab_size", "num_attention_heads"),
        is_widened=True,
        check=_check_layers,
    ),
    "minilm": Imitation(
        objective=lambda run, teacher: objectives.MiniLmPretraining(teacher),
        alike=("vocab_size", "num_attention_heads"),
        ends_with_attention=True,
    ),
    "minilm_v2": Imitation(
        objective=lambda run, teacher: objectives.MiniLmV2Pretraining(teacher, run.teacher_layer, run.relation_heads),
        alike=("vocab_size",),
        ends_with_attention=True,
        check=_check_relations,
    ),
}


def read_teachers_config(teacher: str) -> Config:
    """The config of --teacher; InputError where there is no such model."""
    try:
        return open_source(teacher)[1].config
    except InputError as error:
        raise InputError(f"--teacher: {error}") from error


# === Which model it is ===


def run_of_flags(flags: FlagValues) -> dict[str, Any]:
    """Fields of the run, of which a flag says it otherwise.

    Raises:
        InputError: there is no such teacher; `--student_layers` or `--distilbert_weights` are no numbers.
    """
    return {
        "student_layers": layers_of_flags(flags, read_teachers_config(flags.teacher)),
        "distilbert_weights": _weights(flags.distilbert_weights),
    }


def _weights(given: Sequence[str]) -> tuple[float, ...]:
    try:
        weights = tuple(map(float, given))
    except ValueError:
        weights = ()
    if len(weights) != 3 or not all(weight >= 0 for weight in weights):
        raise InputError(f"--distilbert_weights={','.join(given)}: three numbers, none below 0, were expected")
    return weights


def layers_of_flags(flags: FlagValues, teacher: Config) -> tuple[int, ...] | None:
    """The teacher's layers that the student starts from; those of DistilBERT where no model is named.

    Raises:
        InputError: `--student_layers` are no numbers.
    """
    if flags.student_layers is not None:
        return layers_of_flag(flags.student_layers)
    if flags.method != "distilbert" or flags.bert_config_file or flags.init_checkpoint:
        return None
    count = teacher.num_hidden_layers
    return DISTILBERT_LAYERS if count == 12 else tuple(range(0, count, 2))


def config_of_layers(method: str, teacher: Config, layers: Sequence[int]) -> Config:
    """The teacher's config with these layers; that of a DistilBERT where the method and a BERT make one.

    Raises:
        InputError: they are not layers of its.
    """
    config = shortened(teacher, layers)
    if method != "distilbert" or type(teacher) is not BertConfig:
        return config
    alike = {field.name for field in dataclasses.fields(BertConfig)} - {"type_vocab_size"}
    return DistilBertConfig(**{name: getattr(config, name) for name in alike})


# === What it is trained as ===


class Widened(keras.Model):
    """A student, and what brings its hidden states to the width of its teacher's while it learns: TinyBERT's (§3.1)."""

    def __init__(self, student: keras.Model, width: int):
        super().__init__(name="model")
        self.student, self.config = student, student.config
        initializer = TruncatedNormal(stddev=student.config.initializer_range)
        self.widen = layers.Dense(width, kernel_initializer=initializer, name="fit_dense")
        self.widen.build((None, None, student.config.hidden_size))
        self.built = True


def make_student(run: "PretrainingRun") -> keras.Model:
    """The network of a run."""
    imitation = IMITATIONS[run.method]
    student = registry.build(
        run.config,
        imitation.heads,
        pooler=False,
        output_hidden_states=True,
        output_attended=True,
        use_one_hot_embeddings=run.use_one_hot_embeddings,
        name="student" if imitation.is_widened else "model",
    )
    if imitation.ends_with_attention:
        _leave_out_what_follows_attention(student)
    return Widened(student, read_teachers_config(run.teacher).hidden_size) if imitation.is_widened else student


def _leave_out_what_follows_attention(student: keras.Model) -> None:
    """What is learnt of the last block's attention teaches nothing to what comes after, if no other block has it."""
    *before, last = itertools.chain.from_iterable(student.encoder.encoder.steps)

    def what_follows(block: layers.TransformerBlock) -> list[keras.layers.Layer]:
        return [block.attention.projection, *block.feed_forward]

    elsewhere = {id(layer) for block in before for layer in what_follows(block)}
    for layer in what_follows(last):
        layer.trainable = id(layer) in elsewhere


def student_of(model: keras.Model) -> keras.Model:
    return model.student if isinstance(model, Widened) else model


def start_student(run: "PretrainingRun", model: keras.Model) -> None:
    """Gives it the layers of its teacher that it starts from."""
    load_some_layers(student_of(model), run.teacher, run.student_layers)


# === From whom it learns ===


def make_objective(run: "PretrainingRun") -> Objective:
    """What the student is trained for, its teacher included.

    Raises:
        InputError: there is no such teacher, or it can't teach this student in this way.
    """
    _check(run, read_teachers_config(run.teacher))
    imitation = IMITATIONS[run.method]
    return imitation.objective(run, _read_teacher(run.teacher, imitation.heads))


def _read_teacher(path: str, heads: Sequence[str]) -> keras.Model:
    family, source = open_source(path)
    if not set(heads) <= set(parts_of(family, source)):
        raise InputError(f"--teacher={path}: has no head for masked words: a pretrained model was expected")
    teacher = checkpoints.load(path, heads=heads)
    teacher.output_attention_probs, teacher.output_attended = False, True
    return teacher


def _check(run: "PretrainingRun", teacher: Config) -> None:
    """Compares the two before a teacher is built."""
    imitation = IMITATIONS[run.method]
    for name in imitation.alike:
        ours, theirs = getattr(run.config, name), getattr(teacher, name)
        if ours != theirs:
            raise InputError(f"--method={run.method}: {name} is {ours} in the student and {theirs} in its teacher")
    if run.max_seq_length > teacher.longest_sequence:
        raise InputError(
            f"--max_seq_length is {run.max_seq_length}: the teacher has positions for {teacher.longest_sequence}"
        )
    if run.recompute and imitation.compares_attention:
        raise InputError(f"--recompute: how blocks attend is not kept, and --method={run.method} compares it")
    imitation.check(run, teacher)
