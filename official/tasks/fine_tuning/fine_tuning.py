"""Fine-tuning, whatever the task: a head on an encoder, trained on tokenized examples, the best kept, then used."""

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import keras
import numpy as np
import tensorflow as tf

from official import checkpoints, files
from official.checkpoints.loading import open_source, parts_of
from official.errors import DryRunEnded, InputError
from official.inputs.packing import PackedRows
from official.inputs.records import Share
from official.inputs.tokenized import Layout, Padding, TokenizedExamples, TrainingOrder, in_batches, training_batches
from official.models import registry
from official.models.config import Config
from official.optimization import layerwise_scales
from official.progress import Progress
from official.tasks.dry_run.fine_tuning_report import Batches, fine_tuning_report
from official.tasks.dry_run.trainable import Trainable
from official.tasks.fine_tuning.best_model import BestModel, EnoughTried
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.model_directory import directory_of_model, is_model_of
from official.tokenization.tokenizer import Tokenizer
from official.training.logs import MetricsLog
from official.training.loop import Schedule, device_iterator, train
from official.training.rehearsal import rehearse
from official.training.step import Objective
from official.training.training import Training, prepare, restore_evaluated_weights
from official.training.workers import Workers

Evaluate = Callable[[], Mapping[str, float]]


class FineTuning:
    """A model with a head for one task, on given devices.

    How the model is made, read and written are methods, for a task whose models have more to them.

    Args:
        run: what was asked for.
        strategy: the devices.
        head: `sequence_classification`, `token_classification` or `question_answering`.
        labels: names of its classes; for a number, or one choice among several, one name.
        objective: what it is trained for.
        encoder: of `read_encoder`.

    Attributes:
        model, config, tokenizer.
        step: of the weights: 0 before training, and of weights that were fine-tuned elsewhere.
        about_inputs: what a dry run says of the examples, as (name, text): set by the task.

    Raises:
        InputError: checkpoint, config and vocabulary don't fit together, or output can't be written.
    """

    def __init__(
        self,
        run: FineTuningRun,
        strategy: tf.distribute.Strategy,
        head: str,
        labels: Sequence[str],
        objective: Objective,
        encoder: tuple[Config, Tokenizer],
    ):
        self.run, self.strategy, self.head, self.objective = run, strategy, head, objective
        self.config, self.tokenizer = encoder
        prepare(run, strategy)
        (files.check_directory if run.dry_run else files.make_directory)(run.output_dir)
        with strategy.scope():
            self.model = self.make(tuple(labels))
        self.step = 0
        self.about_inputs: Sequence[tuple[str, str]] = ()
        # Each of several workers predicts everything by itself.
        self._predicting = tf.distribute.get_strategy() if Workers(strategy).several else strategy
        self._predict = tf.function(self._predict_step, reduce_retracing=True, autograph=False)

    def make(self, labels: tuple[str, ...]) -> keras.Model:
        """A new model. Parts of it that are not trained have their weights already: checkpoints don't hold them."""
        family = registry.model_class(self.config)
        return family(
            self.config,
            (self.head,),
            labels=labels if self.head in family.WITH_LABELS else (),
            pooler=self.head in family.WITH_POOLER,
            use_one_hot_embeddings=isinstance(self.strategy, tf.distribute.TPUStrategy),
        )

    @property
    def _checkpoint_dir(self) -> str:
        return os.path.join(self.run.output_dir, "checkpoints")

    @property
    def _on_tpu(self) -> bool:
        return isinstance(self.strategy, tf.distribute.TPUStrategy)

    def _weights(self) -> dict[str, tf.Variable]:
        return {variable.path.split("/", 1)[1]: variable.value for variable in self.model.trainable_variables}

    def _padding(self) -> Padding:
        return Padding(max_length=self.run.max_seq_length, fixed=self._on_tpu)

    def initialize(self, new_head: bool) -> None:
        """Takes the weights to start from, if there are any.

        Args:
            new_head: whether the head may be one that the checkpoint lacks: it is then about to be trained.

        Raises:
            InputError: the checkpoint does not fit.
        """
        path = self.run.init_checkpoint if new_head else self.run.source
        if path is not None:
            print(self.read(path, new_head), file=sys.stderr)

    def read(self, path: str, new_head: bool) -> Any:
        """Reads the weights of the model, as `initialize` wants them; answers with what is to be said of it."""
        family, source = open_source(path, self.config)
        on_top = {self.head, "pooler"} & set(family.parts)
        lacking = on_top - set(parts_of(family, source))
        if self.head in lacking and not new_head:
            raise InputError(
                f"{path}: has no head for {self.head}: it is not fine-tuned for this, and --do_train is off"
            )
        anew = on_top if new_head and self.run.reinitialize_head else lacking
        return checkpoints.load_weights(self.model, path, reinitialize=anew)

    def restore(self) -> None:
        """Takes the weights to be used: the best or last of `output_dir`, or else those of `init_checkpoint`.

        Raises:
            InputError: there are none that were fine-tuned for this task.
        """
        best = BestModel(self.run.output_dir)
        if best.step is not None:
            self.read(best.directory, new_head=False)
            self.step = best.step
            return
        step = restore_evaluated_weights(self._checkpoint_dir, self.run, self._weights())
        if step is None:
            if self.run.source is None:
                raise InputError(f"{self.run.output_dir}: holds no checkpoint, and --init_checkpoint is not given")
            self.initialize(new_head=False)
        self.step = step or 0
        if self.run.export_dir is not None and (step or not is_model_of(self.run.output_dir, self.run.source)):
            self.write_model()

    def num_train_steps(self, examples: TokenizedExamples) -> int:
        """How many steps the epochs are (run_classifier.py:840)."""
        return int(len(examples) / self.run.train_batch_size * self.run.num_train_epochs)

    def train(self, examples: TokenizedExamples, evaluate: Evaluate | None = None, score: str | None = None) -> None:
        """Trains, going on from the output directory's last checkpoint if there is one.

        Args:
            examples: to learn from.
            evaluate: called after each checkpoint; what it answers is logged.
            score: the one of its answers by which the best model is kept; the larger the better.

        Raises:
            InputError: too few examples, a loss that is not finite, or a checkpoint that can't be written.
            DryRunEnded: where a dry run is asked for.
        """
        run, steps = self.run, self.num_train_steps(examples)
        if steps < 1:
            raise InputError(
                f"{len(examples)} examples, --train_batch_size={run.train_batch_size} and "
                f"--num_train_epochs={run.num_train_epochs:g} make no step"
            )
        training = Training(
            run,
            self.strategy,
            self.model,
            self.objective,
            self._weights(),
            run.schedule(run.learning_rate, steps, int(steps * run.warmup_proportion)),
            self._checkpoint_dir,
            learning_rate_scales=layerwise_scales(
                self._weights(), self.config.num_hidden_layers, run.layer_decay, run.layer_decay_as_published
            ),
        )
        training.restore_or(lambda: self.initialize(new_head=True), repair=not run.dry_run)
        start, order = int(training.position[1].numpy()), self._order(examples, steps)
        layout = self._layout(examples, order)
        if run.dry_run:
            self._end_dry_run(training, examples, order, layout)
        iterator = device_iterator(
            self.strategy,
            lambda context: training_batches(examples, order, layout, start, self._share(context)),
        )
        try:
            train(
                training.loop,
                iterator,
                training.state,
                self._schedule(examples, steps),
                MetricsLog(run.output_dir, int(training.step.numpy())),
                tokens_per_step=int(run.train_batch_size * examples.group * examples.lengths.mean()),
                evaluate=None if evaluate is None else self._keeping_the_best(evaluate, score, training),
            )
        except EnoughTried as reason:
            print(reason, file=sys.stderr)
        training.leave_evaluated_weights()
        self.step = int(training.step.numpy())
        if self._looks_for_the_best and evaluate is not None:
            self.restore()

    def _end_dry_run(
        self, training: Training, examples: TokenizedExamples, order: TrainingOrder, layout: Layout
    ) -> NoReturn:
        run, trainable = self.run, Trainable.of(training, self.run, self.run.init_checkpoint)
        start = min(trainable.step, trainable.schedule.num_train_steps - 1)
        batches = Batches.of(examples, order, layout, start, self.strategy.num_replicas_in_sync)

        def typical_batch(context: tf.distribute.InputContext) -> tf.data.Dataset:
            share = self._share(context)
            following = training_batches(examples, order, layout, start + batches.typical, share)
            return following.take(share.replicas).repeat()

        rehearsal = rehearse(training.loop, device_iterator(self.strategy, typical_batch))
        raise DryRunEnded(
            fine_tuning_report(trainable, rehearsal, batches, self.about_inputs, run.num_trials, self.tokenizer)
        )

    def _order(self, examples: TokenizedExamples, steps: int) -> TrainingOrder:
        of_one_shape = self._on_tpu or self.run.pack_examples  # Whatever is in them.
        by_length = not of_one_shape if self.run.group_by_length is None else self.run.group_by_length
        return TrainingOrder(examples.lengths, self.run.train_batch_size, steps, self.run.seed, by_length)

    def _layout(self, examples: TokenizedExamples, order: TrainingOrder) -> Layout:
        if not self.run.pack_examples:
            return self._padding()
        replicas, parts = self.strategy.num_replicas_in_sync, self.run.gradient_accumulation_steps
        return PackedRows.of(examples, order, self.run.max_seq_length, replicas, parts)

    def _share(self, context: tf.distribute.InputContext) -> Share:
        return Share(
            hosts=context.num_input_pipelines,
            index=context.input_pipeline_id,
            replicas=self.strategy.num_replicas_in_sync // context.num_input_pipelines,
        )

    @property
    def _looks_for_the_best(self) -> bool:
        return self.run.keep_best or self.run.early_stopping_patience is not None

    def _schedule(self, examples: TokenizedExamples, steps: int) -> Schedule:
        """Checkpoints where the flag says; to keep the best, at least once an epoch."""
        every = self.run.save_checkpoints_steps
        if self._looks_for_the_best:
            every = min(every, max(1, len(examples) // self.run.train_batch_size))
        return Schedule(
            num_train_steps=steps, save_checkpoints_steps=every, iterations_per_loop=self.run.iterations_per_loop
        )

    def _keeping_the_best(self, evaluate: Evaluate, score: str | None, training: Training) -> Evaluate:
        best = BestModel(self.run.output_dir)
        if not self._looks_for_the_best:
            best.forget()

        def evaluate_and_keep():
            with training.evaluated_weights():
                results = evaluate()
                if score is not None and self._looks_for_the_best:
                    if best.is_better(results[score]):
                        self.write(best.directory)
                    best.add(int(training.step.numpy()), results[score], self.run.early_stopping_patience)
            return results

        return evaluate_and_keep

    def predict(
        self,
        examples: TokenizedExamples,
        batch_size: int | None = None,
        padded: bool = False,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """The logits of every example, in their order.

        Args:
            examples: their labels are not looked at.
            batch_size: by default --predict_batch_size.
            padded: every example to --max_seq_length, and its padding has logits too, as in the original.
            progress: of work that this is a part of, which is told how many examples are done.

        Returns:
            `logits` float32 [N, labels] ([N · group, labels] where there are groups); of a head on tokens a list of N
            arrays [length, labels], or `start_logits` and `end_logits`, lists of N arrays [length]; length is
            --max_seq_length for all where they are padded.
        """
        replicas = self._predicting.num_replicas_in_sync
        batch_size = -(-(batch_size or self.run.predict_batch_size) // replicas) * replicas
        unlabelled = dataclasses.replace(examples, labels={}, token_labels=None, token_values={})
        lengths = np.full(len(examples), self.run.max_seq_length) if padded else examples.lengths
        padding = dataclasses.replace(self._padding(), fixed=padded or self._on_tpu)
        rows: dict[str, list] = {}
        own = Progress("predicting", len(examples), ("examples", 1)) if progress is None else None
        for chosen, batch in in_batches(unlabelled, batch_size, padding):
            for name, values in self._predict_batch(batch).items():
                found = rows.setdefault(name, [None] * len(examples))
                for index, value in zip(chosen, values.reshape(-1, examples.group, *values.shape[1:])):
                    found[index] = value[0, : lengths[index]] if self._is_of_tokens else value
            (own or progress).advance(len(chosen))
        if own is not None:
            own.finish_if_shown()
        if self._is_of_tokens:
            return rows
        return {name: np.concatenate(values) for name, values in rows.items()}

    @property
    def _is_of_tokens(self) -> bool:
        return self.head != "sequence_classification"

    def _predict_batch(self, batch: Mapping[str, tf.Tensor]) -> dict[str, np.ndarray]:
        replicas = self._predicting.num_replicas_in_sync
        parts = {name: tf.split(values, replicas) for name, values in batch.items()}
        spread = {
            name: self._predicting.experimental_distribute_values_from_function(
                lambda context, values=values: values[context.replica_id_in_sync_group]
            )
            for name, values in parts.items()
        }
        outputs = self._predict(spread)
        local = self._predicting.experimental_local_results
        return {name: np.concatenate([part.numpy() for part in local(values)]) for name, values in outputs.items()}

    def _predict_step(self, batch):
        return self._predicting.run(self._replica_logits, args=(batch,))

    def _replica_logits(self, batch):
        outputs = self.model(batch, training=False)
        wanted = ("start_logits", "end_logits") if self.head == "question_answering" else ("logits",)
        return {name: outputs[name] for name in wanted}

    def write_model(self) -> str:
        """The model as a Hugging Face directory, `output_dir/model`; answers with its path."""
        directory = directory_of_model(self.run.output_dir)
        self.write(directory)
        return directory

    def write(self, directory: str) -> None:
        """Writes the model so that `read` finds it."""
        self.save(self.model, directory)

    def save(self, model: keras.Model, directory: str) -> None:
        """Writes a model of a known family in the forms that are asked for."""
        for form in ["hugging_face", "tf1"] if self.run.write_tf1_checkpoint else ["hugging_face"]:
            for note in checkpoints.save(model, directory, format=form, tokenizer=self.tokenizer):
                print(f"note: {note}", file=sys.stderr)
