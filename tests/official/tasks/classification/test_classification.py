"""The task as a whole, on a small model: each kind of label is learnt, scored, written and answered."""

import io
import json
import os

import numpy as np
import pytest
import tensorflow as tf

from official import checkpoints
from official.errors import InputError
from official.models.bert import Bert, BertConfig
from official.tasks.classification.classification import TextClassification, Wanted, classify
from official.tasks.classification.classification_examples import Example, Task
from official.tasks.classification.own_data import Columns, Table, own_data
from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tokenization.wordpiece import WordPieceTokenizer
from official.training.strategy import make_strategy

WORDS = ("red", "rose", "ruby", "lime", "leaf", "moss")
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
CONFIG = BertConfig(
    vocab_size=len(TOKENS),
    hidden_size=16,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=16,
    type_vocab_size=2,
    initializer_range=0.3,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)
EVERYTHING = Wanted(do_train=True, do_eval=True, do_predict=True)


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    directory = str(tmp_path_factory.mktemp("pretrained"))
    tf.keras.utils.set_random_seed(1)
    checkpoints.save(Bert(CONFIG, ("mlm", "nsp")), directory, tokenizer=WordPieceTokenizer.from_tokens(TOKENS))
    return directory


@pytest.fixture
def run(pretrained, tmp_path):
    return FineTuningRun(
        output_dir=str(tmp_path / "out"),
        init_checkpoint=pretrained,
        max_seq_length=16,
        train_batch_size=8,
        learning_rate=3e-3,
        num_train_epochs=6,
        fusion="none",
    )


def write_data(directory, label_of, count=96, seed=0):
    """Texts of red things, green things or both, labelled by `label_of(red, green)`, as train, dev and test."""
    random = np.random.RandomState(seed)
    for split in ("train", "dev", "test"):
        with open(directory / f"{split}.jsonl", "w") as file:
            for _ in range(count if split == "train" else 24):
                kinds = random.randint(1, 4)
                chosen = [WORDS[random.randint(3) + 3 * (kinds == 1 or (kinds == 3 and k % 2))] for k in range(6)]
                red, green = kinds >= 2, kinds != 2
                file.write(json.dumps({"text": " ".join(chosen), "label": label_of(red, green)}) + "\n")


def task_in(directory, label_type):
    tables = {
        split: Table(str(directory / f"{split}.jsonl"), "jsonl", Columns(), label_type == "multi")
        for split in ("train", "dev", "test")
    }
    return own_data(tables, label_type, None)


# What transformers calls them.
PROBLEM = {
    "single": "single_label_classification",
    "multi": "multi_label_classification",
    "regression": "regression",
}


def do(run, task, wanted=EVERYTHING):
    classify(run, make_strategy("one_device"), task, wanted)


def results_of(run):
    with open(os.path.join(run.output_dir, "eval_results.txt")) as file:
        return {key: float(value) for key, value in (line.rstrip("\n").split(" = ") for line in file)}


@pytest.mark.parametrize(
    "label_type, label_of, measure, prediction",
    [
        ("single", lambda red, green: "red" if red else "green", "accuracy", "red"),
        ("multi", lambda red, green: ["red"] * red + ["green"] * green, "micro_f1", "green,red"),
        ("regression", lambda red, green: 2.0 * red + 1.0 * green, "pearson", None),
    ],
)
def test_every_kind_of_label_is_learnt_scored_and_written(run, tmp_path, label_type, label_of, measure, prediction):
    write_data(tmp_path, label_of)
    do(run, task_in(tmp_path, label_type))
    results = results_of(run)
    assert results[f"eval_{measure}"] > 0.8 and results["global_step"] == 72
    predictions = os.path.join(run.output_dir, "predictions.jsonl")
    written = [json.loads(line) for line in open(predictions)]
    right = [json.loads(line) for line in open(tmp_path / "test.jsonl")]
    probabilities = np.loadtxt(os.path.join(run.output_dir, "test_results.tsv"))
    assert [row["text"] for row in written] == [row["text"] for row in right]
    if prediction is None:
        assert [row["prediction"] for row in written] == pytest.approx(probabilities)
        assert np.corrcoef(probabilities, [row["label"] for row in right])[0, 1] > 0.8
    else:
        assert prediction in {row["prediction"] for row in written}
        beside = [[row[name] for name in row if name.startswith("probability_")] for row in written]
        assert np.array(beside) == pytest.approx(probabilities)
    os.remove(predictions)
    do(run, task_in(tmp_path, label_type), Wanted(do_predict=True))  # The model says by itself what its labels are.
    assert [json.loads(line) for line in open(predictions)] == written
    assert json.load(open(os.path.join(run.output_dir, "model", "config.json")))["problem_type"] == PROBLEM[label_type]
    other = "multi" if label_type == "single" else "single"
    with pytest.raises(InputError, match=f"--label_type is {other}: .* trained with --label_type={label_type}"):
        do(run, task_in(tmp_path, other), Wanted(do_predict=True))


def test_a_choice_is_learnt_and_answered(run, tmp_path, capsys, monkeypatch):
    """Which of four words is of the colour of the first?"""
    random = np.random.RandomState(0)

    def read(split):
        examples = []
        for line in range(128 if split == "train" else 16):
            right = random.randint(4)
            pairs = tuple(("red", WORDS[random.randint(3) + 3 * (choice != right)]) for choice in range(4))
            examples.append(Example(f"{split}-{line}", pairs, (str(right),), split, line))
        return examples

    task = Task(name="colours", read=read, labels=("0", "1", "2", "3"), choices=4)
    do(run, task)
    assert results_of(run)["eval_accuracy"] > 0.9
    probabilities = np.loadtxt(os.path.join(run.output_dir, "test_results.tsv"))
    assert probabilities.shape == (16, 4) and probabilities.sum(axis=1) == pytest.approx(np.ones(16), abs=1e-5)
    capsys.readouterr()
    lines = b"red\tlime\trose\tleaf\tmoss\nred\tlime\nred\tlime\tleaf\tmoss\trose\n"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines)))
    do(run, task, Wanted(do_predict=True, from_stdin=True))
    output = capsys.readouterr()
    assert [line.split("\t")[0] for line in output.out.split("\n")] == ["1", "", "3", ""]
    assert "note: 1 choices; a text and 4 choices were expected, with tabs between" in output.err


