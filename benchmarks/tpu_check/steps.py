"""The project's own training steps, traced as they are on a TPU: its models, its batches, its loop."""

import os
import tempfile
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import resource_variable_ops

from benchmarks.tpu_check.cases import Case
from benchmarks.tpu_check.cluster import Cluster, find_cluster
from benchmarks.tpu_check.defects import with_defect
from official.inputs import pretraining as records_of
from official.inputs import records
from official.inputs.packing import PackedRows
from official.inputs.tokenized import Padding, TokenizedExamples, TrainingOrder, training_batches
from official.models.registry import read_config
from official.objectives.classification import Classification, MultiLabelClassification, Regression
from official.objectives.question_answering import question_answering
from official.objectives.token_classification import token_classification
from official.optimization import LinearDecayWithWarmup
from official.tasks.fine_tuning.fine_tuning import FineTuning
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.pretraining.methods import config_for
from official.tasks.pretraining.pretraining import Pretraining, PretrainingRun
from official.training.loop import device_iterator
from official.training.training import Training

CHOICES = 4  # SWAG's
LABELS = tuple(map(str, range(3)))  # MNLI has three
# By task: the head, the names of its outputs, the objective.
FINE_TUNING = {
    "classification": ("sequence_classification", LABELS, Classification()),
    "multi_label": ("sequence_classification", LABELS, MultiLabelClassification()),
    "regression": ("sequence_classification", ("value",), Regression()),
    "choice": ("sequence_classification", ("choice",), Classification(choices=CHOICES)),
    "question_answering": ("question_answering", (), question_answering),
    "tagging": ("token_classification", LABELS, token_classification),
}
MakeDataset = Callable[[tf.distribute.InputContext], tf.data.Dataset]


def trace_step(case: Case, strategy: tf.distribute.TPUStrategy) -> Cluster:
    """What the replicas of a TPU are given by `TrainLoop.run`, traced for a case on batches of its size.

    Its precision is bfloat16; all else is what a run has by default on these devices.
    """
    with tempfile.TemporaryDirectory() as directory, tf.variable_creator_scope(_without_value):
        make = _pretraining if case.task == "pretraining" else _fine_tuning
        run, model, objective, make_dataset = make(case, strategy, directory)
        weights = {variable.path.split("/", 1)[1]: variable.value for variable in model.trainable_variables}
        schedule = LinearDecayWithWarmup(1e-4, num_train_steps=1_000_000, num_warmup_steps=10_000)
        objective = with_defect(objective, case.defect)
        loop = Training(run, strategy, model, objective, weights, schedule, directory).loop
        iterator = device_iterator(strategy, make_dataset)

        def train(iterator: Iterator):
            return loop.run(iterator, 2)

        return find_cluster(tf.function(train, autograph=False).get_concrete_function(iterator))


def _without_value(next_creator, **arguments):
    """Makes a variable without memory: of a program only shapes are needed, and every replica would have its copy."""
    value = arguments["initial_value"]
    value = tf.convert_to_tensor(value() if callable(value) else value, arguments.get("dtype"))
    return resource_variable_ops.UninitializedVariable(
        trainable=arguments.get("trainable"), name=arguments.get("name"), shape=value.shape, dtype=value.dtype
    )


def _options(case: Case, strategy) -> dict:
    """What the options of all runs are in a case."""
    return {
        "train_batch_size": case.batch_size * strategy.num_replicas_in_sync,
        "max_seq_length": case.max_seq_length,
        "mixed_precision": "bfloat16",
        "gradient_accumulation_steps": case.gradient_accumulation_steps,
        "recompute": case.recompute,
        "optimizer": case.optimizer,
    }


def _pretraining(case: Case, strategy, directory: str):
    config = config_for(case.method, read_config(case.bert_config_file))
    features = records_of.static_features(case.max_seq_length, case.max_predictions_per_seq)
    path = os.path.join(directory, "records.tfrecord")
    _write_record(path, features)
    run = PretrainingRun(
        config=config,
        method=case.method,
        input_files=[path],
        output_dir=directory,
        max_predictions_per_seq=case.max_predictions_per_seq,
        **_options(case, strategy),
        use_one_hot_embeddings=True,  # As `run_of_flags` says on a TPU.
    )

    def make_dataset(context: tf.distribute.InputContext) -> tf.data.Dataset:
        share = _share(context, strategy)
        return records.training_batches([path], records.parse_example(features), run.train_batch_size, 1, share=share)

    pretraining = Pretraining(run, strategy)
    return run, pretraining.model, pretraining.objective, make_dataset


def _write_record(path: str, features: records.Features) -> None:
    """One record, of zeros."""
    example = tf.train.Example()
    for name, feature in features.items():
        values = example.features.feature[name]
        column = values.int64_list if feature.dtype == tf.int64 else values.float_list
        column.value.extend([0] * feature.shape[0])
    with tf.io.TFRecordWriter(path) as writer:
        writer.write(example.SerializeToString())


def _fine_tuning(case: Case, strategy, directory: str):
    head, labels, objective = FINE_TUNING[case.task]
    run = FineTuningRun(output_dir=directory, **_options(case, strategy))
    batch_size = run.train_batch_size
    tuning = FineTuning(run, strategy, head, labels, objective, (read_config(case.bert_config_file), None))
    examples = _examples(case.task, batch_size, length=case.max_seq_length // 4)
    order = TrainingOrder(examples.lengths, batch_size, num_steps=2, seed=1, by_length=False)
    layout = Padding(max_length=case.max_seq_length, fixed=True)
    if case.pack_examples:
        replicas, parts = strategy.num_replicas_in_sync, case.gradient_accumulation_steps
        layout = PackedRows.of(examples, order, case.max_seq_length, replicas, parts)
    return (
        run,
        tuning.model,
        objective,
        lambda context: training_batches(examples, order, layout, share=_share(context, strategy)),
    )


def _examples(task: str, count: int, length: int) -> TokenizedExamples:
    """So many examples of `length` tokens, with the labels that a task has."""
    zeros = np.zeros(count, np.int32)
    labels = {
        "classification": {"label_ids": zeros},
        "multi_label": {"label_ids": np.zeros((count, len(LABELS)), np.float32)},
        "regression": {"label_ids": zeros.astype(np.float32)},
        "choice": {"label_ids": zeros},
        "question_answering": {"start_positions": zeros, "end_positions": zeros},
        "tagging": {},
    }[task]
    group = CHOICES if task == "choice" else 1
    rows = [([1] * length, [0] * length)] * (count * group)
    token_labels = [[0] * length] * count if task == "tagging" else None
    return TokenizedExamples.from_rows(rows, labels, token_labels, group)


def _share(context: tf.distribute.InputContext, strategy) -> records.Share:
    replicas = strategy.num_replicas_in_sync // context.num_input_pipelines
    return records.Share(context.num_input_pipelines, context.input_pipeline_id, replicas)
