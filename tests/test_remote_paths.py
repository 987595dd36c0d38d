"""Every path may be remote: where only TensorFlow reaches them, scripts do what they do on local files.

That is on `gs://`, with TensorFlow's own client and a stand-in for Google's servers, and on `ram://`, which is in the
memory of one process. What has names that begin alike is not tried there: `ram://` takes every beginning of a name for
a directory, such as `model.safetensors` beside `model.safetensors.index.json`.
"""

import contextlib
import json
import pathlib
import re
import shutil

import numpy as np
import pytest
import safetensors.numpy
import tensorflow as tf
import tensorflow_text  # noqa: F401 - brings the operations that served models are made of.

from tests import cloud_storage, scripts, tagging_texts

CHECKPOINTS = "official/checkpoints/__main__.py"
WORDS = "sailor garden winter letter sees leaves finds harbour mountain river orchard the in it".split()
CONFIG = {
    "vocab_size": 120, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32,
    "max_position_embeddings": 64, "type_vocab_size": 2, "hidden_dropout_prob": 0.1,
}  # fmt: skip
SMALL = {"train_batch_size": 8, "num_train_epochs": 1, "save_checkpoints_steps": 2, "max_seq_length": 32}
# Not compared byte by byte: events and states of checkpoints have the time in them, graphs are not written in an order.
OTHERWISE = re.compile(
    r"(.*/)?(logs/.*|checkpoints/.*|variables/variables\..*|saved_model\.pb|fingerprint\.pb|saved_model_warmup.*)"
)
LOCK = ".lock"  # Of a directory in which a process trains, where the file system has locks: on local disks.
SECONDS = re.compile(r'\d+\.\d+ s(econds)?\b|"tokens_per_second": [\d.e+-]+')


class Both:
    """A folder, and a copy of it that scripts see as remote: what is done to one is done to the other."""

    def __init__(self, folder: pathlib.Path, bucket: cloud_storage.Storage | None):
        self.local, self.remote, self.bucket = folder / "local", folder / "remote", bucket
        self.root = "ram://folder" if bucket is None else "gs://bucket"
        self.local.mkdir()

    def run(self, script: str, *flags: str, **values) -> str:
        """Runs a script in both; flags have `{}` where the folder stands. Answers with its output."""
        if not self.remote.exists():
            shutil.copytree(self.local, self.remote)
        flags = [*flags, *scripts.flags_of(values)]
        ours, theirs = ([flag.replace("{}", root) for flag in flags] for root in (str(self.local), self.root))
        local = scripts.run(script, *ours)
        assert local.returncode == 0, local.stderr
        with self._bucket_of_remote():
            remote = scripts.run("tests/on_remote.py", str(self.remote), self.root, *scripts.command_of(script, theirs))
        assert remote.returncode == 0, remote.stderr
        assert self._comparable(remote.stdout) == self._comparable(local.stdout)
        self._compare_files()
        return local.stdout

    @contextlib.contextmanager
    def _bucket_of_remote(self):
        """What is in the folder is in the bucket meanwhile, if there is one."""
        if self.bucket is not None:
            for path in filter(pathlib.Path.is_file, self.remote.rglob("*")):
                self.bucket.objects[str(path.relative_to(self.remote))] = path.read_bytes()
            shutil.rmtree(self.remote)
        yield
        if self.bucket is not None:
            while self.bucket.objects:
                name, content = self.bucket.objects.popitem()
                path = self.remote / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.mkdir(exist_ok=True) if name.endswith("/") else path.write_bytes(content)

    def _comparable(self, text: str) -> str:
        return SECONDS.sub("", text.replace(str(self.local), self.root))

    def _compare_files(self):
        ours, theirs = (
            {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file() and path.name != LOCK}
            for root in (self.local, self.remote)
        )
        without_time = re.compile(r"events\.out\.tfevents\S+")
        assert {without_time.sub("", name) for name in theirs} == {without_time.sub("", name) for name in ours}
        for name in ours:
            if not OTHERWISE.fullmatch(name) and ours[name].read_bytes() != theirs[name].read_bytes():
                assert self._comparable(theirs[name].read_text()) == self._comparable(ours[name].read_text()), name
            if name.endswith(".index"):
                assert_same_tensors(*(str(files[name]).removesuffix(".index") for files in (ours, theirs)))


