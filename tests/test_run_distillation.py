"""run_distillation.py as a user runs it: small teachers of every task shape, their students; kills; what is wrong."""

import json
import pathlib
import re
import signal
import zipfile

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import load_file

from official import checkpoints
from official.models.bert import Bert, BertConfig
from official.models.roberta import Roberta, RobertaConfig
from official.tokenization import byte_level
from official.tokenization.byte_level_bpe import SPECIAL_TOKENS, ByteLevelBpeTokenizer
from official.tokenization.wordpiece import WordPieceTokenizer
from tests import scripts, tagging_texts
from tests.official.tasks.distillation.conftest import SPECIAL

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LETTER_PIECES = [*LETTERS, *"0123456789.,'-()", *(f"##{letter}" for letter in LETTERS)]
SHAPE = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 160,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "initializer_range": 0.1,
}


def run(*flags, **values):
    given = {"do_train": True, "max_seq_length": 48, "train_batch_size": 8, "learning_rate": 3e-3, "fusion": "none"}
    return scripts.run("run_distillation.py", *flags, *scripts.flags_of(given | values))


def log_of(output_dir):
    lines = [json.loads(line) for line in (output_dir / "metrics.jsonl").read_text().splitlines()]
    return [line for line in lines if line["kind"] == "train"]


def assert_learnt(done, output_dir, times=0.7):
    """The loss has fallen to so much of what it was, and the student decides as its teacher no less often."""
    assert done.returncode == 0, done.stderr
    log = log_of(output_dir)
    first, last = (np.mean([line["soft_loss"] for line in part]) for part in (log[:3], log[-3:]))
    assert last < times * first
    assert np.mean([line["agreement"] for line in log[-3:]]) >= np.mean([line["agreement"] for line in log[:3]])


def golden_teacher(golden_bert, name):
    """A model that the original has fine-tuned."""
    return {
        "teacher": golden_bert / name / "model.ckpt",
        "teacher_config_file": golden_bert / "ckpt" / "bert_config.json",
        "teacher_vocab_file": golden_bert / "ckpt" / "vocab.txt",
    }


@pytest.fixture(scope="module")
def bert_of_letters(tmp_path_factory):
    """A pretrained model that knows letters, not words."""
    directory = tmp_path_factory.mktemp("bert")
    tokenizer = WordPieceTokenizer.from_tokens([*SPECIAL, *LETTER_PIECES])
    config = BertConfig(vocab_size=tokenizer.vocab_size, type_vocab_size=2, **SHAPE)
    tf.keras.utils.set_random_seed(1)
    checkpoints.save(Bert(config, ("mlm",)), str(directory), tokenizer=tokenizer)
    return directory


@pytest.fixture(scope="module")
def roberta_of_bytes(tmp_path_factory):
    """One of another family, which knows bytes."""
    directory = tmp_path_factory.mktemp("roberta")
    tokens = [*SPECIAL_TOKENS, *byte_level.SPELLED]
    vocab = {token: number for number, token in enumerate(tokens)}
    tokenizer = ByteLevelBpeTokenizer(vocab, [], atomic_tokens=SPECIAL_TOKENS)
    tf.keras.utils.set_random_seed(1)
    model = Roberta(RobertaConfig(vocab_size=len(tokens), pad_token_id=tokenizer.pad_id, **SHAPE), ("mlm",))
    checkpoints.save(model, str(directory), tokenizer=tokenizer)
    return directory


@pytest.fixture(scope="module")
def sentences(shared):
    """Of reviews."""
    with zipfile.ZipFile(shared / "data" / "movie_reviews" / "sentence_polarity.zip") as archive:
        return [line.strip() for line in archive.read("sentence_polarity/rt-polarity.pos").decode().split("\n")[:160]]


