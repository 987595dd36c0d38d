"""Learning byte-level BPE: layout, merges, determinism, and the command line."""

import json
import subprocess
import sys

import pytest
import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from data_prep import word_counts
from data_prep.byte_level_bpe import learn_from_counts, tokens_per_word
from data_prep.processes import workers
from official.checkpoints.tokenizers.tokenizer_files import read_tokenizer
from official.errors import InputError
from official.tokenization import byte_level
from official.tokenization.byte_level_bpe import ByteLevelBpeTokenizer

LINES = [
    "The quick brown foxes' den, they'd seen it 12 times; the quickest foxes 12 times.",
    " A  line with spaces \t and tabs ",
    "日本語の文章 日本語の文章 é e\u0301 😀",
    "",
    "the foxes the foxes the den",
] * 3


def count(lines, num_workers=1):
    with workers(num_workers) as pool:
        return word_counts.count_words(lines, byte_level=True, workers=pool)


def learnt_by_the_library(lines, vocab_size):
    """The merges that the library learns from the text itself, with its own splitting."""
    library = tokenizers.Tokenizer(models.BPE())
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    library.train_from_iterator(lines, trainer)
    return [tuple(pair) for pair in json.loads(library.to_str())["model"]["merges"]]


def test_merges_are_those_that_the_library_learns_from_the_text():
    tokenizer = learn_from_counts(count(LINES), 320)
    assert tokenizer.merges == learnt_by_the_library(LINES, 315)
    assert len(tokenizer.merges) == 320 - 256 - 5


def test_real_text_gives_the_merges_of_the_library(shared):
    lines = (shared / "data" / "corpus_small" / "eltec_small.txt").read_text(encoding="utf-8").split("\n")[:4000]
    counts = count(lines)
    tokenizer = learn_from_counts(counts, 3005)
    assert tokenizer.merges == learnt_by_the_library(lines, 3000)
    assert {"Ġthe", "Ġand", "ing"} <= set(tokenizer.vocab)
    ids = [token_id for line in lines for token_id in tokenizer.encode(line)]
    assert tokens_per_word(tokenizer, counts) == len(ids) / sum(counts.values())
    assert all(tokenizer.decode(tokenizer.encode(line)) == line for line in lines)


def test_tokens_stand_where_roberta_has_them():
    tokenizer = learn_from_counts(count(LINES), 300)
    assert tokenizer.tokens[:4] == ["<s>", "<pad>", "</s>", "<unk>"]
    assert tokenizer.tokens[4:260] == sorted(byte_level.SPELLED)
    assert tokenizer.tokens[-1] == "<mask>" and tokenizer.vocab_size == 300


def test_words_are_counted_as_the_tokenizer_will_see_them():
    assert count(["don't  go\u00a0on", " the\ud800 É", "the"]) == {
        "don": 1, "'t": 1, " ": 1, " go": 1, "\u00a0": 1, "on": 1, " the": 1, " É": 1, "the": 1,
    }  # fmt: skip


def test_same_text_gives_the_same_vocabulary_in_any_order_and_process(monkeypatch):
    monkeypatch.setattr(word_counts, "BATCH_CHARACTERS", 100)
    learnt = learn_from_counts(count(LINES), 310)
    for counts in (count(LINES[::-1]), count(LINES, num_workers=2)):
        again = learn_from_counts(counts, 310)
        assert (again.vocab, again.merges) == (learnt.vocab, learnt.merges)


@pytest.mark.parametrize("counts, vocab_size, message", [({}, 300, "no word"), ({"a": 1}, 260, "no room .* 261")])
def test_impossible_requests_are_named(counts, vocab_size, message):
    with pytest.raises(InputError, match=message):
        learn_from_counts(counts, vocab_size)


def run_script(repository, *arguments):
    command = [sys.executable, str(repository / "data_prep" / "build_vocab.py"), "--kind=byte_level_bpe", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=repository.parent)


def test_script_writes_three_files_that_say_the_same(repository, tmp_path):
    (tmp_path / "text.txt").write_text("\n".join(LINES), encoding="utf-8")
    arguments = [f"--input_file={tmp_path}/text.txt", "--vocab_size=300", f"--vocab_file={tmp_path}/vocab.json"]
    done = run_script(repository, *arguments, "--num_workers=1")
    assert done.returncode == 0, done.stderr
    assert "300 tokens from" in done.stdout and "with it merges.txt, tokenizer.json" in done.stdout
    expected = learn_from_counts(count(LINES), 300)
    read = [
        ByteLevelBpeTokenizer.from_files(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt")),
        read_tokenizer(str(tmp_path)),
    ]
    assert [(one.vocab, one.merges) for one in read] == [(expected.vocab, expected.merges)] * 2


@pytest.mark.parametrize(
    "arguments, status, message",
    [
        (["--vocab_file={dir}/vocab.json", "--do_lower_case"], 1, "--do_lower_case: is for --kind=wordpiece"),
        (["--vocab_file={dir}/vocab.json", "--num_unused_tokens=9"], 1, "--num_unused_tokens: is for --kind=wordpiece"),
        (["--vocab_file={dir}/vocab.json", "--limit_alphabet=9"], 1, "--limit_alphabet: is for --kind=wordpiece"),
        (["--vocab_file={dir}/vocab.json", "--vocab_size=260"], 1, "no room for 256 bytes"),
        (["--vocab_file={dir}/merges.txt"], 1, "another name was expected, such as vocab.json"),
        (["--vocab_file={dir}/in_the_way/vocab.json"], 1, "merges.txt: is a directory, a file was expected"),
        (["--vocab_file={dir}/vocab.json", "--kind=bpe"], 2, "kind"),
    ],
)
def test_script_names_bad_input_in_one_line(repository, tmp_path, arguments, status, message):
    (tmp_path / "text.txt").write_text("some text\n")
    (tmp_path / "in_the_way" / "merges.txt").mkdir(parents=True)
    arguments = [f"--input_file={tmp_path}/text.txt", *(argument.format(dir=tmp_path) for argument in arguments)]
    done = run_script(repository, *arguments)
    assert done.returncode == status
    error = done.stderr.strip().splitlines()[-1]
    assert error.startswith("error: ") and message in error
    assert not (tmp_path / "vocab.json").exists()
