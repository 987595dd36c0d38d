"""`run_pretraining.py --teacher=…`: students that are pretrained by imitation."""

import pytest
from safetensors.numpy import load_file

from official import checkpoints
from official.models import bert
from official.tokenization.vocabulary_files import read_vocabulary_file
from tests import scripts
from tests.pretraining_runs import SCRIPT, read_results

SHAPE = {"vocab_size": 356, "num_attention_heads": 2, "max_position_embeddings": 96, "type_vocab_size": 2}
METHODS = ("distilbert", "tinybert", "minilm", "minilm_v2")
SHOWN = {
    "distilbert": ("soft_loss", "masked_lm_loss", "cosine_loss", "masked_lm_accuracy", "agreement"),
    "tinybert": ("attention_loss", "hidden_loss"),
    "minilm": ("attention_loss", "value_loss"),
    "minilm_v2": ("query_loss", "key_loss", "value_loss"),
}


def config(layers, width, **changes):
    shape = SHAPE | {"num_hidden_layers": layers, "hidden_size": width, "intermediate_size": 2 * width}
    return bert.BertConfig(**(shape | changes))


@pytest.fixture(scope="module")
def teacher(golden_bert, tmp_path_factory):
    """Four layers, new."""
    directory = tmp_path_factory.mktemp("teacher")
    model = bert.Bert(config(4, 16), ("mlm",), pooler=False)
    tokenizer = read_vocabulary_file(str(golden_bert / "ckpt" / "vocab.txt"))
    checkpoints.save(model, str(directory), tokenizer=tokenizer)
    return directory


def flags_of(method, golden_bert, teacher, directory, student=None, changes=None):
    """A short run; of distilbert, whose student is every second layer, no student is given."""
    directory.mkdir(exist_ok=True)
    flags = {
        "method": method,
        "teacher": teacher,
        "input_file": golden_bert / "pretrain.tfrecord",
        "masking": "static",
        "output_dir": directory / "out",
        "do_train": True,
        "max_seq_length": 64,
        "max_predictions_per_seq": 10,
        "train_batch_size": 8,
        "num_train_steps": 6,
        "num_warmup_steps": 0,
        "save_checkpoints_steps": 3,
        "relation_heads": 4,
    }
    if method != "distilbert" or student is not None:
        (directory / "student.json").write_text((student or config(2, 8)).to_json())
        flags["bert_config_file"] = directory / "student.json"
    return scripts.flags_of(flags | (changes or {}))


def run(*arguments, **changes):
    done = scripts.run(SCRIPT, *flags_of(*arguments, changes=changes))
    assert done.returncode == 0, done.stderr
    return done


def weights(directory):
    return load_file(directory / "out" / "model" / "model.safetensors")


@pytest.mark.parametrize("method", METHODS)
def test_each_method_trains_and_a_run_that_is_resumed_is_the_run(method, golden_bert, teacher, tmp_path):
    arguments = method, golden_bert, teacher, tmp_path
    done = run(*arguments, do_eval=True, max_eval_steps=3)
    results = read_results(tmp_path / "out" / "eval_results.txt")
    assert set(SHOWN[method]) < results.keys()
    assert all(name in done.stdout for name in SHOWN[method] if name.endswith("_loss"))
    first = weights(tmp_path)
    listed = tmp_path / "out" / "checkpoints" / "checkpoint"
    three = 'model_checkpoint_path: "ckpt-3"\nall_model_checkpoint_paths: "ckpt-3"\n'
    listed.write_text(three + "all_model_checkpoint_timestamps: 1.0\n")
    assert "going on from" in run(*arguments).stderr
    again = weights(tmp_path)
    assert first.keys() == again.keys()
    for name, values in first.items():
        assert (values == again[name]).all(), name


def test_without_training_a_distilbert_is_every_second_layer_of_its_teacher(golden_bert, teacher, tmp_path):
    done = run("distilbert", golden_bert, teacher, tmp_path, learning_rate=0.0, num_train_steps=1)
    assert "started from layers 0, 2 of" in done.stderr
    found, there = weights(tmp_path), load_file(teacher / "model.safetensors")
    same = {
        "distilbert.embeddings.word_embeddings.weight": "bert.embeddings.word_embeddings.weight",
        "distilbert.transformer.layer.1.attention.q_lin.weight": "bert.encoder.layer.2.attention.self.query.weight",
        "distilbert.transformer.layer.1.ffn.lin2.bias": "bert.encoder.layer.2.output.dense.bias",
        "vocab_transform.weight": "cls.predictions.transform.dense.weight",
    }
    for ours, theirs in same.items():
        assert (found[ours] == there[theirs]).all(), ours


