"""run_classifier.py as its users run it, against what the original answered."""

import pathlib
import subprocess

import numpy as np
import pytest
import tensorflow as tf

from tests import scripts

REVIEWS = "text\tlabel\n" + "a good one\tpos\na bad one\tneg\n" * 8


def classifier(*flags, **options):
    return scripts.run("run_classifier.py", *flags, **options)


def start_flags(golden_bert, checkpoint):
    return [
        f"--bert_config_file={golden_bert}/ckpt/bert_config.json",
        f"--vocab_file={golden_bert}/ckpt/vocab.txt",
        f"--init_checkpoint={golden_bert}/{checkpoint}",
        "--max_seq_length=48",
    ]


def results_in(path: pathlib.Path) -> dict[str, float]:
    lines = path.read_text().splitlines()
    assert lines == sorted(lines)
    return {key: float(value) for key, value in (line.split(" = ") for line in lines)}


def test_a_checkpoint_of_the_original_gives_its_results(golden_bert, tmp_path):
    done = classifier(
        "--task_name=MRPC",
        f"--data_dir={golden_bert}/mrpc",
        *start_flags(golden_bert, "ckpt_mrpc/model.ckpt"),
        "--do_eval=true",
        "--do_predict=true",
        "--write_submission",
        "--write_tf_records",
        f"--output_dir={tmp_path}",
    )
    assert done.returncode == 0, done.stderr
    expected = results_in(golden_bert / "mrpc" / "eval_results.txt")
    results = results_in(tmp_path / "eval_results.txt")
    for name in ("eval_accuracy", "eval_loss", "loss"):
        assert results[name] == pytest.approx(expected[name], abs=1e-6)
    assert set(results) == {*expected, "eval_f1"}
    written = np.loadtxt(tmp_path / "test_results.tsv", delimiter="\t")
    published = np.loadtxt(golden_bert / "mrpc" / "test_results.tsv", delimiter="\t")
    assert np.abs(written - published).max() < 1e-6
    submission = (tmp_path / "MRPC.tsv").read_text().splitlines()
    assert submission[1:] == [f"{number}\t{label}" for number, label in enumerate(published.argmax(axis=1))]
    assert "warning: the model says the same of all 48 examples" in done.stderr
    labels = [int(line.split("\t")[0]) for line in (golden_bert / "mrpc" / "dev.tsv").read_text().splitlines()[1:]]
    assert_records(tmp_path / "eval.tf_record", labels)
    assert_records(tmp_path / "predict.tf_record", [0] * len(published))
    assert not (tmp_path / "train.tf_record").exists()


def assert_records(path: pathlib.Path, labels: list[int]):
    """They can be parsed with what the original's reader asks for (run_classifier.py:513-519)."""
    tokens, label = tf.io.FixedLenFeature([48], tf.int64), tf.io.FixedLenFeature([], tf.int64)
    features = {"input_ids": tokens, "input_mask": tokens, "segment_ids": tokens}
    features |= {"label_ids": label, "is_real_example": label}
    records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    found = tf.io.parse_example(records, features)
    assert found["label_ids"].numpy().tolist() == labels and set(found["is_real_example"].numpy()) == {1}
    assert not tf.reduce_any(found["input_ids"] * (1 - found["input_mask"]) != 0)


def test_own_data_is_learnt_with_several_seeds_then_lines_are_answered(golden_bert, tmp_path):
    for name in ("train", "dev"):
        (tmp_path / f"{name}.tsv").write_text(REVIEWS)
    out = tmp_path / "out"
    trained = classifier(
        "--task_name=tsv",
        f"--data_dir={tmp_path}",
        *start_flags(golden_bert, "ckpt/bert_model.ckpt"),
        "--do_train",
        "--do_eval",
        "--num_trials=2",
        "--train_batch_size=4",
        "--num_train_epochs=1",
        f"--output_dir={out}",
    )
    assert trained.returncode == 0, trained.stderr
    assert "trial 2 of 2" in trained.stdout and (out / "trials.json").exists()
    assert set(results_in(out / "trial_1" / "eval_results.txt")) > {"eval_macro_f1", "eval_accuracy"}
    model = ["--max_seq_length=48", f"--init_checkpoint={out}/trial_1/model", f"--output_dir={tmp_path}/again"]
    process = scripts.start(
        "run_classifier.py", "--task_name=tsv", *model, "--do_predict", "--predict_file=-", stdin=subprocess.PIPE
    )
    for line in ("a good one", "", "a bad one\twith another"):  # Each is answered before the next is typed.
        process.stdin.write(line + "\n")
        process.stdin.flush()
        label, probability = process.stdout.readline().split("\t")
        assert label in ("neg", "pos") and 0.5 <= float(probability) <= 1
    _, errors = process.communicate()
    assert process.returncode == 0, errors


@pytest.mark.parametrize(
    "flags, message",
    [
        ([], "--output_dir, --task_name must be given"),
        (["--task_name=mrpc", "--output_dir=out"], "at least one of --do_train, --do_eval, --do_predict must be given"),
        (["--task_name=mrpc", "--output_dir=out", "--do_eval"], "--data_dir must be given"),
        (["--task_name=CSV", "--output_dir=out", "--do_eval", "--do_train"], "--train_file, --eval_file must be given"),
        (["--task_name=mnli2"], "should be one of <ax|cola|mnli"),
        (["--max_seq_length=2"], "--max_seq_length"),
        (["--label_type=none"], "should be one of <single|multi|regression>"),
    ],
)
def test_flags_that_can_not_be_used_end_with_status_2_and_one_line(flags, message):
    done = classifier(*flags)
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1 and done.stderr.startswith("error: ")


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--task_name=mnli"], "dev_matched.tsv: no such file"),
        (["--task_name=cola"], "dev.tsv:1: the label is '#1 ID', expected was one of 0, 1"),
        (["--task_name=rte"], "dev.tsv:2: the label is"),
        (["--task_name=mrpc", "--labels=a,b", "--label_type=multi"], "--label_type, --labels: are for your own data"),
        (["--task_name=tsv", "--labels=a,b", "--label_type=regression"], "--labels: with --label_type=regression a"),
    ],
)
def test_files_of_another_task_end_with_status_1_and_one_line(golden_bert, tmp_path, flags, message):
    start = start_flags(golden_bert, "ckpt_mrpc/model.ckpt")
    done = classifier(*flags, f"--data_dir={golden_bert}/mrpc", *start, "--do_eval", f"--output_dir={tmp_path}")
    assert done.returncode == 1
    assert message in done.stderr and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
