"""Pretraining on record files: train, evaluate, write what the original writes."""

import contextlib
import dataclasses
import functools
import os
import sys
from collections.abc import Iterable
from typing import NoReturn

import keras
import tensorflow as tf
from absl.flags import FlagValues

from official import checkpoints, files
from official.checkpoints import registry
from official.errors import DryRunEnded, InputError
from official.inputs import pretraining as records_of
from official.inputs import records
from official.models.config import Config
from official.models.registry import PRESETS, read_config
from official.objectives.masked_lm import Masking
from official.tasks.dry_run.pretraining_report import pretraining_report
from official.tasks.dry_run.trainable import Trainable
from official.tasks.eval_results import write_eval_results
from official.tasks.model_directory import directory_of_model, is_model_of
from official.tasks.pretraining import students
from official.tasks.pretraining.methods import METHODS, config_for
from official.tasks.shapes import for_vocabulary, padded_as
from official.tokenization.tokenizer import Tokenizer
from official.tokenization.vocabulary_files import read_vocabulary_file
from official.training.evaluation import Evaluation
from official.training.logs import MetricsLog
from official.training.loop import Schedule, device_iterator, train
from official.training.rehearsal import rehearse
from official.training.training import Training, TrainingOptions, prepare, restore_evaluated_weights


@dataclasses.dataclass(frozen=True, kw_only=True)
class PretrainingRun(TrainingOptions):
    """What `run_pretraining.py` is told; each field is the flag of that name, with the original's default."""

    config: Config
    method: str = "bert"
    input_files: list[str]
    output_dir: str
    eval_input_files: list[str] | None = None  # None: those of training, as in the original
    init_checkpoint: str | None = None
    vocab_file: str | None = None
    do_lower_case: bool = True
    strip_accents: bool | None = None
    reinitialize_head: bool = False
    max_seq_length: int = 128
    max_predictions_per_seq: int = 20
    masking: str = "static"
    masked_lm_prob: float = 0.15
    do_whole_word_mask: bool = False
    masking_rule: str = "bert"
    max_ngram: int = 1
    favor_shorter_ngram: bool = True
    replace_with_mask_prob: float = 0.8
    keep_original_prob: float = 0.1
    eval_batch_size: int = 8
    learning_rate: float = 5e-5
    num_train_steps: int = 100_000
    num_warmup_steps: int = 10_000
    save_checkpoints_steps: int = 1_000
    iterations_per_loop: int = 1_000
    max_eval_steps: int = 100  # 0: every record once
    use_one_hot_embeddings: bool = False
    electra_variant: str = "electra"
    generator_size: float = 0.25
    discriminator_weight: float = 50.0
    teacher: str | None = None
    student_layers: tuple[int, ...] | None = None
    temperature: float = 2.0
    distilbert_weights: tuple[float, float, float] = (5.0, 2.0, 1.0)
    teacher_layer: int = -1
    relation_heads: int = 48
    write_tf1_checkpoint: bool = False
    dry_run: bool = False
    export_dir: str | None = None  # If given, output_dir/model is written without --do_train too.


def run_of_flags(flags: FlagValues) -> PretrainingRun:
    """The run that the command line describes.

    Raises:
        InputError: the config or the record files are not there, or can't be used.
    """
    same_name = {field.name for field in dataclasses.fields(PretrainingRun)} & set(flags)
    values = {name: flags[name].value for name in same_name}
    if flags.use_one_hot_embeddings is None:
        values["use_one_hot_embeddings"] = bool(flags.use_tpu or flags.tpu_name)
    held_out = flags.eval_input_file
    if flags.teacher is not None:
        values |= students.run_of_flags(flags)
    return PretrainingRun(
        config=_config_of_flags(flags, values.get("student_layers")),
        input_files=files.expand_patterns(flags.input_file, "input_file"),
        eval_input_files=files.expand_patterns(held_out, "eval_input_file") if held_out else None,
        **values,
    )