def test_pairs_are_learnt_from_labels_and_from_what_the_teacher_says_of_more(golden_bert, sentences, tmp_path):
    """MRPC with the original's own model as the teacher, and pairs of sentences that nobody has labelled."""
    (tmp_path / "more.txt").write_text("".join(f"{a}\t{b}\n" for a, b in zip(sentences[:40], sentences[40:80])))
    out = tmp_path / "out"
    done = run(
        "--do_eval",
        task="classification",
        task_name="mrpc",
        data_dir=golden_bert / "mrpc",
        unlabelled_file=tmp_path / "more.txt",
        **golden_teacher(golden_bert, "ckpt_mrpc"),
        student="bert-tiny",
        distillation_loss="mse",
        hard_label_weight=0.2,
        num_train_epochs=4,
        output_dir=out,
        export_dir=tmp_path / "export",
    )
    assert_learnt(done, out)
    assert "hard_loss" in log_of(out)[0] and (out / "eval_results.txt").exists()
    assert "unlabelled texts: 40 examples labelled by the teacher" in done.stderr
    model = checkpoints.load(str(out))
    assert model.labels == ("0", "1") and model.config.hidden_size == 128
    assert model.config.vocab_size == 356  # Of the teacher.
    assert (tmp_path / "export" / "mrpc" / "1" / "saved_model.pb").exists()


def test_answers_are_learnt_by_a_model_of_another_family(golden_bert, roberta_of_bytes, tmp_path):
    """Of v2.0, its answers taken away."""
    out, questions = tmp_path / "out", golden_bert / "squad_v2.json"
    texts = json.loads(questions.read_text())
    for paragraph in (paragraph for article in texts["data"] for paragraph in article["paragraphs"]):
        for question in paragraph["qas"]:
            question.pop("answers", None)
    (tmp_path / "without_answers.json").write_text(json.dumps(texts))
    done = run(
        "--do_predict",
        "--version_2_with_negative",
        task="squad",
        unlabelled_file=tmp_path / "without_answers.json",
        predict_file=questions,
        **golden_teacher(golden_bert, "ckpt_squad"),
        init_checkpoint=roberta_of_bytes,
        max_seq_length=96,
        doc_stride=32,
        max_query_length=24,
        num_train_epochs=8,
        output_dir=out,
    )
    assert_learnt(done, out, times=0.97)
    assert (out / "predictions.json").exists() and (out / "model" / "model.safetensors").exists()


@pytest.mark.long
def test_answers_are_learnt_token_by_token_where_the_pieces_are_the_same(golden_bert, tmp_path):
    out = tmp_path / "out"
    done = run(
        "--do_eval",
        task="squad",
        train_file=golden_bert / "squad_v1.json",
        predict_file=golden_bert / "squad_v1.json",
        **golden_teacher(golden_bert, "ckpt_squad"),
        student_layers=0,
        distillation_loss="mse",
        hard_label_weight=0.1,
        max_seq_length=64,
        max_query_length=16,
        num_train_epochs=6,
        output_dir=out,
    )
    assert_learnt(done, out)
    assert "started from layers 0 of" in done.stderr
    assert "hard_loss" in log_of(out)[0] and "f1 = " in (out / "eval_results.txt").read_text()


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    """A tagger of towns and people that knows them, and its files."""
    directory = tmp_path_factory.mktemp("tagger")
    tagging_texts.write_files(directory)
    tagging_texts.write_encoder(str(directory / "encoder"))
    done = scripts.run("run_ner.py", "--do_train", *scripts.flags_of({
        "train_file": directory / "train.txt", "init_checkpoint": directory / "encoder",
        "output_dir": directory / "out", "learning_rate": 3e-3, "num_train_epochs": 8, "max_seq_length": 32,
        "fusion": "none",
    }))  # fmt: skip
    assert done.returncode == 0, done.stderr
    return directory


