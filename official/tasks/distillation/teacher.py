"""The teacher: a fine-tuned model that says of every example what it thinks, kept in a cache."""

import dataclasses
import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from official.checkpoints.labels import unnamed
from official.checkpoints.loading import labels_of, open_source, parts_of
from official.errors import InputError
from official.inputs.tokenized import TokenizedExamples
from official.models.config import Config
from official.progress import Progress, format_seconds
from official.tasks.distillation.distillation_run import DistillationRun
from official.tasks.distillation.logits_cache import LogitsCache
from official.tasks.fine_tuning.fine_tuning import FineTuning
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun, read_encoder
from official.tokenization.tokenizer import Tokenizer
from official.training.step import Objective

SHARD_EXAMPLES = 1_024  # What a killed run loses at most.
DRY_RUN_EXAMPLES = 64
LOGITS_DIR = "teacher_logits"
Logits = dict[str, np.ndarray]


class Teacher:
    """Which model it is, before its weights are read.

    Attributes:
        run: the student's, with the teacher's weights, config and vocabulary; its output is the cache.
        encoder: config and tokenizer.

    Raises:
        InputError: it can't be used.
    """

    def __init__(self, run: FineTuningRun, distillation: DistillationRun):
        self.run = dataclasses.replace(
            run,
            init_checkpoint=distillation.teacher,
            bert_config_file=distillation.teacher_config_file,
            vocab_file=distillation.teacher_vocab_file,
            do_lower_case=None,
            reinitialize_head=False,
            output_dir=distillation.teacher_logits_dir or os.path.join(run.output_dir, LOGITS_DIR),
        )
        try:
            self.encoder = read_encoder(self.run)
        except InputError as error:
            raise InputError(f"--teacher: {error}") from error

    @property
    def config(self) -> Config:
        return self.encoder[0]

    @property
    def tokenizer(self) -> Tokenizer:
        return self.encoder[1]

    def require_labels(self, head: str, labels: Sequence[str]) -> None:
        """Raises InputError unless these are the labels of its head, as many and, if it names them, the same."""
        family, source = open_source(self.run.init_checkpoint, self.config)
        theirs = labels_of(family, source, {head})
        if theirs == unnamed(len(theirs)) and len(theirs) == len(labels):
            return
        if len(theirs) != len(labels) or (len(labels) > 1 and theirs != tuple(labels)):
            raise InputError(
                f"--teacher={self.run.init_checkpoint}: has {len(theirs)} labels, {_listed(theirs)}, expected were "
                f"{len(labels)}, {_listed(labels)}"
            )

    def require_head(self, head: str) -> None:
        """Raises InputError unless it is fine-tuned for this."""
        family, source = open_source(self.run.init_checkpoint, self.config)
        if head not in (parts := parts_of(family, source)):
            raise InputError(
                f"--teacher={self.run.init_checkpoint}: has no head for {head} ({', '.join(parts) or 'none at all'}): "
                "a model that is fine-tuned for this was expected"
            )


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels[:9]) + (", …" if len(labels) > 9 else "")


