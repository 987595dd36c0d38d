"""run_pretraining.py as the original's users know it: their files and flags give their numbers."""

import json
import pathlib
import signal
import time

import pytest

from official import checkpoints
from tests import scripts
from tests.pretraining_runs import SCRIPT, original_run, original_training, read_results, small_run


@pytest.fixture
def common(golden_bert):
    return original_run(golden_bert)


def assert_results(ours, golden):
    assert list(ours) == sorted(golden)
    for name, value in golden.items():
        tolerance = 1e-6 if name.endswith("accuracy") else 1e-4
        assert ours[name] == pytest.approx(value, abs=tolerance), name


def evaluate(golden_bert, common, **flags):
    values = common | {"input_file": golden_bert / "pretrain.tfrecord", "do_eval": True} | flags
    done = scripts.run(SCRIPT, *scripts.flags_of(values))
    assert done.returncode == 0, done.stderr
    return done


def test_evaluation_gives_the_numbers_of_the_original(golden_bert, common, tmp_path):
    done = evaluate(golden_bert, common, output_dir=tmp_path)
    assert_results(read_results(tmp_path / "eval_results.txt"), read_results(golden_bert / "eval_results.txt"))
    assert done.stdout == (tmp_path / "eval_results.txt").read_text()


def test_training_ends_where_the_original_ends(golden_bert, common, tmp_path):
    flags = original_training(golden_bert) | {"output_dir": tmp_path / "run", "write_tf1_checkpoint": True}
    done = scripts.run(SCRIPT, *scripts.flags_of(flags))
    assert done.returncode == 0, done.stderr
    golden = read_results(golden_bert / "eval_results_after_12_steps.txt")
    evaluate(golden_bert, common, output_dir=tmp_path / "run")
    assert_results(read_results(tmp_path / "run" / "eval_results.txt"), golden | {"global_step": 12})
    for number, trained in enumerate(("model", "model/bert_model.ckpt")):
        other = common | {"init_checkpoint": tmp_path / "run" / trained}
        evaluate(golden_bert, other, output_dir=tmp_path / str(number))
        assert_results(read_results(tmp_path / str(number) / "eval_results.txt"), golden)


def test_interrupted_by_ctrl_c_a_run_is_saved_and_says_how_to_go_on(golden_bert, tmp_path):
    process = scripts.start(SCRIPT, *small_run(golden_bert, tmp_path, num_train_steps=1_000_000))
    first_checkpoint = tmp_path / "run" / "checkpoints" / "ckpt-7.index"
    while not first_checkpoint.exists():
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 130
    assert "the same command goes on from there" in err and "Traceback" not in err
    saved = err.split("saved as ")[1].split(";")[0]
    assert pathlib.Path(saved + ".index").exists()


def test_held_out_text_is_evaluated_after_every_checkpoint(golden_bert, tmp_path):
    flags = small_run(
        golden_bert,
        tmp_path,
        eval_input_file=golden_bert / "pretrain.tfrecord",
        do_eval=True,
        num_train_steps=20,
        num_warmup_steps=2,
        save_checkpoints_steps=10,
        max_eval_steps=0,
        vocab_file=golden_bert / "ckpt" / "vocab.txt",
    )
    done = scripts.run(SCRIPT, *flags)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines if line["kind"] == "eval"] == [10, 20]
    assert read_results(tmp_path / "run" / "eval_results.txt")["global_step"] == 20
    model = checkpoints.load(str(tmp_path / "run" / "model"))
    assert model.heads == ("mlm", "nsp")
    assert (tmp_path / "run" / "model" / "vocab.txt").read_bytes() == (golden_bert / "ckpt/vocab.txt").read_bytes()
    assert list((tmp_path / "run" / "logs").rglob("events*"))


def test_a_preset_takes_its_vocabulary_size_from_the_vocabulary(golden_bert, tmp_path):
    flags = small_run(
        golden_bert,
        tmp_path,
        bert_config_file="bert-tiny",
        vocab_file=golden_bert / "ckpt" / "vocab.txt",
        num_train_steps=2,
    )
    done = scripts.run(SCRIPT, *flags)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run" / "model" / "config.json").read_text())["vocab_size"] == 356


def test_dynamic_masks_are_drawn_anew_each_epoch_and_a_resumed_run_draws_the_same(golden_bert, tmp_path):
    made = scripts.run(
        "data_prep/create_pretraining_data.py",
        *scripts.flags_of(
            {
                "input_file": golden_bert / "text.txt",
                "vocab_file": golden_bert / "ckpt" / "vocab.txt",
                "output_file": tmp_path / "dynamic.tfrecord",
                "masking": "dynamic",
                "max_seq_length": 64,
                "dupe_factor": 1,
            }
        ),
    )
    assert made.returncode == 0, made.stderr
    dynamic = {
        "input_file": tmp_path / "dynamic.tfrecord",
        "vocab_file": golden_bert / "ckpt" / "vocab.txt",
        "masking": "dynamic",
        "do_whole_word_mask": True,
        "num_warmup_steps": 2,
    }
    for directory, ends in (("whole", [24]), ("parts", [10, 24])):
        for end in ends:
            flags = small_run(golden_bert, tmp_path / directory, learning_rate=0.0, num_train_steps=end, **dynamic)
            done = scripts.run(SCRIPT, *flags)
            assert done.returncode == 0, done.stderr

    def losses(directory):
        lines = (tmp_path / directory / "run" / "metrics.jsonl").read_text().splitlines()
        return {line["step"]: line["masked_lm_loss"] for line in map(json.loads, lines)}

    assert losses("whole") == losses("parts")
    assert len(set(losses("whole").values())) > 20  # Weights stand still, so it is masks that differ.


@pytest.mark.slow
def test_without_flags_a_bert_is_pretrained_on_the_installed_documentation(tmp_path):
    flags = ["--num_train_steps=30", "--num_warmup_steps=3", f"--output_dir={tmp_path}"]
    done = scripts.run(SCRIPT, *flags)
    assert done.returncode == 0, done.stderr
    assert "masked words, accuracy" in done.stdout and "[MASK]" in done.stdout
    assert checkpoints.load(str(tmp_path)).heads == ("mlm", "nsp")
    again = scripts.run(SCRIPT, *flags)
    assert again.returncode == 0 and "going on from" in again.stderr