def test_labels_are_in_the_order_of_the_checkpoint_whose_head_is_used(run, tmp_path, capsys):
    """A model of another library may have entailment as its first class, and would be scored wrongly without a word."""
    model = Bert(CONFIG, ("sequence_classification",), labels=("one", "both"))
    directory = str(tmp_path / "other")
    checkpoints.save(model, directory, tokenizer=WordPieceTokenizer.from_tokens(TOKENS))
    write_data(tmp_path, lambda red, green: "both" if red and green else "one")
    run = FineTuningRun(output_dir=run.output_dir, init_checkpoint=directory, max_seq_length=16)
    tables = {"dev": Table(str(tmp_path / "dev.jsonl"), "jsonl", Columns())}
    task = own_data({"test": tables["dev"]} | tables, "single", ["both", "one"])
    given = TextClassification(run, make_strategy("one_device"), task, Wanted(do_eval=True))
    assert given.labels == ("one", "both")
    assert "labels are in the order of the checkpoint: one, both" in capsys.readouterr().err


def test_a_head_of_other_classes_is_refused_and_the_labels_found_are_told(run, tmp_path, capsys):
    model = Bert(CONFIG, ("sequence_classification",), labels=("NEGATIVE", "POSITIVE"))
    checkpoints.save(model, str(tmp_path), tokenizer=WordPieceTokenizer.from_tokens(TOKENS))
    write_data(tmp_path, lambda red, green: "both" if red and green else "one")
    run = FineTuningRun(output_dir=run.output_dir, init_checkpoint=str(tmp_path), max_seq_length=16)
    with pytest.raises(InputError, match="its labels are NEGATIVE, POSITIVE, the model's are both, one"):
        do(run, task_in(tmp_path, "single"), Wanted(do_train=True))
    assert "2 labels in the training data: both, one" in capsys.readouterr().err


def test_a_head_that_gives_a_number_is_not_taken_for_one_of_classes(run, tmp_path):
    model = Bert(CONFIG, ("sequence_classification",), labels=("value",))
    checkpoints.save(model, str(tmp_path), tokenizer=WordPieceTokenizer.from_tokens(TOKENS))
    run = FineTuningRun(output_dir=run.output_dir, init_checkpoint=str(tmp_path), max_seq_length=16)
    with pytest.raises(InputError, match="head has one output: it gives a number, which --label_type=regression takes"):
        do(run, task_in(tmp_path, "single"), Wanted(do_predict=True, from_stdin=True))


def test_a_model_that_says_the_same_of_all_is_called_collapsed(tmp_path, capsys):
    model = Bert(CONFIG, ("sequence_classification",), labels=("both", "one"))
    model.sequence_classification.output_bias.assign([10.0, 0.0])
    checkpoints.save(model, str(tmp_path), tokenizer=WordPieceTokenizer.from_tokens(TOKENS))
    write_data(tmp_path, lambda red, green: "both" if red and green else "one")
    run = FineTuningRun(output_dir=str(tmp_path / "out"), init_checkpoint=str(tmp_path), max_seq_length=16)
    do(run, task_in(tmp_path, "single"), Wanted(do_eval=True))
    assert "warning: the model says the same of all 24 examples" in capsys.readouterr().err


@pytest.mark.parametrize(
    "changed, wanted, message",
    [
        ({"num_trials": 2}, Wanted(do_train=True), "--num_trials=2: compares scores"),
        ({}, Wanted(do_predict=True, write_submission=True), "--write_submission: own data is no task"),
        ({}, Wanted(do_train=True, write_submission=True), "--write_submission: "),
        ({"keep_best": True}, Wanted(do_train=True), "--keep_best: compares scores: --do_eval has to be given"),
        ({"early_stopping_patience": 2}, Wanted(do_train=True), "--early_stopping_patience: compares scores"),
        ({}, Wanted(do_predict=True), "--labels must be given: neither training data nor a fine-tuned"),
        ({}, Wanted(do_train=True, class_weights="both"), "--class_weights: 'both', expected was label:weight"),
    ],
)
def test_flags_that_do_not_fit_together_are_refused(run, tmp_path, changed, wanted, message):
    write_data(tmp_path, lambda red, green: "both" if red and green else "one")
    with pytest.raises(InputError, match=message):
        do(FineTuningRun(**(vars(run) | changed)), task_in(tmp_path, "single"), wanted)


def test_class_weights_need_one_label_each(run, tmp_path):
    write_data(tmp_path, lambda red, green: 1.0)
    with pytest.raises(InputError, match="--class_weights: are for examples of one label each"):
        do(run, task_in(tmp_path, "regression"), Wanted(do_train=True, class_weights="balanced"))


def test_class_weights_reach_the_objective(run, tmp_path):
    write_data(tmp_path, lambda red, green: "both" if red and green else "one")
    wanted = Wanted(do_train=True, class_weights="both:3")
    given = TextClassification(run, make_strategy("one_device"), task_in(tmp_path, "single"), wanted)
    assert given.objective.class_weights == (3.0, 1.0)
