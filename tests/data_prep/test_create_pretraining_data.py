"""create_pretraining_data.py: the original's records, the same for any number of processes; nothing is lost."""

import errno
import functools
import gzip
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from published_pretraining_data import Recipe, document_stream_instances, published_instances

from data_prep import pretraining_data
from data_prep.documents import TextSource, open_source
from data_prep.pretraining_data import create
from data_prep.recipe import PretrainingData
from data_prep.row_shuffle import RowShuffle
from data_prep.streams import PER_DOCUMENT, PUBLISHED
from data_prep.token_store import TokenizerOptions
from official.errors import InputError

WORDS = ["the", "cat", "sat", "on", "mat", "dog", "ran", "##s", "##ing", "##ed", ".", ",", "a", "b"]
TOKENS = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
SENTENCE_WORDS = ["The", "cats", "sat", "on", "mating,", "dog", "raned", "unknown", "a", "b."]
SMALL_BUCKETS = functools.partial(RowShuffle, bucket_bytes=1000, spill_bytes=3000)
EXAMPLE = {"max_seq_length": 32, "max_predictions_per_seq": 6, "dupe_factor": 2}


def corpus_text(documents: int, seed: int = 0) -> str:
    rng = np.random.default_rng(seed)

    def sentence():
        return " ".join(rng.choice(SENTENCE_WORDS, rng.integers(1, 15)))

    return "\n\n".join("\n".join(sentence() for _ in range(rng.integers(1, 20))) for _ in range(documents)) + "\n"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A directory with a corpus and a vocabulary."""
    directory = tmp_path_factory.mktemp("corpus")
    (directory / "text.txt").write_text(corpus_text(60))
    (directory / "vocab.txt").write_text("\n".join(TOKENS) + "\n")
    return directory


def make(corpus, *outputs, **options):
    """Calls `create` on the corpus."""
    input_file = options.pop("input_file", str(corpus / "text.txt"))
    options = EXAMPLE | {"tokenizer": TokenizerOptions(str(corpus / "vocab.txt"))} | options
    paths = tuple(str(path) for path in outputs)
    return create(PretrainingData(output_files=paths, **options), open_source(TextSource(input_file)))


def read_records(path, compression="") -> list[dict]:
    records = []
    for record in tf.data.TFRecordDataset(str(path), compression):
        features = tf.train.Example.FromString(record.numpy()).features.feature.items()
        records.append({name: list(one.int64_list.value) or list(one.float_list.value) for name, one in features})
    return records


def test_records_are_those_of_the_original_code(golden_bert, tmp_path):
    create(
        PretrainingData(
            output_files=(str(tmp_path / "out"),),
            tokenizer=TokenizerOptions(str(golden_bert / "ckpt" / "vocab.txt")),
            max_seq_length=64,
            max_predictions_per_seq=10,
            random_seed=12345,
            dupe_factor=2,
        ),
        open_source(TextSource(str(golden_bert / "text.txt"))),
    )
    expected, made = read_records(golden_bert / "pretrain.tfrecord"), read_records(tmp_path / "out")
    assert (len(expected), len(made)) == (256, 261)
    for number, (one, other) in enumerate(zip(expected, made, strict=False)):
        assert one == other, f"record {number}"


def tokenized(corpus) -> list[list[list[int]]]:
    """The documents of the corpus."""
    tokenizer = TokenizerOptions(str(corpus / "vocab.txt")).make()
    return [
        [tokenizer.encode(line) for line in document.split("\n")]
        for document in (corpus / "text.txt").read_text().strip().split("\n\n")
    ]


def recipe(**changes) -> Recipe:
    continuation = {k for k, token in enumerate(TOKENS) if token.startswith("##")}
    return Recipe(list(range(len(TOKENS))), continuation, 3, 4, 5, **EXAMPLE, **changes)


@pytest.mark.parametrize("whole_words", [False, True])
def test_records_are_the_published_ones_also_where_there_is_no_golden(corpus, tmp_path, whole_words):
    make(corpus, tmp_path / "out", do_whole_word_mask=whole_words, short_seq_prob=0.5, random_seed=7)
    expected = published_instances(tokenized(corpus), recipe(whole_words=whole_words, short_seq_prob=0.5), 7)
    assert read_records(tmp_path / "out") == expected


@pytest.mark.parametrize("seed", [0, 7, -(2**40)])
@pytest.mark.parametrize("whole_words", [False, True])
def test_with_streams_of_documents_records_are_those_of_a_plain_transcription(corpus, tmp_path, whole_words, seed):
    outputs = [tmp_path / str(file) for file in range(3)]
    options = {"do_whole_word_mask": whole_words, "short_seq_prob": 0.5, "random_seed": seed}
    make(corpus, *outputs, **options, random_streams=PER_DOCUMENT)
    plain = recipe(whole_words=whole_words, short_seq_prob=0.5)
    assert [read_records(path) for path in outputs] == document_stream_instances(tokenized(corpus), plain, seed, 3)


@pytest.mark.parametrize("streams", [PUBLISHED, PER_DOCUMENT])
def test_output_is_the_same_for_any_number_of_processes(corpus, tmp_path, monkeypatch, streams):
    monkeypatch.setattr("data_prep.token_store.BATCH_CHARACTERS", 500)
    monkeypatch.setattr(pretraining_data, "RowShuffle", SMALL_BUCKETS)
    for workers in (1, 2, 3):
        outputs = [tmp_path / f"{workers}-{shard}" for shard in range(3)]
        make(corpus, *outputs, num_workers=workers, compression="GZIP", random_streams=streams)
    for shard in range(3):
        expected = (tmp_path / f"1-{shard}").read_bytes()
        assert (tmp_path / f"2-{shard}").read_bytes() == expected == (tmp_path / f"3-{shard}").read_bytes()


@pytest.mark.parametrize("files", [1, 2, 7])
def test_records_go_round_robin_over_the_files(corpus, tmp_path, files):
    make(corpus, tmp_path / "one")
    make(corpus, *(tmp_path / f"part-{k}" for k in range(files)))
    parts = itertools.zip_longest(*(read_records(tmp_path / f"part-{k}") for k in range(files)))
    assert [record for row in parts for record in row if record] == read_records(tmp_path / "one")


@pytest.mark.parametrize("streams", [PUBLISHED, PER_DOCUMENT])
def test_sizes_of_buckets_and_batches_change_nothing(corpus, tmp_path, monkeypatch, streams):
    make(corpus, tmp_path / "a", tmp_path / "b", random_streams=streams)
    monkeypatch.setattr(pretraining_data, "INSTANCES_AT_A_TIME", 5)
    monkeypatch.setattr("data_prep.token_store.BATCH_CHARACTERS", 100)
    monkeypatch.setattr(pretraining_data, "RowShuffle", SMALL_BUCKETS)
    make(corpus, tmp_path / "c", tmp_path / "d", random_streams=streams)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "c").read_bytes()
    assert (tmp_path / "b").read_bytes() == (tmp_path / "d").read_bytes()


def test_compressed_records_are_the_same_records(corpus, tmp_path):
    make(corpus, tmp_path / "plain")
    make(corpus, tmp_path / "gzip", compression="GZIP")
    assert read_records(tmp_path / "gzip", "GZIP") == read_records(tmp_path / "plain")
    assert gzip.decompress((tmp_path / "gzip").read_bytes()) == (tmp_path / "plain").read_bytes()


def test_records_parse_as_the_original_reader_parses_them(corpus, tmp_path):
    make(corpus, tmp_path / "out")
    sequence, predictions = tf.io.FixedLenFeature([32], tf.int64), tf.io.FixedLenFeature([6], tf.int64)
    features = {  # run_pretraining.py:337-352
        "input_ids": sequence,
        "input_mask": sequence,
        "segment_ids": sequence,
        "masked_lm_positions": predictions,
        "masked_lm_ids": predictions,
        "masked_lm_weights": tf.io.FixedLenFeature([6], tf.float32),
        "next_sentence_labels": tf.io.FixedLenFeature([1], tf.int64),
    }
    batches = tf.data.TFRecordDataset(str(tmp_path / "out")).batch(8)
    batch = next(iter(batches.map(lambda records: tf.io.parse_example(records, features))))
    assert batch["input_ids"].shape == (8, 32) and batch["masked_lm_weights"].dtype == tf.float32


def test_dynamic_records_are_unmasked_and_say_where_words_begin(corpus, tmp_path):
    make(corpus, tmp_path / "dynamic", dynamic_masking=True)
    records = read_records(tmp_path / "dynamic")
    assert all(set(record) == {"input_ids", "segment_ids", "next_sentence_labels", "word_starts"} for record in records)
    for record in records:
        tokens = [TOKENS[i] for i in record["input_ids"]]
        assert "[MASK]" not in tokens
        special = {"[CLS]", "[SEP]", "[PAD]"}
        assert record["word_starts"] == [int(t not in special and not t.startswith("##")) for t in tokens]


def test_a_large_vocabulary_takes_wider_ids(corpus, tmp_path):
    vocab = tmp_path / "vocab.txt"
    vocab.write_text("\n".join([f"[unused{k}]" for k in range(70_000)] + TOKENS))
    make(corpus, tmp_path / "wide", tokenizer=TokenizerOptions(str(vocab)), dynamic_masking=True)
    make(corpus, tmp_path / "narrow", dynamic_masking=True)
    narrow = [[i for i in record["input_ids"] if i] for record in read_records(tmp_path / "narrow")]
    assert narrow == [[i - 70_000 for i in record["input_ids"] if i] for record in read_records(tmp_path / "wide")]


def test_the_summary_counts_what_is_in_the_records(corpus, tmp_path):
    summary = make(corpus, tmp_path / "out")
    records = read_records(tmp_path / "out")
    assert summary.documents == 60 and summary.examples == len(records)
    assert summary.counts.tokens[0] == sum(sum(record["input_mask"]) for record in records)
    assert summary.counts.fates.sum() == sum(sum(record["masked_lm_weights"]) for record in records)
    assert summary.counts.pair_labels[1] == sum(record["next_sentence_labels"][0] for record in records)
    report = summary.report()
    for part in (f"{len(records):,} of up to 32 tokens", "% of them [UNK]", str(tmp_path / "out")):
        assert part in report


@pytest.mark.parametrize("text", ["", "\n\n \n", "\u200b\n\n\u200b"])
def test_an_empty_corpus_is_refused(corpus, tmp_path, text):
    (tmp_path / "empty.txt").write_text(text)
    with pytest.raises(InputError, match="empty.txt: no text in it"):
        make(corpus, tmp_path / "out", input_file=str(tmp_path / "empty.txt"))
    assert os.listdir(tmp_path) == ["empty.txt"]


def test_a_corpus_of_one_document_is_made_as_published_with_a_warning(corpus, tmp_path, capsys):
    (tmp_path / "one.txt").write_text("a b.\nThe cat sat.\nthe dog")
    make(corpus, tmp_path / "out", input_file=str(tmp_path / "one.txt"))
    assert "only one document" in capsys.readouterr().err
    assert len(read_records(tmp_path / "out")) > 0


def test_a_vocabulary_without_mask_is_refused(corpus, tmp_path):
    (tmp_path / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\na\n")
    with pytest.raises(InputError, match=r"vocab.txt.*\[MASK\]"):
        make(corpus, tmp_path / "out", tokenizer=TokenizerOptions(str(tmp_path / "vocab.txt")))


@pytest.mark.parametrize("place", ["TokenStoreWriter.append", "RowShuffle.append", "RowShuffle._scatter", "output"])
def test_a_full_disk_is_a_clear_message_and_the_old_output_stays(corpus, tmp_path, monkeypatch, place):
    (tmp_path / "out").write_text("old")
    full = OSError(errno.ENOSPC, "No space left on device")

    def fail(*_):
        raise full

    module = {"TokenStoreWriter": "token_store", "RowShuffle": "row_shuffle"}.get(place.split(".")[0])
    if module:
        monkeypatch.setattr(f"data_prep.{module}.{place}", fail)
    else:
        monkeypatch.setattr("data_prep.pretraining_data.files.replace", fail)
    with pytest.raises(InputError, match="no space left on the disk"):
        make(corpus, tmp_path / "out", tmp_path / "out2")
    assert os.listdir(tmp_path) == ["out"] and (tmp_path / "out").read_text() == "old"


# The command line.


@pytest.fixture
def script(repository, corpus):
    """Starts the script with flags and the corpus's vocabulary."""

    def start(*flags, **options):
        command = [sys.executable, str(repository / "data_prep" / "create_pretraining_data.py"), *map(str, flags)]
        if not any(str(flag).startswith("--vocab_file") for flag in flags):
            command.append(f"--vocab_file={corpus / 'vocab.txt'}")
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)

    return start


