"""--dry_run of the scripts that train: all is checked, some is shown, nothing is written."""

import pathlib
import re

import pytest

from tests import scripts, tagging_texts
from tests.pretraining_runs import SCRIPT, small_run
from tests.test_run_squad import folder  # noqa: F401 - a fixture


def contents(directory: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def shown(done):
    """The report, of a run that went well."""
    assert done.returncode == 0, done.stderr
    assert "nothing was written" in done.stdout
    return done.stdout


def line_of(report, name):
    """What the first row of this name says."""
    line, *_ = [line for line in report.splitlines() if line.strip().startswith(f"{name}  ")]
    return line.split(name, 1)[1].strip()


@pytest.fixture(scope="module")
def pretraining(golden_bert, tmp_path_factory):
    directory = tmp_path_factory.mktemp("pretraining")
    flags = small_run(
        golden_bert,
        directory,
        vocab_file=golden_bert / "ckpt" / "vocab.txt",
        train_batch_size=64,
        export_dir=directory / "e",
        fusion="none",
    )
    before = contents(directory)
    report = shown(scripts.run(SCRIPT, *flags, "--dry_run"))
    assert contents(directory) == before and sorted(path.name for path in directory.iterdir()) == ["config.json"]
    return report


def test_of_pretraining_all_parts_are_shown(pretraining):
    assert line_of(pretraining, "parameters").startswith("21,558  21,558 trained")
    assert line_of(pretraining, "records") == "256 in 1 file (counted)"
    assert line_of(pretraining, "steps") == "400, 400 of them to go; 100 times all records"
    assert line_of(pretraining, "input_ids") == "int32 [64, 64]"
    assert re.fullmatch(r".+ at this FLOP/s: 1,000,000 steps of 256, .+", line_of(pretraining, "as published"))
    assert float(re.search(r"masked_lm_loss (\S+) \(5.875 by guessing\)", pretraining)[1]) == pytest.approx(5.9, abs=1)


METHODS = {
    "albert": (["order", "sentence_order_loss"], ["next sentence", "as published"]),
    "electra": (
        ["replaced tokens", "generator_loss", "discriminator_loss"],
        ["next_sentence_labels 0", "as published"],
    ),
    "roberta": (["masked_lm_loss"], ["next_sentence_labels 0", "as published"]),
    "distilbert": (["teacher", "soft_loss", "cosine_loss"], ["as published"]),
    "tinybert": (["teacher", "attention_loss", "hidden_loss"], ["masked words    ", "as published"]),
}


@pytest.mark.parametrize("method", METHODS)
def test_of_each_method_its_own_parts_are_shown(method, golden_bert, tmp_path):
    changes = {"method": method, "masking": "static", "train_batch_size": 8, "fusion": "none"}
    if method in ("distilbert", "tinybert"):
        changes["teacher"] = golden_bert / "ckpt"
    flags = small_run(golden_bert, tmp_path, vocab_file=golden_bert / "ckpt" / "vocab.txt", **changes)
    report = shown(scripts.run(SCRIPT, *flags, "--dry_run"))
    there, not_there = METHODS[method]
    work = report.split("Work of a step")[1]
    assert [name for name in there if name not in work] == []
    assert [name for name in not_there if name in work.split("Data, by")[0] + work.split("The first examples")[1]] == []


def test_what_is_shown_of_the_golden_records_is_in_them(pretraining, golden_bert):
    """The examples are found among the records by what the original wrote, masks filled in."""
    import tensorflow as tf

    vocabulary, texts = (golden_bert / "ckpt" / "vocab.txt").read_text().split("\n"), set()
    for record in tf.data.TFRecordDataset(str(golden_bert / "pretrain.tfrecord")).as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        values = {name: list(value.int64_list.value or value.float_list.value) for name, value in features.items()}
        ids = values["input_ids"][: sum(values["input_mask"])]
        for place, answer, weight in zip(
            values["masked_lm_positions"], values["masked_lm_ids"], values["masked_lm_weights"]
        ):
            ids[place] = answer if weight else ids[place]
        texts.add(" ".join(vocabulary[token] for token in ids))
    examples = re.split(r"\n  \d: .*", pretraining.split("\n\nThe first examples")[1])[1:]
    assert len(examples) == 3
    for example in examples:
        words = re.sub(r"\{\S+→(\S+)\}", r"\1", re.sub(r"segment \d", "", example.split("\n\n")[0])).split()
        assert " ".join(words) in texts


def test_without_a_vocabulary_ids_are_shown(golden_bert, tmp_path):
    report = shown(scripts.run(SCRIPT, *small_run(golden_bert, tmp_path, fusion="none"), "--dry_run"))
    assert "as ids, since there is no --vocab_file" in report
    assert re.search(r"segment 0  \d+ ", report) and re.search(r"\{\d+→\d+\}", report)


@pytest.mark.slow
def test_a_run_that_has_begun_is_looked_at_and_left_as_it_is(golden_bert, tmp_path):
    flags = small_run(golden_bert, tmp_path, num_train_steps=4, num_warmup_steps=8)
    assert scripts.run(SCRIPT, *flags).returncode == 0
    before = contents(tmp_path)
    report = shown(scripts.run(SCRIPT, *flags, "--num_train_steps=6", "--dry_run"))
    assert contents(tmp_path) == before
    assert line_of(report, "steps").startswith("6, 2 of them to go") and "at step 4" in line_of(report, "weights")
    assert "note: the learning rate never gets to 0.001" in report


def test_options_that_save_memory_are_told_of(golden_bert, tmp_path):
    options = {"gradient_accumulation_steps": 2, "recompute": True, "optimizer": "lamb", "ema_decay": 0.99}
    flags = small_run(golden_bert, tmp_path, fusion="none", mixed_precision="float16", **options)
    report = shown(scripts.run(SCRIPT, *flags, "--dry_run"))
    assert "estimated for 8 × 64" in report and line_of(report, "batch") == "16 examples, 8 at a time"
    assert line_of(report, "optimizer") == "lamb, with a moving average of the weights (0.99)"
    copies = {name: line_of(report, name).split("  ")[0] for name in ("gradients", "their sums", "moving average")}
    assert set(copies.values()) == {"86.2 kB"}  # 21,558 numbers of four bytes
    assert line_of(report, "weights, 16 bits") == "43.1 kB" and "blocks forward twice" in report
    assert "inputs of blocks" in line_of(report, "activations")


@pytest.mark.slow
def test_masks_that_are_drawn_when_records_are_read_are_shown(golden_bert, tmp_path):
    vocabulary = golden_bert / "ckpt" / "vocab.txt"
    values = {"input_file": golden_bert / "text.txt", "vocab_file": vocabulary, "output_file": tmp_path / "d.tfrecord"}
    values |= {"masking": "dynamic", "max_seq_length": 64, "dupe_factor": 1}
    made = scripts.run("data_prep/create_pretraining_data.py", *scripts.flags_of(values))
    assert made.returncode == 0, made.stderr
    values = {"input_file": tmp_path / "d.tfrecord", "masking": "dynamic", "vocab_file": vocabulary, "fusion": "none"}
    flags = small_run(golden_bert, tmp_path / "work", **values)
    report = shown(scripts.run(SCRIPT, *flags, "--dry_run"))
    assert float(re.search(r"\[MASK\] ([\d.]+)%", line_of(report, "read as"))[1]) == pytest.approx(80, abs=6)
    assert "{[MASK]→" in report and not (tmp_path / "work" / "run").exists()


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"vocab_file": "none.txt"}, 1, "none.txt: no such file"),
        ({"max_seq_length": 32}, 1, "have 64 input_ids, 32 were expected"),
        ({"init_checkpoint": "none.ckpt"}, 1, "none.ckpt"),
        ({"eval_input_file": "{golden}/text.txt", "do_eval": True}, 1, "text.txt: not a TFRecord file"),
        ({"output_dir": "{golden}/text.txt"}, 1, "text.txt: is a file, a directory was expected"),
        ({"do_train": False, "do_eval": True}, 2, "a dry run is one of training: --do_train must be given"),
    ],
)
def test_bad_input_ends_with_one_line_as_in_the_run(golden_bert, tmp_path, change, status, message):
    change = {name: str(value).format(golden=golden_bert) for name, value in change.items()}
    done = scripts.run(SCRIPT, *small_run(golden_bert, tmp_path, dry_run=True, **change))
    assert done.returncode == status and not done.stdout
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ") and message in last and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("size", [50_000, 1_000])
def test_records_that_are_cut_short_behind_the_first_are_found(golden_bert, tmp_path, size):
    (tmp_path / "short.tfrecord").write_bytes((golden_bert / "pretrain.tfrecord").read_bytes()[:size])
    flags = small_run(
        golden_bert, tmp_path / "work", input_file=tmp_path / "short.tfrecord", dry_run=True, fusion="none"
    )
    done = scripts.run(SCRIPT, *flags)
    assert done.returncode == 1 and "short.tfrecord: cut short or damaged behind" in done.stderr.splitlines()[-1]


