"""Fine-tuning is PyTorch's: from the same weights, with the same batches, the same losses, weights and logits.

Each task is run as its script runs it, on real data from real weights. What the engine was given is written down, and
transformers' own models learn the same in tests/oracle/fine_tune.py, in float64. `make oracle` makes what that needs.

Measured: losses within 2.1e-7 of theirs, which is rounding: PyTorch in float32 is up to 4e-7 away from itself in
float64. Tolerances are a few times what was measured, and below what the smallest mistakes make: LayerNorm and
biases that decay too, for example, move a weight by 4e-6.
"""

import dataclasses
import json
import pathlib
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from official import checkpoints
from official.checkpoints.loading import open_source, variables_by_name
from official.inputs.tokenized import TokenizedExamples
from official.models import bert
from official.tasks.fine_tuning import fine_tuning
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tokenization.wordpiece import WordPieceTokenizer
from tests.official.checkpoints.test_transformers_agree import oracle_python
from tests.official.tasks.fine_tuning_cases import CASES, Case

pytestmark = pytest.mark.slow

STEPS, WARMUP = 12, 3
# Of the encoder: less to compile, and to update, for each of the tasks. The commonest words, and the pieces of others.
LAYERS, VOCABULARY = 2, 8_192  # Of 6 and 30,522.


class Record:
    """What the engine is given and answers while a run lasts: batches to train on, and logits of what was held out."""

    def __init__(self, patch: pytest.MonkeyPatch):
        self.batches: list[Mapping[str, np.ndarray]] = []
        self.held_out: TokenizedExamples | None = None
        self.logits: Mapping[str, Sequence[np.ndarray]] = {}
        self._make_batches, self._predict = fine_tuning.training_batches, fine_tuning.FineTuning.predict
        patch.setattr(fine_tuning, "training_batches", self._note_batches)
        # A function, which is a method there: it is told its engine.
        patch.setattr(fine_tuning.FineTuning, "predict", lambda *given, **options: self._note_logits(*given, **options))

    def _note_batches(self, *given):
        dataset = self._make_batches(*given)
        self.batches = [{name: batch[name].numpy() for name in batch if name != "position"} for batch in dataset]
        return dataset

    def _note_logits(self, engine, examples, *given, **options):
        self.held_out, self.logits = examples, self._predict(engine, examples, *given, **options)
        return self.logits

    def write(self, directory: pathlib.Path, length: int) -> None:
        """Writes `batches.npz`, and `held_out.npz`, padded to `length`."""
        columns = {f"{step}/{name}": batch[name] for step, batch in enumerate(self.batches) for name in batch}
        np.savez(directory / "batches.npz", **columns)
        unlabelled = dataclasses.replace(self.held_out, labels={}, token_labels=None)
        np.savez(directory / "held_out.npz", **unlabelled.batch(tf.range(len(unlabelled), dtype=tf.int64), length))


