"""Learning vocabularies: layout, determinism, alphabets, and the command line."""

import collections
import json
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep import vocabulary, word_counts
from data_prep.processes import workers
from data_prep.vocabulary import learn_from_counts, learn_vocabulary
from official.errors import InputError
from official.tokenization.wordpiece import WordPieceTokenizer

SPECIAL = ["[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def invented_lines(count, seed=0, syllables=("ka", "to", "ri", "né", "su", "MO", "an", "東", "한", "글", ", ", "'")):
    rng = random.Random(seed)
    return [" ".join("".join(rng.choices(syllables, k=rng.randrange(1, 4))) for _ in range(8)) for _ in range(count)]


def merged_by_hand(tokens, counts, vocab_size, min_frequency):
    """Byte-pair merging, recounted from scratch at each step; of equal pairs the one whose tokens came first."""
    tokens, words = list(tokens), {}
    ids = {token: index for index, token in enumerate(tokens)}
    for word, count in counts.items():
        words[word] = [ids[c if i == 0 else "##" + c] for i, c in enumerate(word)]
    while len(tokens) < vocab_size:
        pairs = collections.Counter()
        for word, split in words.items():
            for pair in zip(split, split[1:]):
                pairs[pair] += counts[word]
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < min_frequency:
            break
        merged = tokens[best[0]] + tokens[best[1]].removeprefix("##")
        if merged not in ids:
            ids[merged] = len(tokens)
            tokens.append(merged)
        for word, split in words.items():
            joined = []
            for piece in split:
                if joined and (joined[-1], piece) == best:
                    joined[-1] = ids[merged]
                else:
                    joined.append(piece)
            words[word] = joined
    return tokens


@given(
    counts=st.dictionaries(st.text("abc", min_size=1, max_size=6), st.integers(1, 9), min_size=1, max_size=15),
    extra=st.integers(0, 25),
    min_frequency=st.integers(1, 4),
)
@settings(max_examples=150, deadline=None)
def test_merges_are_those_of_a_plain_transcription(counts, extra, min_frequency):
    alphabet = vocabulary.Alphabet(sorted(set("".join(counts))), sorted({c for word in counts for c in word[1:]}))
    tokens = [*vocabulary.reserved_tokens(0), *alphabet.tokens]
    expected = merged_by_hand(tokens, counts, len(tokens) + extra, min_frequency)
    assert vocabulary._merge(tokens, counts, len(tokens) + extra, min_frequency) == expected


@pytest.mark.parametrize("num_unused, first_special", [(0, 1), (3, 4), (99, 100), (994, 100)])
def test_special_and_unused_tokens_stand_where_released_vocabularies_have_them(num_unused, first_special):
    tokens = learn_vocabulary(invented_lines(200), 1200, num_unused_tokens=num_unused)
    assert tokens[0] == "[PAD]"
    assert tokens[first_special : first_special + 4] == SPECIAL
    assert [token for token in tokens if token.startswith("[unused")] == [f"[unused{n}]" for n in range(num_unused)]
    if num_unused == 994:
        assert tokens[104] == "[unused99]" and tokens[998] == "[unused993]"
    assert len(set(tokens)) == len(tokens) <= 1200


def test_same_text_gives_the_same_vocabulary_in_any_order_and_process(monkeypatch):
    monkeypatch.setattr(word_counts, "BATCH_CHARACTERS", 2_000)
    lines = invented_lines(400)
    tokens = learn_vocabulary(lines, 500)
    assert learn_vocabulary(reversed(lines), 500) == tokens
    assert learn_vocabulary(lines, 500, num_workers=2) == tokens
    program = (
        "import sys, json; from data_prep.vocabulary import learn_vocabulary;"
        "print(json.dumps(learn_vocabulary(json.load(sys.stdin), 500)))"
    )
    for hash_seed in ("1", "2"):
        other = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(lines),
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": hash_seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
        )
        assert json.loads(other.stdout) == tokens


def test_words_are_counted_as_the_tokenizer_will_see_them():
    with workers(1) as pool:
        counts = word_counts.count_words(
            ["Café, cafe\u200b!", "東京 " + "x" * 201], lower_case=True, strip_accents=None, workers=pool
        )
    assert counts == {"cafe": 2, ",": 1, "!": 1, "東": 1, "京": 1}