def _config_of_flags(flags: FlagValues, student_layers: tuple[int, ...] | None) -> Config:
    """Of the model; a preset has as many tokens as the vocabulary, or the teacher, has."""
    if student_layers is not None:
        teacher = students.read_teachers_config(flags.teacher)
        return config_for(flags.method, students.config_of_layers(flags.method, teacher, student_layers))
    given = read_config(flags.bert_config_file)
    config = config_for(flags.method, given)
    is_preset, is_another = flags.bert_config_file in PRESETS, type(config) is not type(given)
    if flags.vocab_file and (is_preset or is_another):
        tokenizer = read_vocabulary_file(flags.vocab_file)
        return for_vocabulary(config, tokenizer) if is_preset else padded_as(config, tokenizer)
    if is_preset and flags.teacher:
        return dataclasses.replace(config, vocab_size=students.read_teachers_config(flags.teacher).vocab_size)
    return config


def check_length(run: PretrainingRun, flag: str = "max_seq_length") -> None:
    """Raises `InputError`, which names `flag`, where the model has too few positions."""
    positions = run.config.longest_sequence
    if run.max_seq_length > positions:
        raise InputError(f"--{flag} is {run.max_seq_length}: the config has max_position_embeddings {positions}")


def pretrain(run: PretrainingRun, strategy: tf.distribute.Strategy, do_train: bool, do_eval: bool) -> "Pretraining":
    """Trains, writes the model, evaluates; what `run_pretraining.py` does.

    With held-out records of its own, evaluation takes place after every checkpoint too.

    Raises:
        InputError: as of `Pretraining`.
        DryRunEnded: where a dry run is asked for.
    """
    pretraining = Pretraining(run, strategy)
    if do_train:
        pretraining.train(held_out=do_eval and run.eval_input_files is not None)
        print(f"model: {pretraining.write_model()}")
    if do_eval:
        step = pretraining.restore_for_evaluation()
        write_eval_results(run.output_dir, pretraining.evaluate(), step)
        if run.export_dir is not None and not do_train:
            _leave_model(pretraining, step)
    return pretraining


def _leave_model(pretraining: "Pretraining", step: int) -> None:
    run = pretraining.run
    if not step and run.init_checkpoint is None:
        raise InputError(f"{run.output_dir}: holds no checkpoint and --init_checkpoint is not given: nothing to export")
    if step or not is_model_of(run.output_dir, run.init_checkpoint):
        pretraining.write_model()


