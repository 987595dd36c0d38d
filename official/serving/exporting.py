"""From a checkpoint to a served model: which kind it is, and everything that goes with it."""

import dataclasses
import os
import re
from collections.abc import Sequence

import keras
import tensorflow as tf
from absl.flags import FlagValues

from official import checkpoints
from official.checkpoints.loading import labels_of, open_source, parts_of
from official.errors import InputError
from official.models import registry
from official.models.config import Config
from official.models.feature_based_tagger import FeatureBasedTagger
from official.serving.classifier import SINGLE, Classifier, MultipleChoice
from official.serving.deployment import read_models_config, write_deployment
from official.serving.encoder import Encoder
from official.serving.fill_mask import FillMask
from official.serving.question_answering import QuestionAnswering
from official.serving.saved_model import require_room, write_saved_model
from official.serving.servable import Servable
from official.serving.tagger import Tagger
from official.serving.variants import require_converters
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun, read_encoder
from official.tasks.tagging import tagger_files
from official.tokenization.tokenizer import Tokenizer

ENCODER, FILL_MASK, CLASSIFIER, MULTIPLE_CHOICE, TAGGER, QUESTION_ANSWERING = KINDS = (
    "encoder", "fill_mask", "classifier", "multiple_choice", "tagger", "question_answering",
)  # fmt: skip
HEAD_OF = {
    QUESTION_ANSWERING: "question_answering",
    TAGGER: "token_classification",
    CLASSIFIER: "sequence_classification",
    MULTIPLE_CHOICE: "sequence_classification",
    FILL_MASK: "mlm",
}  # By preference, where a checkpoint has several.
SHORTEST_LENGTH = 3  # [CLS] token [SEP]
DEFAULT_LENGTH = {QUESTION_ANSWERING: 384, TAGGER: 128}  # Of windows; others read as much as the model can.


@dataclasses.dataclass(frozen=True, kw_only=True)
class Export:
    """What is exported and how; each field but the first is the flag of that name of `export_savedmodel.py`."""

    source: str
    export_dir: str
    bert_config_file: str | None = None
    vocab_file: str | None = None
    do_lower_case: bool | None = None
    kind: str | None = None
    model_name: str | None = None
    version: int | None = None
    max_seq_length: int | None = None
    mixed_precision: str = "float32"
    batch_sizes: tuple[int, ...] = (1,)
    variants: Sequence[str] = ()
    text_pairs: bool = False
    label_type: str | None = None  # By default what the checkpoint says, or else SINGLE.
    normalize: bool = False
    top_k: int = 5
    doc_stride: int | None = None
    max_query_length: int = 64
    n_best_size: int = 20
    max_answer_length: int = 30
    version_2_with_negative: bool = False
    null_score_diff_threshold: float = 0.0

    @property
    def name(self) -> str:
        """Of the model: as a server's URLs have it."""
        source = os.path.basename(os.path.abspath(self.source))
        return self.model_name or re.sub(r"[^\w-]+", "_", source, flags=re.ASCII)

    @property
    def directory(self) -> str:
        """Of the model's versions."""
        return os.path.join(self.export_dir, self.name)


def export_of_flags(flags: FlagValues, **known) -> Export:
    """What the command line asks for; `known` says what a run script knows itself."""
    names = {field.name for field in dataclasses.fields(Export)} & set(flags) - set(known) - {"batch_sizes"}
    batch_sizes = tuple(sorted(set(map(int, flags["batch_sizes"].value))))
    return Export(**{name: flags[name].value for name in names}, batch_sizes=batch_sizes, **known)


def check_destination(asked: Export, dry_run: bool = False) -> None:
    """Finds out whether the model can be written where it is to be; in a dry run without writing anything.

    Raises:
        InputError: its name can't be served, its version is there already, or the directory can't be written to.
    """
    if not re.fullmatch(r"\w[\w.-]*", asked.name, re.ASCII):
        raise InputError(
            f"--model_name is {asked.name!r}: letters, digits, _, - and . were expected, as in a server's URLs"
        )
    require_converters(asked.variants, asked.mixed_precision)
    require_room(asked.directory, asked.version, dry_run)
    read_models_config(asked.export_dir)