def write_encoder(minilm: pathlib.Path, directory: str) -> None:
    """What there is to start from: a part of the real encoder, without dropout."""
    whole, tokenizer = checkpoints.load(str(minilm)), checkpoints.read_tokenizer(str(minilm))
    config = dataclasses.replace(
        whole.config,
        vocab_size=VOCABULARY,
        num_hidden_layers=LAYERS,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    part, real = bert.Bert(config), variables_by_name(whole)
    for name, variable in variables_by_name(part).items():
        variable.assign(real[name][tuple(map(slice, variable.shape))])
    checkpoints.save(part, directory, tokenizer=WordPieceTokenizer.from_tokens(tokenizer.tokens[:VOCABULARY]))


def write_start(case: Case, encoder: str, directory: str) -> None:
    """The encoder with a new head."""
    keras.utils.set_random_seed(1)
    options = {"labels": case.labels, "label_type": case.label_type, "pooler": case.head in bert.Bert.WITH_POOLER}
    model = bert.Bert(open_source(encoder)[1].config, (case.head,), **options)
    checkpoints.load_weights(model, encoder, reinitialize=(case.head,))
    checkpoints.save(model, directory, tokenizer=checkpoints.read_tokenizer(encoder))


def run_case(case: Case, data: pathlib.Path, encoder: str, directory: pathlib.Path) -> Record:
    """Runs a task, and leaves in `directory` what the other side needs."""
    files = directory / "data"
    files.mkdir(parents=True)
    case.write(data, files)
    run = FineTuningRun(
        output_dir=str(directory / "out"),
        init_checkpoint=str(directory / "start"),
        max_seq_length=case.max_seq_length,
        train_batch_size=8,
        warmup_proportion=WARMUP / STEPS,
        mixed_precision="float32",
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bert, "CLASSIFIER_DROPOUT", 0.0)  # Which is 0.1 whatever the config says.
        write_start(case, encoder, run.init_checkpoint)
        record = Record(patch)
        case.run(run, files)
    record.write(directory, case.max_seq_length)
    (directory / "out" / "model").rename(directory / "trained")
    shutil.rmtree(directory / "out" / "checkpoints")
    schedule = {"peak": run.learning_rate, "num_steps": STEPS, "num_warmup_steps": WARMUP}
    (directory / "schedule.json").write_text(json.dumps(schedule), "utf-8")
    return record


@dataclasses.dataclass(frozen=True)
class Tuned:
    """A task as both sides did it.

    Attributes:
        record: what our engine was given and answered.
        log: a line for each of our steps.
        answers, logits: theirs; see tests/oracle/fine_tune.py.
    """

    record: Record
    log: Sequence[Mapping[str, float]]
    answers: Mapping[str, Any]
    logits: Mapping[str, np.ndarray]

    @classmethod
    def read(cls, record: Record, directory: pathlib.Path) -> "Tuned":
        lines = map(json.loads, (directory / "out" / "metrics.jsonl").read_text("utf-8").splitlines())
        answers = json.loads((directory / "answers.json").read_text("utf-8"))
        with np.load(directory / "logits.npz") as logits:
            return cls(record, [line for line in lines if line["kind"] == "train"], answers, dict(logits))


@pytest.fixture(scope="module")
def tuned(repository, shared, minilm, tmp_path_factory):
    """All tasks; the weights, about a gigabyte, are removed again."""
    python = oracle_python(repository)
    root, encoder = (tmp_path_factory.mktemp(name) for name in ("tuned", "encoder"))
    write_encoder(minilm, str(encoder))
    records = {name: run_case(case, shared / "data", str(encoder), root / name) for name, case in CASES.items()}
    script = repository / "tests" / "oracle" / "fine_tune.py"
    result = subprocess.run([python, str(script), str(root)], capture_output=True, text=True, timeout=1_200)
    assert result.returncode == 0, result.stderr[-2_000:]
    found = {name: Tuned.read(record, root / name) for name, record in records.items()}
    shutil.rmtree(root)
    return found


@pytest.mark.parametrize("name", CASES)
def test_every_step_has_their_loss_gradient_norm_and_learning_rate(tuned, name):
    ours, theirs = tuned[name].log, tuned[name].answers["steps"]
    assert len(ours) == len(theirs) == STEPS
    # A norm may be as small as 0.02: what is left of gradients that nearly cancel.
    for measure, tolerance in (("loss", 1e-6), ("gradient_norm", 2e-5), ("learning_rate", 1e-6)):
        values = [[line[measure] for line in lines] for lines in (ours, theirs)]
        np.testing.assert_allclose(*values, rtol=tolerance, atol=0, err_msg=measure)


@pytest.mark.parametrize("name", CASES)
def test_weights_end_where_theirs_do(tuned, name):
    weights = tuned[name].answers["weights"].values()
    # Measured 1.1e-6, of about 1e-3 that weights moved: each step rounds a weight of 1 by up to 6e-8.
    assert max(weight["largest"] for weight in weights) < 2e-6
    moved, apart = (np.linalg.norm([weight[what] for weight in weights]) for what in ("moved", "apart"))
    assert moved > 0.05 and apart < 3e-4 * moved


@pytest.mark.parametrize("name", CASES)
def test_what_was_held_out_has_their_logits(tuned, name):
    ours, theirs = tuned[name].record.logits, tuned[name].logits
    assert set(ours) == set(theirs)
    for side, rows in theirs.items():
        assert len(ours[side]) == len(rows) > 0
        for our_row, their_row in zip(ours[side], rows):
            # Those of tokens end where the tokens do.
            np.testing.assert_allclose(our_row, their_row[: len(our_row)], rtol=0, atol=5e-6, err_msg=side)


@pytest.mark.parametrize("name", ["squad_1", "squad_2", "tags"])
def test_what_makes_these_tasks_hard_was_there(tuned, name):
    """Windows without their answer, whose padding competes with them; tokens without label."""
    batches = tuned[name].record.batches
    aims = np.concatenate([batch["token_labels" if name == "tags" else "start_positions"].ravel() for batch in batches])
    absent = -1 if name == "tags" else 0
    assert 0.2 < (aims == absent).mean() < 0.95
    assert any((batch["input_mask"] == 0).any() for batch in batches)