@pytest.mark.long
def test_words_are_labelled_by_a_model_of_other_pieces(tagger, bert_of_letters, tmp_path):
    """Of the unlabelled file only the words are there; the student finds the names that only its teacher was taught."""
    words = re.sub(r"^(\S+) \S+$", r"\1", (tagger / "train.txt").read_text(), flags=re.MULTILINE)
    (tmp_path / "words.txt").write_text(words)
    out = tmp_path / "out"
    done = run(
        "--do_eval",
        task="tagging",
        teacher=tagger / "out",
        unlabelled_file=tmp_path / "words.txt",
        eval_file=tagger / "dev.txt",
        init_checkpoint=bert_of_letters,
        num_train_epochs=25,
        output_dir=out,
    )
    assert_learnt(done, out)
    results = dict(line.split(" = ") for line in (out / "eval_results.txt").read_text().splitlines())
    assert float(results["f1"]) > 0.7  # Of a vocabulary of letters; nothing is found by a model that was not taught.
    assert checkpoints.load(str(out)).labels == ("O", "B-LOC", "B-PER", "I-PER")


def texts_run(golden_bert, directory, name):
    return {
        "task": "classification",
        "task_name": "tsv",
        "label_type": "single",
        "labels": "0,1",
        "unlabelled_file": directory / "more.txt",
        **golden_teacher(golden_bert, "ckpt_mrpc"),
        "student_layers": 1,
        "num_train_epochs": 1,
        "output_dir": directory / name,
    }


@pytest.mark.long
def test_labelling_that_is_killed_goes_on_and_ends_with_the_same_student(golden_bert, sentences, tmp_path):
    (tmp_path / "more.txt").write_text("".join(f"{number} {text}\n" for number in range(60) for text in sentences))
    whole = run(**texts_run(golden_bert, tmp_path, "whole"))
    assert whole.returncode == 0, whole.stderr
    expected = sorted((tmp_path / "whole" / "teacher_logits").iterdir())
    assert len(expected) == 10
    given = {"do_train": True, "max_seq_length": 48, "train_batch_size": 8, "learning_rate": 3e-3, "fusion": "none"}
    flags = scripts.flags_of(given | texts_run(golden_bert, tmp_path, "killed"))
    logits = tmp_path / "killed" / "teacher_logits"
    running = scripts.Running("run_distillation.py", *flags)
    while running.runs_after(0.02) and len(list(logits.glob("logits-*"))) < 3:
        pass
    running.send_signal(signal.SIGKILL)
    assert running.wait().returncode == -signal.SIGKILL
    assert 3 <= len(list(logits.glob("logits-*"))) < 10
    again = scripts.run("run_distillation.py", *flags)
    assert again.returncode == 0 and "of them before" in again.stderr
    for path in expected:
        assert (logits / path.name).read_bytes() == path.read_bytes()
    weights = [load_file(tmp_path / name / "model" / "model.safetensors") for name in ("whole", "killed")]
    for name, values in weights[0].items():
        np.testing.assert_array_equal(weights[1][name], values, err_msg=name)


def test_a_dry_run_says_what_it_would_take_and_writes_nothing(golden_bert, sentences, tmp_path):
    (tmp_path / "more.txt").write_text("".join(f"{text}\n" for text in sentences))
    done = run("--dry_run", **texts_run(golden_bert, tmp_path, "nothing"))
    assert done.returncode == 0, done.stderr
    assert re.search(r"examples of unlabelled texts a second, \S+ for its 160; here 64 were labelled", done.stdout)
    assert "A dry run of fine-tuning: nothing was written." in done.stdout and not (tmp_path / "nothing").exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--task=classification"], "--teacher, --output_dir must be given"),
        (["--task=both"], "should be one of <classification|squad|tagging>"),
        (["--task=squad", "--teacher=t", "--output_dir=o"], "at least one of --do_train must be given"),
        (["--temperature=2", "--distillation_loss=mse"], "a temperature is for cross_entropy"),
        (["--student_layers=0", "--student=bert-tiny"], "the student's weights are those of the teacher's layers, or"),
        (["--hard_label_weight=0.5"], "labels are in --train_file"),
        (["--num_trials=2"], "to compare models, --do_eval must be given"),
        (["--null_score_diff_threshold=low"], "a number or 'best' was expected"),
        (["--task=squad", "--max_seq_length=67"], "a window must hold more than a question"),
        (["--task=squad", "--predict_file=-", "--do_eval"], "standard input has no answers to score against"),
        (["--task=classification", "--teacher=t", "--output_dir=o", "--do_train"], "--task_name must be given"),
        (["--task=tagging", "--teacher=t", "--output_dir=o", "--do_train", "--do_eval"], "--eval_file must be given"),
    ],
)
def test_flags_that_can_not_be_used_end_with_status_2_and_one_line(flags, message):
    done = scripts.run("run_distillation.py", *flags)
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1 and done.stderr.startswith("error: ")