def export(asked: Export) -> str:
    """Writes `EXPORT/NAME/VERSION/` and what a server needs beside it; answers with the path.

    Raises:
        InputError: there is no such model, it is not of that kind, or it can't be written.
    """
    check_destination(asked)
    # Not "mixed": weights in float32 would be converted at every request, which takes longer than the products.
    keras.config.set_dtype_policy(asked.mixed_precision)
    servable, tokenizer = read_servable(asked)
    path = write_saved_model(
        servable,
        asked.directory,
        version=asked.version,
        batch_sizes=asked.batch_sizes,
        variants=asked.variants,
        vocabulary=tuple(tokenizer.tokens),
        about=_about(asked, servable),
    )
    write_deployment(asked.export_dir, asked.name, servable, asked.batch_sizes)
    return path


def read_servable(asked: Export) -> tuple[Servable, Tokenizer]:
    """The model with its signatures, and its tokenizer.

    Raises:
        InputError: as `export`.
    """
    config, tokenizer = read_encoder(
        FineTuningRun(
            output_dir=asked.export_dir,  # Nothing is read or written there.
            init_checkpoint=asked.source,
            bert_config_file=asked.bert_config_file,
            vocab_file=asked.vocab_file,
            do_lower_case=asked.do_lower_case,
            max_seq_length=SHORTEST_LENGTH,
        )
    )
    model, kind = _read_model(asked, config)
    longest = config.longest_sequence
    length = asked.max_seq_length or min(DEFAULT_LENGTH.get(kind, 512), longest)
    if not SHORTEST_LENGTH <= length <= longest:
        raise InputError(
            f"--max_seq_length is {length}: {SHORTEST_LENGTH} to {longest}, the model's positions, was expected"
        )
    if kind == FILL_MASK:
        tokenizer.require(tokenizer.special.mask)
    return _servable(kind, model, tokenizer, length, asked), tokenizer


def _read_model(asked: Export, config: Config) -> tuple[keras.Model, str]:
    """The model with the one head that is served, and the kind that this makes it."""
    if home := tagger_files.find(asked.source):
        if asked.kind not in (None, TAGGER):
            raise InputError(f"{asked.source}: is a feature-based tagger, which can't be served as {asked.kind}")
        return _read_feature_based(home, config), TAGGER
    family, source = open_source(asked.source, config)
    parts = parts_of(family, source)
    kind = asked.kind or next((kind for kind, head in HEAD_OF.items() if head in parts), ENCODER)
    head = HEAD_OF.get(kind)
    if head is not None and head not in parts:
        raise InputError(f"{asked.source}: has no head for {head}, which --kind={kind} needs")
    heads = [] if head is None else [head]
    model = family.build(config, {*heads, *({"pooler"} & set(parts))}, labels_of(family, source, heads))
    model.label_type = source.label_type
    checkpoints.load_weights(model, asked.source)
    return model, kind


def _read_feature_based(home: str, config: Config) -> FeatureBasedTagger:
    settings = tagger_files.read_settings(home)
    encoder = registry.build(config, pooler=False, output_hidden_states=True)
    checkpoints.load_weights(encoder, home)
    model = FeatureBasedTagger(encoder, settings.labels, settings.feature_layers, settings.lstm_size)
    tagger_files.read_weights(model, home)
    return model


def _servable(kind: str, model: keras.Model, tokenizer: Tokenizer, length: int, asked: Export) -> Servable:
    if kind == CLASSIFIER:
        return Classifier(
            model, tokenizer, length, pairs=asked.text_pairs, label_type=asked.label_type or model.label_type or SINGLE
        )
    if kind == MULTIPLE_CHOICE:
        return MultipleChoice(model, tokenizer, length)
    if kind == TAGGER:
        return Tagger(model, tokenizer, length, doc_stride=asked.doc_stride)
    if kind == QUESTION_ANSWERING:
        return QuestionAnswering(
            model,
            tokenizer,
            length,
            doc_stride=asked.doc_stride or 128,
            max_query_length=asked.max_query_length,
            n_best_size=asked.n_best_size,
            max_answer_length=asked.max_answer_length,
            version_2_with_negative=asked.version_2_with_negative,
            null_score_diff_threshold=asked.null_score_diff_threshold,
        )
    if kind == FILL_MASK:
        return FillMask(model, tokenizer.with_atomic_tokens(tokenizer.special.mask), length, top_k=asked.top_k)
    return Encoder(model, tokenizer, length, normalize=asked.normalize)


def _about(asked: Export, servable: Servable) -> dict:
    """What `export.json` says: enough to make it again."""
    settings = dataclasses.asdict(asked) | {"kind": servable.kind, "max_seq_length": servable.max_seq_length}
    versions = {"tensorflow": tf.__version__, "keras": keras.__version__}
    return settings | {"signatures": sorted(servable.signatures()), "versions": versions}