def test_cjk_characters_come_single_and_never_continue_a_word():
    tokens = learn_vocabulary(["東京は日本の首都です"] * 3, 200)
    assert {"東", "京", "日", "本", "首", "都"} <= set(tokens)
    assert not [token for token in tokens if token[-1] in "東京日本首都" and len(token) > 1]


def test_hangul_stays_whole_only_without_accent_stripping():
    lines = ["한국어 문장", "한국어 글"] * 5
    whole = learn_vocabulary(lines, 200, strip_accents=False)
    assert "한국어" in whole and "##국" in whole
    decomposed = learn_vocabulary(lines, 200)
    assert not any("가" <= character <= "힣" for token in decomposed for character in token)
    assert "\u1112" in decomposed


def test_rare_characters_are_left_out_most_frequent_kept():
    counts = {"aab": 5, "ca": 3, "d": 2, "e": 2, "f": 1}
    assert vocabulary.choose_alphabet(counts, 100, 2, None).beginning == ["a", "b", "c", "d", "e"]
    assert vocabulary.choose_alphabet(counts, 100, 1, 4).beginning == ["a", "b", "c", "d"]
    assert vocabulary.choose_alphabet(counts, 100, 1, 3).continuing == ["a", "b"]
    assert vocabulary.choose_alphabet(counts, 8, 1, None).beginning == ["a", "b"]


def test_many_characters_are_kept_when_text_is_made_of_many():
    counts = {chr(0xAC00 + number): 10 for number in range(3000)} | {"\u4e00": 1}
    assert len(vocabulary.choose_alphabet(counts, 30_000, 2, None).beginning) >= 0.9995 * 2999


def test_rarest_words_are_forgotten_when_there_are_too_many(monkeypatch):
    monkeypatch.setattr(word_counts, "MOST_WORDS", 20)
    monkeypatch.setattr(word_counts, "BATCH_CHARACTERS", 100)
    lines = [f"common frequent w{number}" for number in range(200)]
    with workers(1) as pool:
        counts = word_counts.count_words(lines, lower_case=True, strip_accents=None, workers=pool)
    assert counts["common"] == counts["frequent"] == 200
    assert len(counts) <= 20


def test_a_very_large_corpus_is_fed_in_proportion(monkeypatch):
    monkeypatch.setattr(vocabulary, "MOST_FED_CHARACTERS", 1_000)
    fed = collections.Counter(" ".join(vocabulary.repeat({"aaaa": 900, "bbbb": 90, "c": 1})).split())
    assert fed == {"aaaa": 180, "bbbb": 18, "c": 1}


@pytest.mark.parametrize(
    "lines, options, message",
    [
        ([], {}, "no word"),
        (["", " \u200b "], {}, "no word"),
        (["abc"], {"vocab_size": 104}, "no room beside 104"),
        (["abcdef ghijkl"] * 9, {"vocab_size": 110, "limit_alphabet": 12}, "104 reserved ones and 2[0-9] for 12"),
    ],
)
def test_impossible_requests_are_named(lines, options, message):
    with pytest.raises(InputError, match=message):
        learn_vocabulary(lines, **options)


def test_real_text_is_covered(shared):
    lines = (shared / "data" / "corpus_small" / "eltec_small.txt").read_text(encoding="utf-8").split("\n")[:8000]
    with workers(1) as pool:
        counts = word_counts.count_words(lines, lower_case=True, strip_accents=None, workers=pool)
    tokens = learn_from_counts(counts, 4000)
    assert len(tokens) == 4000
    assert {"the", "and", "##ing", "##ed"} <= set(tokens)
    covered = vocabulary.coverage(tokens, counts)
    tokenizer = WordPieceTokenizer({token: index for index, token in enumerate(tokens)})
    ids = [token_id for line in lines for token_id in tokenizer.encode(line)]
    assert covered.pieces == len(ids)
    assert covered.unknown == ids.count(tokenizer.unk_id)
    assert covered.unknown < 0.001 * covered.words