def finish(process):
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_the_script_with_the_flags_of_the_original(script, corpus, tmp_path):
    status, out, err = finish(
        script(
            f"--input_file={corpus / 'tex*.txt'}",
            f"--output_file={tmp_path / 'a'},{tmp_path / 'b'}",
            "--do_lower_case=True",
            "--do_whole_word_mask=False",
            "--max_seq_length=32",
            "--max_predictions_per_seq=6",
            "--random_seed=12345",
            "--dupe_factor=2",
            "--masked_lm_prob=0.15",
            "--short_seq_prob=0.1",
        )
    )
    assert status == 0, err
    make(corpus, tmp_path / "c", tmp_path / "d")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "c").read_bytes()
    assert (tmp_path / "b").read_bytes() == (tmp_path / "d").read_bytes()
    assert "documents" in out and "example 0: [CLS]" in err


def test_shards_are_named_and_jsonl_is_read(script, tmp_path):
    (tmp_path / "in.jsonl").write_text((json.dumps({"body": "The cat sat. The dog ran. A b."}) + "\n") * 5)
    status, _, err = finish(
        script(
            f"--input_file={tmp_path / 'in.jsonl'}",
            "--input_format=jsonl",
            "--jsonl_field=body",
            f"--output_file={tmp_path / 'x'}",
            "--num_shards=3",
            "--masking=dynamic",
            "--num_workers=2",
            "--compression=gzip",
        )
    )
    assert status == 0, err
    assert sorted(os.listdir(tmp_path)) == ["in.jsonl", *(f"x-0000{k}-of-00003" for k in range(3))]
    assert read_records(tmp_path / "x-00000-of-00003", "GZIP")