def assert_same_tensors(one: str, other: str) -> None:
    readers = [tf.train.load_checkpoint(prefix) for prefix in (one, other)]
    graph = {"_CHECKPOINTABLE_OBJECT_GRAPH"}
    names = [reader.get_variable_to_shape_map().keys() - graph for reader in readers]
    assert names[0] == names[1]
    for name in names[0]:
        np.testing.assert_array_equal(*(reader.get_tensor(name) for reader in readers), err_msg=name)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory):
    """A bucket, and the environment in which it is `gs://bucket`."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed: it makes the certificate of the stand-in for Google Cloud Storage")
    with cloud_storage.storage(tmp_path_factory.mktemp("certificate")) as found:
        yield found


@pytest.fixture(params=["gs"])
def both(request, tmp_path, monkeypatch):
    """On `gs://`, or on the file systems that a test names."""
    if request.param == "ram":
        return Both(tmp_path, None)
    storage, environment = request.getfixturevalue("bucket")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return Both(tmp_path, storage)


ON_BOTH = pytest.mark.parametrize("both", ["gs", "ram"], indirect=True)


def write_text(path: pathlib.Path, seed: int, documents: int = 12) -> None:
    draw = np.random.default_rng(seed)
    sentences = [" ".join(draw.choice(WORDS, 6)) + " ." for _ in range(5 * documents)]
    path.write_text("\n".join(line + "\n" * (number % 5 == 4) for number, line in enumerate(sentences)) + "\n")


def write_encoder(folder: pathlib.Path) -> None:
    tagging_texts.write_encoder(str(folder / "encoder"))


def write_table(path: pathlib.Path, rows: int = 24) -> None:
    draw = np.random.default_rng(rows)
    lines = [f"{' '.join(draw.choice(tagging_texts.NAMES, 3))}\t{'good' if n % 3 else 'bad'}" for n in range(rows)]
    path.write_text("text\tlabel\n" + "\n".join(lines) + "\n")


@pytest.fixture
def text(both):
    """Two files of text."""
    for number in (1, 2):
        write_text(both.local / f"text-{number}.txt", number)
    (both.local / "config.json").write_text(json.dumps(CONFIG))
    return both


def make_records(both, **flags):
    both.run("data_prep/build_vocab.py", input_file="{}/text-*.txt", vocab_file="{}/vocab.txt", vocab_size=120,
             num_unused_tokens=4)  # fmt: skip
    return both.run(
        "data_prep/create_pretraining_data.py",
        **{"input_file": "{}/text-1.txt,{}/text-2.txt", "output_file": "{}/records", "vocab_file": "{}/vocab.txt"},
        **{"max_seq_length": 32, "max_predictions_per_seq": 5, "dupe_factor": 2, "num_shards": 2, "show_examples": 0},
        **flags,
    )


@ON_BOTH
def test_vocabulary_and_records_are_made_of_remote_text(text):
    make_records(text, num_workers=2, compression="GZIP")


@pytest.mark.long
def test_records_are_pretrained_on_interrupted_exported_and_asked_for_vectors(text):
    make_records(text, num_workers=1)
    run = {
        **{"bert_config_file": "{}/config.json", "vocab_file": "{}/vocab.txt", "input_file": "{}/records-*"},
        **{"output_dir": "{}/out/deep", "eval_input_file": "{}/records-00001-of-00002", "do_train": True},
        **{"do_eval": True, "max_eval_steps": 3, "max_seq_length": 32, "max_predictions_per_seq": 5},
        **{"train_batch_size": 8, "num_warmup_steps": 2, "save_checkpoints_steps": 2, "write_tf1_checkpoint": True},
    }
    text.run("run_pretraining.py", **run, num_train_steps=4)
    steps = [json.loads(line)["step"] for line in (text.remote / "out/deep/metrics.jsonl").read_text().splitlines()]
    assert set(steps) == {1, 2, 3, 4}
    text.run("run_pretraining.py", **run, num_train_steps=7, export_dir="{}/export", batch_sizes="1")
    assert (text.remote / "export/fill_mask/1/saved_model.pb").exists()
    tf.saved_model.load(str(text.remote / "export/fill_mask/1"))
    text.run("run_pretraining.py", **run | {"do_train": False, "output_dir": "{}/other"},
             init_checkpoint="{}/out/deep/model/bert_model.ckpt")  # fmt: skip
    text.run(
        "extract_features.py",
        **{"input_file": "{}/text-1.txt", "output_file": "{}/vectors.jsonl", "vocab_file": "{}/vocab.txt"},
        **{"bert_config_file": "{}/config.json", "init_checkpoint": "{}/out/deep", "max_seq_length": 16, "layers": -1},
    )


@ON_BOTH
def test_weights_are_converted_to_every_form_and_from_it(both):
    write_encoder(both.local)
    (both.local / "tokens.txt").write_text("paris\nann\n")
    both.run(CHECKPOINTS, "{}/encoder", "{}/tf1", "--format=tf1")
    both.run(CHECKPOINTS, "{}/tf1/bert_model.ckpt", "{}/preset", "--format=keras_hub")
    both.run(CHECKPOINTS, "{}/preset", "{}/again", "--add_tokens={}/tokens.txt", "--max_position_embeddings=70")
    both.run(CHECKPOINTS, "{}/encoder", "{}/preset", "{}/mean", "--average", "--vocab_file={}/tf1/vocab.txt")
    said = both.run(CHECKPOINTS, "--describe", "{}/tf1", "{}/preset", "{}/again", "{}/mean")
    assert said.count("right") == 4  # Checksums.


def test_weights_in_shards_are_read(both):
    write_encoder(both.local)
    folder = both.local / "encoder"
    tensors = safetensors.numpy.load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(tensors)
    shards = {f"model-0000{n + 1}-of-00002.safetensors": names[n::2] for n in range(2)}
    for file, held in shards.items():
        safetensors.numpy.save_file({name: tensors[name] for name in held}, folder / file, metadata={"format": "pt"})
    index = {"metadata": {}, "weight_map": {name: file for file, held in shards.items() for name in held}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "model.safetensors.index.json" in both.run(CHECKPOINTS, "--describe", "{}/encoder")


@pytest.mark.long
@pytest.mark.parametrize("task", ["imdb", "tsv"])
def test_texts_are_classified(both, task):
    write_encoder(both.local)
    for split in ("train", "test"):
        for label in ("neg", "pos"):
            folder = both.local / split / label
            folder.mkdir(parents=True)
            for number in range(6):
                (folder / f"{number}_1.txt").write_text(" ".join(tagging_texts.NAMES[number % 3 :]))
    for split in ("train", "dev", "test"):
        write_table(both.local / f"{split}.tsv")
    more = {"write_tf_records": True, "keep_best": True} if task == "tsv" else {"write_tf1_checkpoint": True}
    flags = {"task_name": task, "data_dir": "{}", "output_dir": "{}/out", "do_predict": True} | SMALL
    trained = {"init_checkpoint": "{}/encoder", "do_train": True, "do_eval": True} | more
    both.run("run_classifier.py", **flags, **trained, export_dir="{}/export", batch_sizes="1")
    both.run("run_classifier.py", **flags)


@pytest.mark.long
def test_questions_are_answered(both):
    write_encoder(both.local)
    context = "ann saw bob in rome . cleo went in oslo ."
    questions = [
        {"id": str(n), "question": f"{name} went", "answers": [{"text": town, "answer_start": context.index(town)}]}
        for n, (name, town) in enumerate([("ann", "rome"), ("cleo", "oslo")] * 4)
    ]
    squad = {"version": "1.1", "data": [{"title": "", "paragraphs": [{"context": context, "qas": questions}]}]}
    (both.local / "squad.json").write_text(json.dumps(squad))
    flags = {"output_dir": "{}/out", "predict_file": "{}/squad.json", "max_query_length": 8, "doc_stride": 8} | SMALL
    flags |= {"do_predict": True, "do_eval": True, "version_2_with_negative": True}
    more = {"do_train": True, "train_file": "{}/squad.json", "num_trials": 2, "write_tf_records": True}
    both.run("run_squad.py", **flags, **more, init_checkpoint="{}/encoder")
    both.run("run_squad.py", "--null_score_diff_threshold=best", **flags | {"output_dir": "{}/again"},
             init_checkpoint="{}/out/trial_1")  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("more", [{}, {"feature_based": True, "lstm_size": 8}], ids=["whole", "feature_based"])
@ON_BOTH
def test_words_are_labelled(both, more):
    write_encoder(both.local)
    tagging_texts.write_files(both.local)
    (both.local / "labels.txt").write_text("O\nB-PER\nI-PER\nB-LOC\nI-LOC\n")
    flags = {"data_dir": "{}", "output_dir": "{}/out", "do_predict": True, **SMALL, **more}
    both.run("run_ner.py", **flags, init_checkpoint="{}/encoder", labels="{}/labels.txt", do_train=True, do_eval=True)
    both.run("run_ner.py", **flags)
    if both.root.startswith("gs:"):  # `ram://` takes `assets.extra` for a file of `assets`.
        export = {"export_dir": "{}/export", "model_name": "ner", "batch_sizes": 1}
        both.run("export_savedmodel.py", init_checkpoint="{}/out", **export)


@pytest.mark.long
def test_a_model_is_exported_and_exported_again(both):
    write_encoder(both.local)
    flags = {"init_checkpoint": "{}/encoder", "export_dir": "{}/export", "batch_sizes": "1", "kind": "encoder"}
    both.run("export_savedmodel.py", "--variants=tflite_int8", **flags)
    both.run("export_savedmodel.py", **flags)
    loaded = tf.saved_model.load(str(both.remote / "export/encoder/2"))
    ours = tf.saved_model.load(str(both.local / "export/encoder/2"))
    vectors = (each.signatures["serving_default"](text=tf.constant(["ann saw rome ."])) for each in (loaded, ours))
    np.testing.assert_array_equal(*(answer["mean_output"].numpy() for answer in vectors))


COMMANDS = {
    "build_vocab": ("data_prep/build_vocab.py", {"input_file": "{}", "vocab_file": "out.txt"}),
    "records": ("data_prep/create_pretraining_data.py",
                {"input_file": "{}", "vocab_file": "vocab.txt", "output_file": "records"}),
    "pretraining": ("run_pretraining.py",
                    {"input_file": "{}", "bert_config_file": "bert-tiny", "output_dir": "out", "do_train": True}),
    "classifier": ("run_classifier.py",
                   {"task_name": "tsv", "data_dir": "{}", "init_checkpoint": "encoder", "output_dir": "out",
                    "max_seq_length": 32, "do_train": True}),
    "imdb": ("run_classifier.py",
             {"task_name": "imdb", "data_dir": "{}", "init_checkpoint": "encoder", "output_dir": "out",
              "max_seq_length": 32, "do_train": True}),
    "squad": ("run_squad.py",
              {"train_file": "{}", "init_checkpoint": "encoder", "output_dir": "out", "do_train": True,
               "max_query_length": 8, "max_seq_length": 32}),
    "ner": ("run_ner.py",
            {"train_file": "{}", "init_checkpoint": "encoder", "output_dir": "out", "do_train": True,
             "max_seq_length": 32}),
    "init_checkpoint": ("run_ner.py",
                        {"train_file": "none", "init_checkpoint": "{}", "output_dir": "out", "do_train": True}),
    "features": ("extract_features.py",
                 {"input_file": "none", "output_file": "out", "vocab_file": "{}", "bert_config_file": "bert-tiny",
                  "init_checkpoint": "encoder"}),
    "export": ("export_savedmodel.py", {"init_checkpoint": "{}", "export_dir": "out"}),
}  # fmt: skip
OUTPUTS = {
    "build_vocab": ("vocab_file", {"input_file": "vocab.txt"}),
    "records": ("output_file", {"input_file": "vocab.txt"}),
    "pretraining": ("output_dir", {"input_file": "vocab.txt"}),
    "export": ("export_dir", {"init_checkpoint": "encoder"}),
}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with what a command needs beside the path that is wrong."""
    folder = tmp_path_factory.mktemp("here")
    write_encoder(folder)
    shutil.copy(folder / "encoder" / "vocab.txt", folder)
    return folder


