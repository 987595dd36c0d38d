"""On a Beam runner: the files of the local path, byte for byte, and nothing half-written when it fails."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from data_prep.documents import Stretch, TextSource, open_source
from data_prep.pretraining_data import create
from data_prep.processes import workers
from data_prep.recipe import PretrainingData
from data_prep.streams import PER_DOCUMENT, PUBLISHED
from data_prep.token_store import TokenizerOptions
from data_prep.vocabulary import learn_from_counts
from data_prep.word_counts import count_words
from official.errors import InputError

pytest.importorskip("apache_beam", reason="Apache Beam is not installed: pip install -e '.[beam]'")

from data_prep.on_beam import pretraining_data as on_beam  # noqa: E402  Which imports Beam.
from data_prep.on_beam import running, text, word_counts  # noqa: E402

LINES = 4_000  # of the corpus: 0.4 MB
TWO_PROCESSES = "--direct_num_workers=2 --direct_running_mode=multi_processing"


@pytest.fixture(scope="module")
def corpus(shared, tmp_path_factory):
    """A directory with text in two files and as JSON lines, and a vocabulary learnt from it."""
    directory = tmp_path_factory.mktemp("corpus")
    source = shared / "data" / "corpus_small" / "eltec_small.txt"
    lines = source.read_text(encoding="utf-8").split("\n")[:LINES]
    whole = "\n".join(lines)
    (directory / "1.txt").write_text(whole[:150_000], encoding="utf-8")  # In the middle of a document.
    (directory / "2.txt").write_text(whole[150_000:], encoding="utf-8")
    documents = [document for document in whole.split("\n\n") if document.strip()]
    objects = [json.dumps({"body": document}) for document in documents]
    (directory / "text.jsonl").write_text("\n".join(objects) + "\n", encoding="utf-8")
    with workers(1) as pool:
        counts = count_words(lines, lower_case=True, strip_accents=None, workers=pool)
    (directory / "vocab.txt").write_text("\n".join(learn_from_counts(counts, 2000)) + "\n", encoding="utf-8")
    return directory


@pytest.fixture
def in_small_parts(monkeypatch):
    """Parts and batches that are much smaller than documents; for workers in this process."""
    monkeypatch.setattr(text, "PART_BYTES", 30_000)
    monkeypatch.setattr(text, "BATCH_CHARACTERS", 2_000)


def options_for(corpus, directory, num_files=1, **options) -> PretrainingData:
    directory.mkdir()
    return PretrainingData(
        output_files=tuple(str(directory / f"data-{file}") for file in range(num_files)),
        tokenizer=TokenizerOptions(str(corpus / "vocab.txt")),
        **{"max_seq_length": 64, "max_predictions_per_seq": 10, "dupe_factor": 2} | options,
    )


def contents(directory) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def assert_identical(corpus, tmp_path, source: TextSource, beam_options: str, **options) -> None:
    local, beam = (options_for(corpus, tmp_path / name, **options) for name in ("local", "beam"))
    expected = create(local, open_source(source))
    made = on_beam.create(beam, source, "DirectRunner", beam_options)
    assert contents(tmp_path / "beam") == contents(tmp_path / "local")
    assert made.report().splitlines()[:-1] == expected.report().splitlines()[:-1]  # The last has seconds and paths.


CASES = {
    "as published": {},
    "one file": {"num_files": 1, "dupe_factor": 1},
    "whole words": {"do_whole_word_mask": True, "random_seed": 7},
    "dynamic masks": {"dynamic_masking": True},
    "compressed": {"compression": "GZIP", "short_seq_prob": 0.5},
    "sentence pairs": {"example_format": "sentence_pair", "dupe_factor": 1},
    "sentence order, n-grams": {"example_format": "sentence_order", "do_whole_word_mask": True, "max_ngram": 3},
    "sentences of a document": {
        "example_format": "doc_sentences",
        "replace_with_mask_prob": 0.9,
        "keep_original_prob": 0.0,
    },
    "electra": {"example_format": "electra", "dynamic_masking": True},
}


@pytest.mark.parametrize("streams", [PUBLISHED, PER_DOCUMENT])
@pytest.mark.parametrize("case", CASES)
def test_files_are_those_of_the_local_path(corpus, tmp_path, in_small_parts, case, streams):
    options = {"num_files": 3} | CASES[case]
    assert_identical(corpus, tmp_path, TextSource(str(corpus / "?.txt")), "", **options, random_streams=streams)


def test_rows_of_several_documents_are_drawn_by_one_worker_and_not_apart(corpus, tmp_path, in_small_parts):
    source, options = TextSource(str(corpus / "?.txt")), {"example_format": "full_sentences"}
    assert_identical(corpus, tmp_path, source, "", **options)
    apart = options_for(corpus, tmp_path / "apart", **options, random_streams=PER_DOCUMENT)
    with pytest.raises(InputError, match="--random_streams=published was expected"):
        on_beam.create(apart, source, "DirectRunner", "")
    assert not contents(tmp_path / "apart")


@pytest.mark.parametrize("streams", [PUBLISHED, PER_DOCUMENT])
@pytest.mark.parametrize(
    "source",
    [
        {"input_file": "text.jsonl", "input_format": "jsonl", "jsonl_field": "body"},
        {"input_file": "text.jsonl", "input_format": "jsonl", "jsonl_field": "body", "splitting": False},
        {"input_file": "?.txt", "splitting": True},
    ],
    ids=["jsonl", "jsonl, unsplit", "running text"],
)
def test_every_kind_of_text_is_read_as_by_the_local_path(corpus, tmp_path, in_small_parts, source, streams):
    source = TextSource(**source | {"input_file": str(corpus / source["input_file"])})
    assert_identical(corpus, tmp_path, source, "", num_files=2, random_streams=streams)


def test_a_source_without_files_is_read_by_one_worker(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(TextSource, "lines_of_no_file", lambda self: iter(["one two", "", "three", "four", ""] * 20))
    source = TextSource(input_format="python_documentation")
    assert_identical(corpus, tmp_path, source, "", random_streams=PER_DOCUMENT)


@pytest.mark.parametrize("streams", [PUBLISHED, PER_DOCUMENT])
def test_a_file_that_no_example_falls_to_is_written_too(corpus, tmp_path, streams):
    (tmp_path / "small.txt").write_text("The house.\nThe man.\n\nThe dog\nand the cat.\n")
    source = TextSource(str(tmp_path / "small.txt"))
    assert_identical(corpus, tmp_path, source, "", num_files=50, random_streams=streams)
    assert b"" in contents(tmp_path / "beam").values()


@pytest.mark.parametrize("streams", [PUBLISHED, PER_DOCUMENT])
def test_several_worker_processes_make_the_same_files(corpus, tmp_path, streams):
    source = TextSource(str(corpus / "?.txt"))
    assert_identical(corpus, tmp_path, source, TWO_PROCESSES, num_files=3, random_streams=streams)


@pytest.mark.parametrize("beam_options", ["", TWO_PROCESSES], ids=["one worker", "two processes"])
def test_words_are_counted_as_by_the_local_path(corpus, tmp_path, beam_options):
    source = TextSource(str(corpus / "?.txt"), splitting=False)
    tokenizer = {"lower_case": True, "strip_accents": None}
    with workers(1) as pool:
        expected = count_words(open_source(source).lines, **tokenizer, workers=pool)
    output = str(tmp_path / "vocab.txt")
    counts, name = word_counts.count_words(
        source, **tokenizer, runner="DirectRunner", beam_options=beam_options, output=output
    )
    assert counts == expected and len(counts) > 1000
    assert name == f"{corpus / '1.txt'}, {corpus / '2.txt'}"
    assert not os.listdir(tmp_path)


# What goes wrong.


@pytest.mark.parametrize("beam_options", ["", TWO_PROCESSES], ids=["one worker", "two processes"])
@pytest.mark.parametrize("streams", [PUBLISHED, PER_DOCUMENT])
def test_bad_text_is_named_and_the_old_files_stay(corpus, tmp_path, capsys, beam_options, streams):
    bad = tmp_path / "bad.jsonl"
    bad.write_text((corpus / "text.jsonl").read_text() + '{"body": 3}\n')
    options = options_for(corpus, tmp_path / "out", num_files=2, random_streams=streams)
    for path in options.output_files:
        with open(path, "w") as file:
            file.write("old")
    line = len(bad.read_text().splitlines())
    with pytest.raises(InputError) as error:
        on_beam.create(options, TextSource(str(bad), "jsonl", "body"), "DirectRunner", beam_options)
    assert str(error.value) == f"{bad}:{line}: field 'body' is int, expected a string"
    assert contents(tmp_path / "out") == {"data-0": b"old", "data-1": b"old"}


@pytest.mark.parametrize("streams", [PUBLISHED, PER_DOCUMENT])
@pytest.mark.parametrize("content", ["", "\n\n \n", "\u200b\n\n\u200b"])
def test_an_empty_corpus_is_refused(corpus, tmp_path, content, streams):
    (tmp_path / "empty.txt").write_text(content)
    options = options_for(corpus, tmp_path / "out", random_streams=streams)
    with pytest.raises(InputError, match="empty.txt: no text in it"):
        on_beam.create(options, TextSource(str(tmp_path / "empty.txt")), "DirectRunner", "")
    assert not os.listdir(tmp_path / "out")


def test_a_single_document_is_warned_of(corpus, tmp_path, capsys):
    (tmp_path / "one.txt").write_text("The house.\nThe man.\nThe dog")
    options = options_for(corpus, tmp_path / "out", random_streams=PER_DOCUMENT)
    on_beam.create(options, TextSource(str(tmp_path / "one.txt")), "DirectRunner", "")
    assert "only one document" in capsys.readouterr().err


def test_a_full_disk_of_a_worker_is_a_clear_message(corpus, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data_prep.on_beam.writing.serialize_bucket", fail)
    options = options_for(corpus, tmp_path / "out", temp_dir=str(tmp_path))
    with pytest.raises(InputError, match="no space left on the disk"):
        on_beam.create(options, TextSource(str(corpus / "1.txt")), "DirectRunner", "")
    assert not os.listdir(tmp_path / "out")


@pytest.mark.parametrize(
    "temp_dir, message",
    [("gs://bucket/temp", "--temp_dir: .*a local directory"), ("/nowhere", "^/nowhere: no such file")],
)
def test_a_place_for_temporary_files_that_is_none_is_named(corpus, tmp_path, temp_dir, message):
    options = options_for(corpus, tmp_path / "out", temp_dir=temp_dir)
    with pytest.raises(InputError, match=message):
        on_beam.create(options, TextSource(str(corpus / "1.txt")), "DirectRunner", "")
    assert not os.listdir(tmp_path / "out")


@pytest.mark.parametrize(
    "error, line",
    [
        (InputError("a.txt: no such file"), "a.txt: no such file"),
        (
            RuntimeError(
                'Traceback:\n  File "x"\nofficial.errors.InputError: a:3: bad\n\nDuring handling …\n'
                "Traceback:\nofficial.errors.InputError: a:3: bad [while running 'read-ptransform-17']\n"
            ),
            "a:3: bad",
        ),
        (RuntimeError("the job\nwas cancelled\n\n"), "--runner: the pipeline failed: was cancelled"),
        (ConnectionError(""), "--runner: the pipeline failed: ConnectionError:"),
    ],
)
def test_a_failure_is_one_line(error, line):
    assert running.message_of(error) == line


@pytest.mark.parametrize(
    "given, message",
    [
        ("direct_num_workers=2", "flags were expected"),
        ("'", "No closing quotation"),
        ("--direct_num_workers=x", "invalid int value: 'x'"),
        ("--direct_running_mode=threads", "invalid choice: 'threads'"),
        ("--direct_workers=2", "DirectRunner knows no --direct_workers"),
    ],
)
def test_options_that_beam_does_not_take_are_named(given, message):
    with pytest.raises(InputError, match=f"--beam_options.*{message}"):
        running.parse_options("DirectRunner", given)


def test_other_runners_may_have_options_of_their_own():
    options = running.parse_options("FlinkRunner", "--flink_master=local[2] --checkpointing_interval=5")
    assert options.get_all_options(retain_unknown_options=True)["checkpointing_interval"] in ("5", 5)


def test_stretches_cover_all_files(corpus, in_small_parts):
    parts, name = text.parts_of(TextSource(str(corpus / "?.txt")))
    assert [part.number for part in parts] == list(range(len(parts)))
    sizes = {str(corpus / file): (corpus / file).stat().st_size for file in ("1.txt", "2.txt")}
    for path, size in sizes.items():
        stretches = [part.stretch for part in parts if part.stretch.path == path]
        assert stretches[0].start == 0 and stretches[-1].end >= size
        assert all(one.end == other.start for one, other in zip(stretches, stretches[1:], strict=False))
    assert text.parts_of(TextSource(input_format="python_documentation"))[0] == [text.Part(0, None)]
    assert isinstance(parts[0].stretch, Stretch) and "1.txt" in name


# The command lines.


def start(repository, script, *flags, **options):
    command = [sys.executable, str(repository / "data_prep" / script), *map(str, flags)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def test_the_scripts_with_two_worker_processes_from_anywhere(repository, corpus, tmp_path):
    for runner in ([], ["--runner=DirectRunner", f"--beam_options={TWO_PROCESSES}"]):
        directory = tmp_path / ("beam" if runner else "local")
        directory.mkdir()
        flags = [f"--input_file={corpus / '?.txt'}", "--vocab_file=vocab.txt", *runner]
        process = start(repository, "build_vocab.py", *flags, "--vocab_size=900", cwd=directory)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert "900 tokens" in out
        flags += ["--output_file=data", "--num_shards=2", "--dupe_factor=1", "--random_streams=per_document"]
        process = start(repository, "create_pretraining_data.py", *flags, cwd=directory)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
        assert "documents" in out and "example 0: [CLS]" in err
        assert "INFO" not in err and "WARNING" not in err
    assert contents(tmp_path / "beam") == contents(tmp_path / "local")
    assert sorted(contents(tmp_path / "beam")) == ["data-00000-of-00002", "data-00001-of-00002", "vocab.txt"]


def descendants(psutil, process) -> list:
    with contextlib.suppress(psutil.NoSuchProcess):
        return [one for one in psutil.Process(process.pid).children(recursive=True) if one.cmdline()]
    return []


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize(
    "stop, status, message",
    [
        ("interrupt", 130, "error: interrupted"),
        ("kill", -9, ""),
        ("kill a worker", 1, "error: --runner: a worker process was killed (is there memory for so many?)"),
    ],
)
def test_a_stopped_run_leaves_the_old_output_and_no_processes(repository, corpus, tmp_path, stop, status, message):
    psutil = pytest.importorskip("psutil")
    (tmp_path / "out").write_text("old")
    process = start(
        repository,
        "create_pretraining_data.py",
        f"--input_file={corpus / '?.txt'}",
        f"--vocab_file={corpus / 'vocab.txt'}",
        f"--output_file={tmp_path / 'out'}",
        "--dupe_factor=2000",
        "--random_streams=per_document",
        "--runner=DirectRunner",
        f"--beam_options={TWO_PROCESSES}",
        start_new_session=True,
    )
    # They have read the text and draw when they have used some time.
    wait_for(lambda: sum(sum(one.cpu_times()[:2]) for one in descendants(psutil, process)) > 8)
    children = descendants(psutil, process)
    assert len(children) == 2
    if stop == "kill a worker":
        children[0].kill()
    else:
        process.send_signal(signal.SIGINT if stop == "interrupt" else signal.SIGKILL)
    _, err = process.communicate(timeout=120)
    assert process.returncode == status and "Traceback" not in err
    assert err.strip().splitlines()[-1:] == ([message] if message else err.strip().splitlines()[-1:])
    wait_for(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in children), 30)
    assert (tmp_path / "out").read_text() == "old"
    if stop != "kill":
        assert os.listdir(tmp_path) == ["out"]
