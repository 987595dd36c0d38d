"""What a model is pretrained for, `--method`: a family's network, its objective, and its published settings."""

import dataclasses
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import keras
from absl.flags import FlagValues

from official.errors import InputError
from official.models import registry
from official.models.albert import AlbertConfig
from official.models.bert import BertConfig
from official.models.config import Config
from official.models.electra import ElectraConfig, ElectraPretraining
from official.models.roberta import RobertaConfig
from official.objectives.bert_pretraining import Pretraining
from official.objectives.masked_lm import electra_max_predictions
from official.objectives.replaced_token import DISCRIMINATOR_HEADS, ReplacedTokenDetection
from official.tasks.pretraining import students
from official.training.step import Objective

if TYPE_CHECKING:
    from official.tasks.pretraining.pretraining import PretrainingRun


@dataclasses.dataclass(frozen=True, kw_only=True)
class Method:
    """How a family is pretrained.

    Attributes:
        config: of the family; None: of any.
        objective: of a run.
        make: the network of a run.
        start: gives it the weights of a teacher that it starts from; None where there is no teacher.
        written: what is written of it, by the name of its directory in `output_dir`.
        settings: flags that have other values than BERT's where they are not given: the published ones.
        served_as: the kind of what --export_dir makes of the model, and its name.
    """

    config: type[Config] | None
    objective: Callable[["PretrainingRun"], Objective]
    make: Callable[["PretrainingRun"], keras.Model]
    start: Callable[["PretrainingRun", keras.Model], None] | None = None
    written: Callable[[keras.Model], Mapping[str, keras.Model]] = lambda model: {"model": model}
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    served_as: str = "fill_mask"


def _with_heads(*heads: str) -> dict[str, Any]:
    """Of a family whose network is its model with these heads."""

    def make(run: "PretrainingRun") -> keras.Model:
        family = registry.model_class(run.config)
        return family(
            run.config,
            heads,
            pooler=not family.WITH_POOLER.isdisjoint(heads),
            use_one_hot_embeddings=run.use_one_hot_embeddings,
        )

    return {"make": make, "objective": lambda run: Pretraining(heads)}


def _make_electra(run: "PretrainingRun") -> ElectraPretraining:
    heads = DISCRIMINATOR_HEADS[run.electra_variant]
    return ElectraPretraining(run.config, run.generator_size, heads, run.use_one_hot_embeddings)


def _by_teacher(served_as: str = "encoder", **settings: Any) -> Method:
    """Of a student of any family."""
    return Method(
        config=None,
        objective=students.make_objective,
        make=students.make_student,
        start=students.start_student,
        written=lambda model: {"model": students.student_of(model)},
        settings=settings,
        served_as=served_as,
    )


METHODS: dict[str, Method] = {
    "bert": Method(config=BertConfig, **_with_heads("mlm", "nsp")),
    # fairseq, examples/roberta/README.pretraining.md and config/pretraining/base.yaml; the rate is for batches of 256.
    "roberta": Method(
        config=RobertaConfig,
        **_with_heads("mlm"),
        settings={
            "masking": "dynamic",
            "masking_rule": "roberta",
            "learning_rate": 1e-4,
            "learning_rate_schedule": "roberta",
            "adam_beta_2": 0.98,
            "clip_norm": 0.0,
        },
    ),
    # google-research/albert, README.md and run_pretraining.py; the rate is that for batches of 4,096.
    "albert": Method(
        config=AlbertConfig,
        **_with_heads("mlm", "sop"),
        settings={
            "do_whole_word_mask": True,
            "max_ngram": 3,
            "optimizer": "lamb_albert",
            "learning_rate": 1.76e-3,
        },
    ),
    # google-research/electra, configure_pretraining.py, of the small model in batches of 128.
    "electra": Method(
        config=ElectraConfig,
        make=_make_electra,
        objective=lambda run: ReplacedTokenDetection(
            variant=run.electra_variant, discriminator_weight=run.discriminator_weight
        ),
        written=lambda model: {"model": model.discriminator, "generator": model.generator},
        settings={
            "masking": "dynamic",
            "masking_rule": "electra",
            "replace_with_mask_prob": 0.85,
            "keep_original_prob": 0.15,
            "replace_with_random_prob": 0.0,
            "learning_rate": 5e-4,
            "learning_rate_schedule": "electra",
        },
        served_as="encoder",
    ),
    # distillation/train.py of transformers, and the command in its README.md.
    "distilbert": _by_teacher(
        "fill_mask", masking="dynamic", learning_rate=5e-4, adam_beta_2=0.98, weight_decay_rate=0.0, clip_norm=5.0
    ),
    "tinybert": _by_teacher(),  # general_distill.py: BERT's settings.
    "minilm": _by_teacher(learning_rate=5e-4),  # §4.1 of the paper, for batches of 1,024.
    "minilm_v2": _by_teacher(learning_rate=6e-4),  # §4.1 of the paper, for batches of 256.
}


def follow_method(flags: FlagValues) -> None:
    """Gives flags that were not given the published values of `--method`, and says so."""
    because = f"--method={flags.method}"
    follow(flags, METHODS[flags.method].settings, because)
    if flags.method == "electra" and flags.masking == "dynamic":
        room = max(1, electra_max_predictions(flags.masked_lm_prob, flags.max_seq_length))
        follow(flags, {"max_predictions_per_seq": room}, because)


def follow(flags: FlagValues, settings: Mapping[str, Any], because: str) -> None:
    """Gives flags that were not given the values of `settings`, and says so."""
    chosen = {name: value for name, value in settings.items() if not flags[name].present}
    for name, value in chosen.items():
        flags[name].value = value
    if chosen:
        print(f"{because}:", *(f"--{name}={value}" for name, value in chosen.items()), file=sys.stderr)


def config_for(method: str, config: Config) -> Config:
    """The config of the method's family; a BERT's shape becomes one of that family, with its own settings otherwise.

    Raises:
        InputError: it is another family's.
    """
    wanted = METHODS[method].config
    if wanted is None or type(config) is wanted:
        return config
    if type(config) is not BertConfig:
        raise InputError(
            f"--bert_config_file: is the config of a {config.title}, --method={method} trains a {wanted.title}"
        )
    shape = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    return wanted(**{name: getattr(config, name) for name in shape})