def test_a_script_that_trains_nothing_has_no_such_flag():
    done = scripts.run("extract_features.py", "--dry_run")
    assert done.returncode == 2 and "dry_run" in done.stderr


# === Fine-tuning ===


def test_of_a_classifier_texts_and_labels_are_shown(golden_bert, tmp_path):
    flags = {
        "task_name": "mrpc",
        "data_dir": golden_bert / "mrpc",
        "bert_config_file": golden_bert / "ckpt" / "bert_config.json",
        "vocab_file": golden_bert / "ckpt" / "vocab.txt",
        "init_checkpoint": golden_bert / "ckpt" / "bert_model.ckpt",
        "output_dir": tmp_path / "out",
        "max_seq_length": 24,
        "num_trials": 3,
        "fusion": "none",
    }
    report = shown(
        scripts.run(
            "run_classifier.py",
            *scripts.flags_of(flags),
            *("--do_train", "--do_eval", "--do_predict", "--dry_run", "--write_tf_records", "--keep_best"),
        )
    )
    assert list(tmp_path.iterdir()) == []
    lines = (golden_bert / "mrpc" / "train.tsv").read_text().splitlines()[1:]
    assert line_of(report, "examples").startswith(f"{len(lines)}: {len(lines)} pairs; ")
    ones = sum(line.startswith("1") for line in lines) / len(lines)
    assert f"1 {ones:.1%}" in line_of(report, "labels")
    assert re.search(r"; 3 trials: ", line_of(report, "this run"))
    assert re.search(rf"\n  1: \d+ tokens \(\d+ \+ \d+\) – label {lines[0][0]}\n    segment 0  \[CLS\] ", report)