MORE = {
    "more.tsv": "text\tlabel\na good one\tpos\n",
    "bad.tsv": "text\tlabel\na good one\tpos\tmore\n",
    "empty.txt": "",
}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "--unlabelled_file or --train_file must be given: there is no text to learn from"),
        ({"unlabelled_file": "none-*.tsv"}, "--unlabelled_file: no file matches"),
        ({"unlabelled_file": "bad.tsv"}, "bad.tsv:2: 3 columns, the header has 2"),
        ({"unlabelled_file": "empty.txt"}, "empty.txt: is empty"),
        ({"unlabelled_file": "more.tsv", "text_a_column": "review"}, "more.tsv: has no column 'review'"),
        ({"train_file": "more.tsv"}, "more.tsv:2: the label is 'pos', expected was one of 0, 1"),
        ({"train_file": "more.tsv", "labels": ""}, "--labels must be given: the checkpoint does not name its 2 labels"),
        (
            {"unlabelled_file": "more.tsv", "labels": "a,b,c"},
            "has 2 labels, LABEL_0, LABEL_1, expected were 3, a, b, c",
        ),
        ({"unlabelled_file": "more.tsv", "student_layers": "0,x"}, "--student_layers=0,x: numbers from 0"),
        ({"unlabelled_file": "more.tsv", "student_layers": 5}, "--student_layers=5: different numbers from 0 to 1"),
        ({"unlabelled_file": "more.tsv", "teacher": "nobody"}, "--teacher: "),
        ({"unlabelled_file": "more.tsv", "task": "tagging"}, "has no head for token_classification"),
        (
            {"unlabelled_file": "more.tsv", "task": "squad", "max_query_length": 20},
            "has no head for question_answering",
        ),
    ],
)
def test_what_can_not_be_used_ends_with_status_1_and_one_line(values, message, golden_bert, tmp_path):
    for name, text in MORE.items():
        (tmp_path / name).write_text(text)
    given = texts_run(golden_bert, tmp_path, "out") | values
    if "unlabelled_file" not in values:
        del given["unlabelled_file"]
    for name in ("unlabelled_file", "train_file"):
        if name in given:
            given[name] = tmp_path / pathlib.Path(given[name]).name
    if not given["labels"]:
        del given["labels"]
    done = run(**given)
    assert done.returncode == 1
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and message in errors[0] and "Traceback" not in done.stderr


def test_labels_that_the_teacher_does_not_know_are_refused_with_their_line(tagger, tmp_path):
    (tmp_path / "pos.txt").write_text("ann B-PER\nwent B-VERB\n")
    done = run(
        task="tagging",
        teacher=tagger / "out",
        train_file=tmp_path / "pos.txt",
        student_layers=0,
        output_dir=tmp_path / "o",
    )
    assert done.returncode == 1
    assert f"{tmp_path}/pos.txt:2: the label 'B-VERB' is not among the 4 of the model" in done.stderr
    assert done.stderr.count("\n") == 1