class Pretraining:
    """A run on given devices.

    Raises:
        InputError: records, checkpoint or vocabulary don't fit the config; output that can't be written.
    """

    def __init__(self, run: PretrainingRun, strategy: tf.distribute.Strategy):
        self.run, self.strategy, self.method = run, strategy, METHODS[run.method]
        check_length(run)
        self.tokenizer = self._read_tokenizer()
        self._transform = self._make_transform()
        prepare(run, strategy)
        (files.check_directory if run.dry_run else files.make_directory)(run.output_dir)
        with strategy.scope():
            self.model = self.method.make(run)
            self.objective = self.method.objective(run)
        self.weights = _by_name(self.model.trainable_variables)

    def _read_tokenizer(self) -> Tokenizer | None:
        """That of the vocabulary file, or else the one that goes with the weights that the model starts from, or else
        the teacher's."""
        run = self.run
        source = run.init_checkpoint or run.teacher
        if run.vocab_file is not None:
            tokenizer = read_vocabulary_file(
                run.vocab_file, lower_case=run.do_lower_case, strip_accents=run.strip_accents
            )
        else:
            tokenizer = checkpoints.read_tokenizer(source) if source else None
        if tokenizer is not None and tokenizer.vocab_size > run.config.vocab_size:
            raise InputError(
                f"{tokenizer.vocab_file}: holds {tokenizer.vocab_size} tokens, but the config's vocab_size is "
                f"{run.config.vocab_size}"
            )
        return tokenizer

    @property
    def _checkpoint_dir(self):
        return os.path.join(self.run.output_dir, "checkpoints")

    def _features(self):
        if self.run.masking == "dynamic":
            return records_of.dynamic_features(self.run.max_seq_length)
        return records_of.static_features(self.run.max_seq_length, self.run.max_predictions_per_seq)

    def _make_transform(self):
        if self.run.masking == "static":
            return records.parse_example(self._features())
        tokenizer = self.tokenizer
        if tokenizer is None:
            raise InputError("--masking=dynamic needs --vocab_file: to know [MASK], [CLS] and [SEP]")
        tokenizer.require(tokenizer.special.mask, tokenizer.special.cls, tokenizer.special.sep)
        masking = Masking(
            vocab_size=tokenizer.vocab_size,
            cls_id=tokenizer.cls_id,
            sep_id=tokenizer.sep_id,
            mask_id=tokenizer.mask_id,
            max_predictions_per_seq=self.run.max_predictions_per_seq,
            masked_lm_prob=self.run.masked_lm_prob,
            do_whole_word_mask=self.run.do_whole_word_mask,
            special_ids=tuple(sorted(tokenizer.vocab[name] for name in tokenizer.special if name in tokenizer.vocab)),
            rule=self.run.masking_rule,
            max_ngram=self.run.max_ngram,
            favor_shorter_ngram=self.run.favor_shorter_ngram,
            replace_with_mask_prob=self.run.replace_with_mask_prob,
            keep_original_prob=self.run.keep_original_prob,
        )
        return records_of.mask_dynamically(self.run.max_seq_length, masking, self.run.seed)

    def _check(self, paths):
        """Looks at the first records before hours of work rest on them."""
        records.check_records(paths, self._features(), records_of.LENGTH_FLAGS, records_of.LACKING)
        batches = records.evaluation_batches(paths, self._transform, batch_size=8, repeat=True)
        with self._explained_errors(paths):
            largest = int(tf.reduce_max(next(iter(batches))["input_ids"]))
            if largest >= self.run.config.vocab_size:
                raise InputError(
                    f"{paths[0]}: holds token id {largest}, but the config's vocab_size is "
                    f"{self.run.config.vocab_size}: records and config are of different vocabularies"
                )

    @contextlib.contextmanager
    def _explained_errors(self, paths):
        """Says which record it was that made the pipeline fail."""
        try:
            yield
        except (tf.errors.DataLossError, tf.errors.InvalidArgumentError) as error:
            raise records.explain_read_error(error, paths, self._features()) from error

    def initialize(self) -> None:
        """Takes weights from `init_checkpoint`, or the teacher's layers, if there are any."""
        if self.run.student_layers is not None:
            self.method.start(self.run, self.model)
        elif self.run.init_checkpoint:
            for name, model in self.method.written(self.model).items():
                path = self._source_of(name)
                if path is None:
                    print(f"{name}: there is none beside {self.run.init_checkpoint}: it is new", file=sys.stderr)
                    continue
                on_top = {"pooler", *model.heads} & set(registry.family_of_model(model).parts)
                anew = on_top if self.run.reinitialize_head else ()
                print(checkpoints.load_weights(model, path, reinitialize=anew), file=sys.stderr)

    def _initialize_untrained(self) -> None:
        """What is not trained is in no checkpoint of the run."""
        if len(self.weights) < len(self.model.weights):
            self.initialize()

    def _source_of(self, name: str) -> str | None:
        """Where the weights are that a part of what is trained starts from: `init_checkpoint`, or beside it."""
        if name == "model":
            return self.run.init_checkpoint
        home = os.path.normpath(self.run.init_checkpoint)
        places = (os.path.join(directory, name) for directory in (home, os.path.dirname(home)))
        return next((place for place in places if files.exists(os.path.join(place, "config.json"))), None)

    def train(self, held_out: bool) -> None:
        """Trains, going on from the output directory's last checkpoint if there is one.

        Args:
            held_out: whether to evaluate after every checkpoint.
        """
        run = self.run
        self._check(run.input_files)
        schedule = run.schedule(run.learning_rate, run.num_train_steps, run.num_warmup_steps)
        training = Training(
            run, self.strategy, self.model, self.objective, self.weights, schedule, self._checkpoint_dir
        )
        if training.state.latest is not None:
            self._initialize_untrained()
        training.restore_or(self.initialize, repair=not run.dry_run)
        iterator = device_iterator(self.strategy, lambda context: self.training_batches(context, training.position))
        if run.dry_run:
            self._end_dry_run(training, iterator, held_out)

        def evaluate():
            with training.evaluated_weights():
                return self.evaluate()

        with self._explained_errors(run.input_files):
            train(
                training.loop,
                iterator,
                training.state,
                Schedule(
                    num_train_steps=run.num_train_steps,
                    save_checkpoints_steps=run.save_checkpoints_steps,
                    iterations_per_loop=run.iterations_per_loop,
                ),
                MetricsLog(run.output_dir, int(training.step.numpy())),
                tokens_per_step=run.train_batch_size * run.max_seq_length,
                evaluate=evaluate if held_out else None,
            )
        training.leave_evaluated_weights()

    def _end_dry_run(self, training, iterator, held_out) -> NoReturn:
        run, trainable = self.run, Trainable.of(training, self.run, self.run.init_checkpoint)
        if held_out:
            self._check(run.eval_input_files)
        with self._explained_errors(run.input_files):
            batches = self.training_batches(tf.distribute.InputContext(), training.position)
            rehearsal = rehearse(training.loop, iterator)
            raise DryRunEnded(pretraining_report(trainable, rehearsal, run.input_files, batches, self.tokenizer))

    def training_batches(self, context: tf.distribute.InputContext, position: tf.Variable) -> tf.data.Dataset:
        """The batches of a host from a position in the epochs on, each replica's part of one after the other."""
        epoch, index = (int(number) for number in position.numpy())
        return records.training_batches(
            self.run.input_files,
            self._transform,
            self.run.train_batch_size,
            self.run.seed,
            records.Position(epoch, index),
            records.Share(
                hosts=context.num_input_pipelines,
                index=context.input_pipeline_id,
                replicas=self.strategy.num_replicas_in_sync // context.num_input_pipelines,
            ),
        )

    def restore_for_evaluation(self) -> int:
        """Weights of the output directory's last checkpoint, or else of `init_checkpoint`; answers with their step."""
        self._initialize_untrained()
        step = restore_evaluated_weights(self._checkpoint_dir, self.run, self.weights)
        if step is None:
            self.initialize()
        return step or 0

    def evaluate(self) -> dict[str, float]:
        """Losses and accuracies on the evaluation records (run_pretraining.py:148-186)."""
        run = self.run
        paths = run.eval_input_files or run.input_files
        self._check(paths)
        batches = records.evaluation_batches(paths, self._transform, run.eval_batch_size, repeat=run.max_eval_steps > 0)
        with self._explained_errors(paths):
            return self._evaluation.run(batches, run.max_eval_steps or None)

    @functools.cached_property
    def _evaluation(self):
        """Traced once; it runs on one device, with the variables as they are."""
        return Evaluation(tf.distribute.get_strategy(), self.model, self.objective)

    def write_model(self) -> str:
        """The trained model as a Hugging Face directory, `output_dir/model`; answers with its path."""
        formats = ["hugging_face", "tf1"] if self.run.write_tf1_checkpoint else ["hugging_face"]
        for name, model in self.method.written(self.model).items():
            directory = os.path.join(self.run.output_dir, name)
            for form in formats:
                for note in checkpoints.save(model, directory, format=form, tokenizer=self.tokenizer):
                    print(f"note: {note}", file=sys.stderr)
        return directory_of_model(self.run.output_dir)


def _by_name(variables: Iterable[keras.Variable]) -> dict[str, tf.Variable]:
    """What is trained, without the name of the model that it belongs to, where that is one."""
    paths = [variable.path for variable in variables]
    one = len({path.split("/", 1)[0] for path in paths}) == 1
    return {path.split("/", 1)[1] if one else path: variable.value for path, variable in zip(paths, variables)}