def refusal(script: str, flags: dict) -> str:
    """What is said on stderr by a command that fails: one line, without a traceback."""
    done = scripts.run(script, *scripts.flags_of(flags))
    assert done.returncode == 1, done.stderr
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.mark.long
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize(
    "path, reason",
    [
        ("ram://nowhere/file", "no (such )?(file|directory|checkpoint)"),
        ("s3://bucket/file", r"TensorFlow \S+ has no file system for s3:// \(it has file://, gs://, ram://\)"),
    ],
    ids=["missing", "unknown_scheme"],
)
def test_an_input_that_can_not_be_reached_is_named_in_one_line(name, path, reason, here, monkeypatch):
    monkeypatch.chdir(here)
    script, flags = COMMANDS[name]
    said = refusal(script, {flag: str(value).format(path) for flag, value in flags.items()})
    assert path in said and re.search(reason, said), said


@pytest.mark.long
@pytest.mark.parametrize("name", OUTPUTS)
def test_an_output_that_can_not_be_written_is_named_in_one_line(name, here, monkeypatch):
    monkeypatch.chdir(here)
    script, flags = COMMANDS[name]
    flag, more = OUTPUTS[name]
    said = refusal(script, flags | more | {flag: "s3://bucket/out"})
    assert "s3://bucket/out" in said and "has no file system for s3://" in said