def test_what_minilm_does_not_reach_stays_as_it_was(golden_bert, teacher, tmp_path):
    run("minilm", golden_bert, teacher, tmp_path, learning_rate=1e-2)
    run("minilm", golden_bert, teacher, tmp_path / "untrained", learning_rate=0.0, num_train_steps=1)
    trained, before = weights(tmp_path), weights(tmp_path / "untrained")
    changed = {name for name in before if (trained[name] != before[name]).any()}
    still = {name for name in before if name.startswith("bert.encoder.layer.1.") and ".attention.self." not in name}
    unfelt = {name for name in before if name.endswith("key.bias")}  # Softmax takes off what all keys have in common.
    assert changed - unfelt == before.keys() - still - unfelt


def test_a_student_can_be_fine_tuned(golden_bert, teacher, tmp_path):
    run("minilm_v2", golden_bert, teacher, tmp_path)
    (tmp_path / "train.tsv").write_text("text\tlabel\n" + "good day\tyes\nbad day\tno\n" * 4)
    flags = {
        "task_name": "tsv",
        "text_a_column": "text",
        "label_column": "label",
        "train_file": tmp_path / "train.tsv",
        "init_checkpoint": tmp_path / "out" / "model",
        "output_dir": tmp_path / "tuned",
        "do_train": True,
        "max_seq_length": 16,
        "train_batch_size": 4,
    }
    done = scripts.run("run_classifier.py", *scripts.flags_of(flags))
    assert done.returncode == 0, done.stderr


BAD = {
    "no teacher there": ("minilm", None, {"teacher": "/no/such"}, "--teacher: /no/such: no such checkpoint"),
    "other heads": ("tinybert", {"num_attention_heads": 4}, {}, "num_attention_heads is 4 in the student and 2 in"),
    "other tokens": ("minilm_v2", {"vocab_size": 357}, {}, "vocab_size is 357 in the student and 356 in its teacher"),
    "other width": ("distilbert", {}, {}, "hidden_size is 8 in the student and 16 in its teacher"),
    "uneven layers": ("tinybert", {"num_hidden_layers": 3}, {}, "the student's 3 layers can't share its teacher's 4"),
    "uneven heads": ("minilm_v2", {}, {"relation_heads": 3}, "doesn't divide the student's hidden_size 8"),
    "no such layer": ("minilm_v2", {}, {"teacher_layer": 4}, "--teacher_layer=4: the teacher has 4 layers"),
    "recomputed": ("minilm", {}, {"recompute": True}, "--recompute: how blocks attend is not kept"),
    "layers beyond": ("distilbert", None, {"student_layers": "0,4"}, "different numbers from 0 to 3"),
    "no numbers": ("distilbert", None, {"student_layers": "a"}, "numbers from 0, parted by commas, were expected"),
    "two weights": ("distilbert", None, {"distilbert_weights": "1,2"}, "three numbers, none below 0, were expected"),
    "too long": ("minilm", {}, {"max_seq_length": 97}, "has max_position_embeddings 96"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_does_not_fit_is_said_at_once(case, golden_bert, teacher, tmp_path):
    method, student, changes, message = BAD[case]
    student = None if student is None else config(2, 8, **student)
    done = scripts.run(SCRIPT, *flags_of(method, golden_bert, teacher, tmp_path, student, changes))
    assert done.returncode == 1
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_teacher_without_words_teaches_none(golden_bert, teacher, tmp_path):
    checkpoints.save(bert.Bert(config(4, 16), pooler=False), str(tmp_path / "headless"))
    done = scripts.run(SCRIPT, *flags_of("distilbert", golden_bert, tmp_path / "headless", tmp_path))
    assert done.returncode == 1 and "has no head for masked words" in done.stderr


@pytest.mark.parametrize("flags", [["--method=minilm"], ["--teacher=x"], ["--method=bert", "--teacher=x"]])
def test_a_teacher_is_for_methods_that_have_one(flags):
    done = scripts.run(SCRIPT, *flags)
    assert done.returncode == 2 and "the methods that imitate need --teacher" in done.stderr