def test_of_squad_windows_and_answers_are_shown(folder, tmp_path):  # noqa: F811
    flags = {
        "bert_config_file": folder / "bert_config.json",
        "vocab_file": folder / "vocab.txt",
        "output_dir": tmp_path / "out",
        "train_file": folder / "v2.json",
        "predict_file": folder / "v2.json",
        "null_score_diff_threshold": "best",
        "max_seq_length": 16,
        "max_query_length": 4,
        "train_batch_size": 16,
        "fusion": "none",
    }
    switches = ("do_train", "do_eval", "version_2_with_negative", "write_tf_records", "dry_run")
    report = shown(scripts.run("run_squad.py", *scripts.flags_of(flags), *(f"--{name}" for name in switches)))
    assert list(tmp_path.iterdir()) == []
    assert line_of(report, "questions") == "48; 0 are cut to 4 tokens"
    assert line_of(report, "windows") == "48; the contexts of 0 questions take more than one"
    assert line_of(report, "labels") == "33.3% of the windows hold no answer"
    assert "segment 1  the «fox» sat on the log . [SEP]" in report
    assert "segment 1  the fox sat on «the log» . [SEP]" in report
    assert "end_positions 0: no answer in this window" in report


@pytest.mark.parametrize("feature_based", [False, True])
def test_of_a_tagger_words_with_labels_are_shown(tmp_path, feature_based):
    data, encoder = tmp_path / "data", tmp_path / "encoder"
    data.mkdir()
    tagging_texts.write_files(data)
    tagging_texts.write_encoder(str(encoder))
    before = contents(tmp_path)
    flags = {"data_dir": data, "init_checkpoint": encoder, "output_dir": tmp_path / "out", "max_seq_length": 32}
    flags |= {"feature_based": feature_based, "fusion": "none"}
    if feature_based:
        flags |= {"lstm_size": 8, "feature_layers": "last"}
    report = shown(scripts.run("run_ner.py", *scripts.flags_of(flags), "--do_train", "--do_eval", "--dry_run"))
    assert contents(tmp_path) == before
    words = [line for line in (data / "train.txt").read_text().splitlines()[2:] if line]
    assert line_of(report, "examples") == f"160 sentences of {len(words):,} words, in 160 windows"
    first = "/".join(words[0].split())
    assert f"segment 0  [CLS] {first} " in report
    assert ("encoder, frozen" in report) == feature_based