@pytest.mark.parametrize(
    "flags, status, message",
    [
        (["--output_file=OUT", "--input_file=absent.txt"], 1, "--input_file: no file matches 'absent.txt'"),
        (["--output_file=OUT", "--input_file=TEXT", "--vocab_file=absent"], 1, "absent: no such file"),
        (["--output_file=OUT/x", "--input_file=TEXT"], 1, "no such directory"),
        (["--output_file=DIR", "--input_file=TEXT"], 1, "is a directory"),
        (["--output_file=TEXT", "--input_file=TEXT"], 1, "is a file that is read"),
        (["--output_file=OUT,OUT", "--input_file=TEXT"], 1, "named twice"),
        (["--output_file=OUT,OUT2", "--num_shards=2", "--input_file=TEXT"], 1, "--num_shards"),
        (["--output_file=OUT"], 1, "--input_file: no file is given"),
        (["--output_file=OUT", "--input_file=TEXT", "--temp_dir=absent"], 1, "absent"),
        (["--output_file=OUT", "--input_file=TEXT", "--max_seq_length=4"], 2, "max_seq_length"),
        (["--output_file=OUT", "--input_file=TEXT", "--masked_lm_prob=0"], 2, "masked_lm_prob"),
        (["--output_file=OUT", "--input_file=TEXT", "--masked_lm_prob=1.5"], 2, "masked_lm_prob"),
        (["--output_file=OUT", "--input_file=TEXT", "--num_workers=0"], 2, "num_workers"),
        (["--output_file=OUT", "--input_file=TEXT", "--example_format=pair"], 2, "example_format"),
        (["--output_file=OUT", "--input_file=TEXT", "--max_ngram=0"], 2, "max_ngram"),
        (["--output_file=OUT", "--input_file=TEXT", "--keep_original_prob=0.2"], 2, "the three must add up to 1"),
        (
            [
                "--output_file=OUT",
                "--input_file=TEXT",
                "--example_format=full_sentences",
                "--random_streams=per_document",
            ],
            1,
            "--random_streams=published was expected",
        ),
        (["--input_file=TEXT"], 2, "output_file"),
    ],
)
def test_bad_input_is_one_line_and_a_status(script, corpus, tmp_path, flags, status, message):
    names = {"OUT": tmp_path / "out", "TEXT": corpus / "text.txt", "DIR": tmp_path}
    for name, path in names.items():
        flags = [flag.replace(name, str(path)) for flag in flags]
    found, _, err = finish(script(*flags, cwd=tmp_path))
    assert found == status, err
    assert message in err and "Traceback" not in err and len(err.strip().splitlines()) == 1
    assert not os.listdir(tmp_path)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_stopped_run_leaves_the_old_output_and_no_processes(script, tmp_path, number, status):
    psutil = pytest.importorskip("psutil")
    (tmp_path / "text.txt").write_text(corpus_text(3000) * 40)
    (tmp_path / "out").write_text("old")
    process = script(
        f"--input_file={tmp_path / 'text.txt'}",
        f"--output_file={tmp_path / 'out'}",
        "--num_workers=2",
        "--max_seq_length=32",
        start_new_session=True,
    )
    wait_for(lambda: any(path.stat().st_size for path in pathlib.Path(tmp_path).glob(".pretraining-data-*/*")))
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    found, _, err = finish(process)
    assert found == status and "Traceback" not in err
    assert len(children) >= 2
    wait_for(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children))
    assert (tmp_path / "out").read_text() == "old"
    if number == signal.SIGINT:
        assert sorted(os.listdir(tmp_path)) == ["out", "text.txt"]