class Labelling:
    """A teacher at work.

    Args:
        teacher: whose weights are read now.
        strategy: the devices.
        head, labels: as of `FineTuning`.
        objective: of the student; nothing is trained here.

    Attributes:
        about: of a dry run, what it took, as (name, text).

    Raises:
        InputError: the weights don't fit.
    """

    def __init__(
        self,
        teacher: Teacher,
        strategy: tf.distribute.Strategy,
        head: str,
        labels: tuple[str, ...],
        objective: Objective,
    ):
        self.run = teacher.run
        self._engine = FineTuning(teacher.run, strategy, head, labels, objective, teacher.encoder)
        self._engine.initialize(new_head=False)
        self._cache = LogitsCache(teacher.run.output_dir)
        self._key = _digest_of_model(self._engine.model, head)
        self.about: list[tuple[str, str]] = []

    def logits(self, examples: TokenizedExamples, name: str) -> Logits:
        """What the teacher says of each example, as `FineTuning.predict` does, flat: a row for each text or token.

        A dry run asks it for a few, writes nothing, and gives the others the same answers by turns.

        Args:
            examples: by the teacher's tokenizer.
            name: of where they are from, for messages.

        Returns:
            `logits` float32 [rows, labels] or [tokens, labels]; or `start_logits` and `end_logits` [tokens].
        """
        if self.run.dry_run:
            return self._of_some(examples, name)
        progress = Progress(f"labelling {name}", len(examples), ("examples", 1))
        shards, known = [], 0
        for first in range(0, len(examples), SHARD_EXAMPLES):
            part = _part(examples, first, min(first + SHARD_EXAMPLES, len(examples)))
            key = _digest_of_examples(self._key, part)
            if (shard := self._cache.find(key)) is None:
                shard = self._predict(part, progress)
                self._cache.add(key, shard)
            else:
                known += len(part)
                progress.advance(len(part))
            shards.append(shard)
        progress.finish_if_shown()
        before = f", {known:,} of them before" if known else ""
        print(f"{name}: {len(examples):,} examples labelled by the teacher{before}", file=sys.stderr)
        return {key: np.concatenate([shard[key] for shard in shards]) for key in shards[0]}

    @property
    def _of_tokens(self) -> bool:
        return self._engine.head != "sequence_classification"

    def _predict(self, examples: TokenizedExamples, progress: Progress) -> Logits:
        found = self._engine.predict(examples, progress=progress)
        if self._of_tokens:
            found = {name: np.concatenate(rows) for name, rows in found.items()}
        flat = {name: values.astype(np.float32) for name, values in found.items()}
        if not all(np.isfinite(values).all() for values in flat.values()):
            raise InputError(
                f"--teacher={self.run.init_checkpoint}: its logits are not finite: there is nothing to learn"
            )
        return flat

    def _of_some(self, examples: TokenizedExamples, name: str) -> Logits:
        count = min(DRY_RUN_EXAMPLES, len(examples))
        some = _part(examples, 0, count)
        progress = Progress(f"labelling {name}", count, ("examples", 1))
        self._predict(some, progress)  # Most of this is tracing.
        started = time.monotonic()
        found = self._predict(some, progress)
        rate = count / (time.monotonic() - started)
        seconds = format_seconds(len(examples) / rate)
        said = f"{rate:,.0f} examples of {name} a second, {seconds} for its {len(examples):,}"
        if count < len(examples):
            said += f"; here {count} were labelled, and the others have the same labels by turns"
        self.about.append(("teacher", said))
        rows = len(examples.input_ids) if self._of_tokens else len(examples) * examples.group
        return {key: np.resize(values, (rows, *values.shape[1:])) for key, values in found.items()}


def _part(examples: TokenizedExamples, first: int, end: int) -> TokenizedExamples:
    """Examples [first, end), without labels."""
    splits = examples.row_splits[first * examples.group : end * examples.group + 1]
    tokens = slice(splits[0], splits[-1])
    return TokenizedExamples(
        examples.input_ids[tokens], splits - splits[0], examples.segment_ids[tokens], group=examples.group
    )


def _digest_of_model(model: keras.Model, head: str) -> str:
    """Of all that its logits depend on, but for rounding."""
    settings = [
        type(model).__name__,
        dataclasses.asdict(model.config),
        head,
        keras.mixed_precision.global_policy().name,
    ]
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for variable in sorted(model.weights, key=lambda each: each.path):
        digest.update(variable.path.encode())
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(variable)))
    return digest.hexdigest()


def _digest_of_examples(teacher: str, examples: TokenizedExamples) -> str:
    """Of what a teacher is given: the same texts, cut in the same way, by the same tokenizer."""
    digest = hashlib.sha256(f"{teacher} {examples.group}".encode())
    for array in (examples.input_ids, examples.row_splits, examples.segment_ids):
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:32]