@pytest.mark.parametrize("strip_accents, most_unknown", [(None, 0.002), (False, 0.01)])
def test_korean_text_is_covered(shared, strip_accents, most_unknown):
    lines = (shared / "data" / "nsmc" / "ratings_train.txt").read_text(encoding="utf-8").split("\n")
    with workers(1) as pool:
        counts = word_counts.count_words(lines, lower_case=True, strip_accents=strip_accents, workers=pool)
    covered = vocabulary.coverage(learn_from_counts(counts, 8000), counts)
    assert covered.unknown < most_unknown * covered.words


def run_script(repository, *arguments):
    command = [sys.executable, str(repository / "data_prep" / "build_vocab.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=repository.parent)


def test_script_writes_a_vocabulary_and_says_what_it_covers(repository, tmp_path):
    for part in (0, 1):
        (tmp_path / f"part{part}.txt").write_text("\n".join(invented_lines(100, seed=part)), encoding="utf-8")
    output = tmp_path / "vocab.txt"
    arguments = [f"--input_file={tmp_path}/part*.txt", f"--vocab_file={output}", "--vocab_size=150"]
    arguments.append("--num_unused_tokens=5")
    done = run_script(repository, *arguments, "--num_workers=1")
    assert done.returncode == 0, done.stderr
    assert "150 tokens from" in done.stdout and "[UNK]" in done.stdout
    assert "counting words" in done.stderr
    tokenizer = WordPieceTokenizer.from_file(str(output))
    tokenizer.require("[PAD]", *SPECIAL, "[unused4]")
    assert tokenizer.vocab_size == 150
    assert [path.name for path in tmp_path.iterdir() if "incomplete" in path.name] == []
    first = output.read_bytes()
    assert run_script(repository, *arguments, "--num_workers=2").returncode == 0
    assert output.read_bytes() == first


def test_script_reads_json_lines(repository, tmp_path):
    objects = [json.dumps({"body": line}) for line in invented_lines(50)]
    (tmp_path / "text.jsonl").write_text("\n".join(objects), encoding="utf-8")
    done = run_script(
        repository,
        f"--input_file={tmp_path}/text.jsonl",
        "--input_format=jsonl",
        "--jsonl_field=body",
        f"--vocab_file={tmp_path}/vocab.txt",
        "--vocab_size=150",
        "--num_workers=1",
    )
    assert done.returncode == 0, done.stderr
    assert WordPieceTokenizer.from_file(str(tmp_path / "vocab.txt")).vocab_size == 150


@pytest.mark.parametrize(
    "arguments, status, message",
    [
        (["--input_file={dir}/none.txt", "--vocab_file={dir}/vocab.txt"], 1, "no file matches"),
        (["--input_file={dir}/empty.txt", "--vocab_file={dir}/vocab.txt"], 1, "there is no word in it"),
        (["--input_file={dir}/text.txt", "--vocab_file={dir}/none/vocab.txt"], 1, "no such directory"),
        (["--input_file={dir}/text.txt", "--vocab_file={dir}"], 1, "is a directory"),
        (["--input_file={dir}/text.txt", "--vocab_file={dir}/text.txt"], 1, "is a file that is read"),
        (["--input_file={dir}/text.txt", "--vocab_file={dir}/vocab.txt", "--vocab_size=50"], 1, "no room"),
        (["--vocab_file={dir}/vocab.txt"], 1, "--input_file"),
        (["--input_file={dir}/text.txt"], 2, "vocab_file"),
        (["--input_file={dir}/text.txt", "--vocab_file={dir}/vocab.txt", "--vocab_size=0"], 2, "vocab_size"),
    ],
)
def test_script_names_bad_input_in_one_line(repository, tmp_path, arguments, status, message):
    (tmp_path / "empty.txt").write_text("")
    (tmp_path / "text.txt").write_text("some text\n")
    done = run_script(repository, *(argument.format(dir=tmp_path) for argument in arguments))
    assert done.returncode == status
    error = done.stderr.strip().splitlines()[-1]
    assert error.startswith("error: ") and message in error
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "vocab.txt").exists()
