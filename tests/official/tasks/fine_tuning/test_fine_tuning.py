"""The engine of fine-tuning: what it learns, keeps, goes on from and predicts."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from official import checkpoints
from official.errors import InputError
from official.inputs.tokenized import TokenizedExamples
from official.models.bert import Bert, BertConfig
from official.objectives.classification import Classification
from official.objectives.question_answering import question_answering
from official.objectives.token_classification import token_classification
from official.tasks.fine_tuning.fine_tuning import FineTuning
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun, read_encoder
from official.tokenization.wordpiece import WordPieceTokenizer
from official.training.strategy import make_strategy

TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{number}" for number in range(15))]
CONFIG = BertConfig(
    vocab_size=20,
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=24,
    type_vocab_size=2,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
OBJECTIVES = {
    "sequence_classification": Classification(),
    "token_classification": token_classification,
    "question_answering": question_answering,
}


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """An encoder as pretraining leaves it: both heads, and a tokenizer."""
    directory = str(tmp_path_factory.mktemp("pretrained"))
    tf.keras.utils.set_random_seed(1)
    checkpoints.save(Bert(CONFIG, ("mlm", "nsp")), directory, tokenizer=WordPieceTokenizer.from_tokens(TOKENS))
    return directory


@pytest.fixture
def run(pretrained, tmp_path):
    return FineTuningRun(
        output_dir=str(tmp_path / "out"),
        init_checkpoint=pretrained,
        max_seq_length=24,
        train_batch_size=8,
        learning_rate=3e-3,
        num_train_epochs=6,
        save_checkpoints_steps=20,
        fusion="none",
    )


def make_examples(count=64, seed=0):
    """Texts of words of one of two kinds, which is their label; half hold a w0, which is tagged and asked for."""
    random = np.random.RandomState(seed)
    rows, labels, tags, places = [], [], [], []
    for _ in range(count):
        label = random.randint(2)
        words = random.randint(6, 13, random.randint(3, 20)) + 7 * label
        place = random.randint(len(words))
        if random.rand() < 0.5:
            words[place] = 5
        row = [2, *words, 3]
        rows.append((row, [0] * len(row)))
        labels.append(label)
        tags.append([-1, *(int(word == 5) for word in words), -1])
        places.append(row.index(5) if 5 in row else 0)
    named = {
        "label_ids": np.array(labels, np.int32),
        "start_positions": np.array(places, np.int32),
        "end_positions": np.array(places, np.int32),
    }
    return TokenizedExamples.from_rows(rows, named, token_labels=tags)


def make_examples_of_one_length(count=64):
    """Windows of 8 tokens, which need no padding, with an answer in each."""
    random = np.random.RandomState(0)
    rows = [([2, *random.randint(6, 20, 6), 3], [0] * 8) for _ in range(count)]
    places = random.randint(1, 7, count).astype(np.int32)
    return TokenizedExamples.from_rows(rows, {"start_positions": places, "end_positions": places})


def fine_tuning(run, head="sequence_classification", labels=("no", "yes"), strategy=None):
    strategy = strategy or make_strategy("one_device")
    return FineTuning(run, strategy, head, labels, OBJECTIVES[head], read_encoder(run))


def accuracy(tuned, examples):
    return float((tuned.predict(examples)["logits"].argmax(-1) == examples.labels["label_ids"]).mean())


def test_a_classifier_learns_and_is_written_with_its_labels(run, capsys):
    examples = make_examples()
    tuned = fine_tuning(dataclasses.replace(run, num_train_epochs=10, learning_rate=1e-2))
    tuned.train(examples)
    assert accuracy(tuned, examples) > 0.95
    assert "left as initialised (2): output_weights" in capsys.readouterr().err
    loaded = checkpoints.load(tuned.write_model())
    assert loaded.labels == ("no", "yes")
    assert checkpoints.read_tokenizer(tuned.run.output_dir).tokens == TOKENS
    again = fine_tuning(dataclasses.replace(run, output_dir=run.output_dir + "2", init_checkpoint=run.output_dir))
    again.restore()
    np.testing.assert_array_equal(again.predict(examples)["logits"], tuned.predict(examples)["logits"])


def test_a_tagger_learns(run):
    examples = make_examples()
    tuned = fine_tuning(run, "token_classification", ("O", "X"))
    tuned.train(examples)
    logits = tuned.predict(examples)["logits"]
    assert [len(row) for row in logits] == list(examples.lengths)
    right = np.concatenate(logits).argmax(-1) == examples.token_labels
    assert right[examples.token_labels >= 0].mean() > 0.95


def test_a_reader_learns_where_answers_are(run):
    examples = make_examples()
    tuned = fine_tuning(dataclasses.replace(run, num_train_epochs=12), "question_answering", ())
    tuned.train(examples)
    outputs = tuned.predict(examples)
    starts = np.array([row.argmax() for row in outputs["start_logits"]])
    assert (starts == examples.labels["start_positions"]).mean() > 0.9
    assert [len(row) for row in outputs["end_logits"]] == list(examples.lengths)


def test_predictions_depend_neither_on_neighbours_nor_on_batch_size(run):
    examples = make_examples(11)
    tuned = fine_tuning(run)
    one = tuned.predict(examples, batch_size=1)["logits"]
    np.testing.assert_allclose(tuned.predict(examples, batch_size=8)["logits"], one, rtol=0, atol=1e-6)


@pytest.mark.parametrize("by_length", [True, False])
def test_a_run_that_was_stopped_ends_with_the_same_weights(run, by_length):
    run = dataclasses.replace(run, group_by_length=by_length, save_checkpoints_steps=7, num_train_epochs=3)
    examples = make_examples()
    whole = fine_tuning(run)
    whole.train(examples)
    stopped = dataclasses.replace(run, output_dir=run.output_dir + "_stopped")

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fine_tuning(stopped).train(examples, evaluate=stop)
    rest = fine_tuning(stopped)
    rest.train(examples)
    for one, other in zip(whole.model.weights, rest.model.weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(("head", "labels"), [("token_classification", ("O", "X")), ("question_answering", ())])
@pytest.mark.parametrize("parts", [1, 2])
def test_packed_examples_teach_what_padded_ones_do(run, head, labels, parts, monkeypatch):
    monkeypatch.setattr("official.models.bert.CLASSIFIER_DROPOUT", 0.0)
    run = dataclasses.replace(
        run, group_by_length=False, num_train_epochs=2, max_seq_length=24, mixed_precision="float32"
    )
    # Padding competes with the answer; there is none in these windows, and none where examples are packed.
    examples = make_examples() if head == "token_classification" else make_examples_of_one_length()
    padded = fine_tuning(run, head, labels)
    padded.train(examples)
    more = {"output_dir": run.output_dir + "_packed", "pack_examples": True, "gradient_accumulation_steps": parts}
    packed = fine_tuning(dataclasses.replace(run, **more), head, labels)
    packed.train(examples)
    for one, other in zip(padded.model.weights, packed.model.weights, strict=True):
        if one.path != "model/cls/squad/output_bias":  # Adds the same to all logits: its gradient is rounding.
            np.testing.assert_allclose(one, other, rtol=0, atol=2e-5, err_msg=one.path)


# In a process of its own: TensorFlow mixes up the collectives of two programs that use the same devices.
TWO_REPLICAS = """
import dataclasses, sys
import numpy as np
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.official.tasks.fine_tuning.test_fine_tuning import FineTuningRun, fine_tuning, make_examples
pretrained, output_dir = sys.argv[1:]
run = FineTuningRun(
    output_dir=output_dir, init_checkpoint=pretrained, max_seq_length=24, train_batch_size=8, learning_rate=3e-3,
    num_train_epochs=2, fusion="none", mixed_precision="float32",
)
examples = make_examples()
one = fine_tuning(run, "question_answering", ())  # The head without dropout, of which replicas draw their own.
one.train(examples)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
two = fine_tuning(dataclasses.replace(run, output_dir=output_dir + "2"), "question_answering", (), strategy)
two.train(examples)
for ours, theirs in zip(*(tuned.predict(examples)["start_logits"] for tuned in (one, two)), strict=True):
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-4)
"""


def test_two_replicas_learn_what_one_does(pretrained, tmp_path, repository):
    result = subprocess.run(
        [sys.executable, "-c", TWO_REPLICAS, pretrained, str(tmp_path / "out")],
        cwd=repository,
        env=os.environ | {"PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr


def test_the_best_model_is_kept(run):
    examples, scores = make_examples(), iter([0.1, 0.7, 0.3, 0.2, 0.6, 0.5])
    run = dataclasses.replace(run, keep_best=True)
    tuned = fine_tuning(run)
    predicted = []

    def evaluate():
        predicted.append(tuned.predict(examples)["logits"])
        return {"eval_accuracy": next(scores)}

    tuned.train(examples, evaluate, "eval_accuracy")
    assert tuned.step == 16
    np.testing.assert_array_equal(tuned.predict(examples)["logits"], predicted[1])
    later = fine_tuning(run)
    later.restore()
    np.testing.assert_array_equal(later.predict(examples)["logits"], predicted[1])


def test_training_stops_early(run, capsys):
    examples, scores = make_examples(), iter([0.5, 0.4, 0.3, 0.2, 0.1, 0.0])
    tuned = fine_tuning(dataclasses.replace(run, early_stopping_patience=2))
    tuned.train(examples, lambda: {"eval_accuracy": next(scores)}, "eval_accuracy")
    assert tuned.step == 8
    assert "stopped at step 24: no better score since step 8" in capsys.readouterr().err


def test_lower_layers_learn_slower_with_decay(run):
    examples = make_examples()
    tuned = fine_tuning(dataclasses.replace(run, layer_decay=0.01, num_train_epochs=1))
    tuned.initialize(new_head=True)
    before = np.array(tuned.model.encoder.embeddings.word_embeddings.numpy())
    tuned.train(examples)
    moved = np.abs(tuned.model.encoder.embeddings.word_embeddings.numpy() - before).max()
    assert 0 < moved < 1e-5


BAD = {
    "no head": (lambda run, tmp_path: run, "has no head for sequence_classification"),
    "no checkpoint": (
        lambda run, tmp_path: dataclasses.replace(run, init_checkpoint=None),
        "neither --init_checkpoint",
    ),
    "too long": (lambda run, tmp_path: dataclasses.replace(run, max_seq_length=25), "max_position_embeddings 24"),
    "another case": (lambda run, tmp_path: dataclasses.replace(run, do_lower_case=False), "--do_lower_case=False"),
    "no such vocabulary": (
        lambda run, tmp_path: dataclasses.replace(run, vocab_file=str(tmp_path / "none.txt")),
        "none.txt: no such file",
    ),
    "too few examples": (lambda run, tmp_path: dataclasses.replace(run, num_train_epochs=0.01), "make no step"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_refused_in_one_line(case, run, tmp_path):
    change, message = BAD[case]
    with pytest.raises(InputError, match=message) as error:
        tuned = fine_tuning(change(run, tmp_path))
        if case == "no head":
            tuned.restore()
        tuned.train(make_examples())
    assert "\n" not in str(error.value)


def test_a_head_of_other_labels_is_refused_and_may_be_started_anew(run):
    tuned = fine_tuning(run)
    tuned.initialize(new_head=True)
    other = dataclasses.replace(run, init_checkpoint=tuned.write_model(), output_dir=run.output_dir + "2")
    with pytest.raises(InputError, match=r"\[2, 16\] in the checkpoint, \[3, 16\].*--reinitialize_head"):
        fine_tuning(other, labels=("a", "b", "c")).initialize(new_head=True)
    fine_tuning(dataclasses.replace(other, reinitialize_head=True), labels=("a", "b", "c")).initialize(new_head=True)
    assert os.path.exists(os.path.join(run.output_dir, "model", "config.json"))
