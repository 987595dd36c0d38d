"""The feature-based use of the paper's §5.3 as a way of fine-tuning: only what stands on the encoder is trained.

The encoder is written to `output_dir/model` before the first step and never again; checkpoints hold what is trained.
"""

import dataclasses
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from absl.flags import FlagValues

from official import checkpoints, files
from official.errors import InputError
from official.inputs.tokenized import TokenizedExamples
from official.models import registry
from official.models.feature_based_tagger import DEFAULT_LAYERS, LSTM_SIZE, FeatureBasedTagger
from official.tasks.fine_tuning import fine_tuning_run
from official.tasks.fine_tuning.best_model import BestModel
from official.tasks.fine_tuning.fine_tuning import FineTuning
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.model_directory import directory_of_model
from official.tasks.tagging import tagger_files
from official.tasks.tagging.tagger_files import TaggerSettings
from official.tasks.tagging.tagging_data import TaggingRun

LEARNING_RATE = 1e-3  # What is new learns too little at the rates of fine-tuning.


def run_of_flags(flags: FlagValues) -> FineTuningRun:
    """As of all fine-tuning, but for the learning rate where none is given and a BiLSTM is trained."""
    run = fine_tuning_run.run_of_flags(flags)
    if not (flags.feature_based and flags.do_train and flags["learning_rate"].using_default_value):
        return run
    print(f"note: --learning_rate is {LEARNING_RATE:g}, for a BiLSTM that is new (--feature_based)", file=sys.stderr)
    return dataclasses.replace(run, learning_rate=LEARNING_RATE)


def settle(run: FineTuningRun, tagging: TaggingRun) -> TaggingRun:
    """The run with `feature_based` and its settings as the tagger shows that is used or gone on with, if there is one.

    Raises:
        InputError: `output_dir` holds a model of the other kind, or there is no encoder to build on.
    """
    home = _home(run)
    if tagging.train_file is None:
        if tagging.feature_based and home is None:
            raise InputError(f"{run.source or run.output_dir}: holds no feature-based tagger: --do_train makes one")
        tagging = dataclasses.replace(tagging, feature_based=home is not None)
    else:
        _check_kind(run, tagging)
    if not tagging.feature_based:
        return tagging
    there = tagger_files.read_settings(home) if home else None
    return dataclasses.replace(
        tagging,
        feature_layers=tagging.feature_layers or (there.feature_layers if there else DEFAULT_LAYERS),
        lstm_size=tagging.lstm_size or (there.lstm_size if there else LSTM_SIZE),
    )


def _check_kind(run: FineTuningRun, tagging: TaggingRun) -> None:
    """Refuses to train where it would write over a model of the other kind, or where a frozen encoder is random."""
    directory = directory_of_model(run.output_dir)
    there = tagger_files.find(directory) is not None
    if there and not tagging.feature_based:
        raise InputError(f"{directory}: holds a feature-based tagger: --feature_based was expected")
    if tagging.feature_based and not there:
        if files.exists(os.path.join(directory, "config.json")):
            raise InputError(f"{directory}: holds a model that is not feature-based: another --output_dir was expected")
        if run.init_checkpoint is None:
            raise InputError("--feature_based trains no encoder: --init_checkpoint must say which one is used")


def _home(run: FineTuningRun) -> str | None:
    """Where the feature-based tagger is that is used or gone on with: in `output_dir`, if a run has begun there."""
    begun = files.exists(os.path.join(run.output_dir, "checkpoints", "checkpoint"))
    if begun or run.init_checkpoint is None or BestModel(run.output_dir).step is not None:
        return tagger_files.find(run.output_dir)
    return tagger_files.find(run.init_checkpoint)


class FeatureBasedTuning(FineTuning):
    """Trains a BiLSTM on an encoder that stays as it is.

    Args:
        *engine: as of `FineTuning`.
        feature_layers, lstm_size: as of `FeatureBasedTagger`.
    """

    def __init__(self, *engine: Any, feature_layers: str, lstm_size: int):
        self._feature_layers, self._lstm_size = feature_layers, lstm_size
        super().__init__(*engine)

    def make(self, labels: tuple[str, ...]) -> FeatureBasedTagger:
        self._settings = TaggerSettings(labels=labels, feature_layers=self._feature_layers, lstm_size=self._lstm_size)
        home = _home(self.run)
        if home == directory_of_model(self.run.output_dir):
            self._check_settings(home)
        encoder = registry.build(self.config, pooler=False, output_hidden_states=True)
        checkpoints.load_weights(encoder, home or self.run.init_checkpoint)
        return FeatureBasedTagger(encoder, labels, self._feature_layers, self._lstm_size)

    def _check_settings(self, home: str) -> None:
        """Refuses a tagger that is another than the one that is wanted."""
        there, wanted = (dataclasses.asdict(each) for each in (tagger_files.read_settings(home), self._settings))
        for field, value in wanted.items():
            if there[field] != value:
                raise InputError(
                    f"{os.path.join(home, tagger_files.SETTINGS)}: {field}: {_spell(there[field])}, now it would be "
                    f"{_spell(value)}: another --output_dir or --init_checkpoint was expected"
                )

    def train(
        self,
        examples: TokenizedExamples,
        evaluate: Callable[[], Mapping[str, float]] | None = None,
        score: str | None = None,
    ) -> None:
        """Writes the encoder, then trains as `FineTuning` does."""
        if not self.run.dry_run:
            self._write_encoder()
        super().train(examples, evaluate, score)

    def _write_encoder(self) -> None:
        if _home(self.run) != directory_of_model(self.run.output_dir):
            tagger_files.write_settings(self._settings, directory_of_model(self.run.output_dir))
            self.save(self.model.encoder_model, directory_of_model(self.run.output_dir))

    def write_model(self) -> str:
        """As `FineTuning` does; of a tagger that was trained elsewhere, the encoder too."""
        self._write_encoder()
        return super().write_model()

    def read(self, path: str, new_head: bool) -> str:
        home = tagger_files.find(path)
        if new_head and (home is None or self.run.reinitialize_head):
            return f"{path}: the encoder, frozen; what stands on it is new"
        self._check_settings(home)
        tagger_files.read_weights(self.model, home)
        return f"{home}: a feature-based tagger"

    def write(self, directory: str) -> None:
        tagger_files.write_weights(self.model, directory)


def _spell(value: Any) -> str:
    return ", ".join(value[:9]) if isinstance(value, tuple) else repr(value)
