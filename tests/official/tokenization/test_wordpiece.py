"""The string face against the published algorithm and against what the original code answered."""

import json
import pickle

import published_tokenizer as published
import pytest
import tokenizer_texts as texts
from hypothesis import given, settings
from hypothesis import strategies as st

from official.errors import InputError
from official.tokenization.wordpiece import SPECIAL_TOKENS, WordPieceTokenizer

VOCAB = texts.ids_of(texts.pieces_of_everything())
TOKENIZERS = {
    (lower, strip): WordPieceTokenizer(VOCAB, lower_case=lower, strip_accents=strip)
    for lower in (True, False)
    for strip in (True, False)
}
any_text = st.text(alphabet=st.one_of(st.sampled_from(texts.CORNERS), st.characters()), max_size=40)


def write(path, content):
    path.write_text(content, encoding="utf-8")
    return str(path)


def disagreements(tokenizer, options, lines):
    return [line for line in lines if tokenizer.encode(line) != published.ids(line, VOCAB, **options)]


@pytest.mark.parametrize(
    "text, words",
    [
        ("Hello, World!", ["hello", ",", "world", "!"]),
        ("  Café naïve\t\n", ["cafe", "naive"]),
        ("un\u00adaf\u200bfable\x00\ufffd", ["unaffable"]),
        ("a\x0bb\x1cc\x85d", ["abcd"]),
        ("a\u2028b\u3000c\u202fd", ["a", "b", "c", "d"]),
        ("東京tower", ["東", "京", "tower"]),
        ("한", ["\u1112\u1161\u11ab"]),
        ("ΑΣ ΑΣΑ Σ ΑΣ.Α", ["ας", "ασα", "σ", "ασ", ".", "α"]),
        ("\u037e\u1fef\u226f", [";", "`", ">"]),
        ("İ", ["i"]),
        ("$5^2 a_b", ["$", "5", "^", "2", "a", "_", "b"]),
        ("[MASK]", ["[", "mask", "]"]),
        ("\u0301", []),
        ("", []),
    ],
)
def test_words_are_normalised_as_published(text, words):
    assert TOKENIZERS[True, True].basic.tokenize(text) == words == published.words(text)


def test_without_stripping_hangul_and_accents_stay_whole():
    assert TOKENIZERS[True, False].basic.tokenize("한국 CAFÉ") == ["한국", "café"]
    assert TOKENIZERS[False, True].basic.tokenize("CAFÉ") == ["CAFE"]


@pytest.mark.parametrize("options", texts.OPTIONS)
@given(text=any_text)
@settings(max_examples=300, deadline=None)
def test_any_text_gets_the_published_ids(options, text):
    tokenizer = TOKENIZERS[options["lower_case"], options.get("strip_accents", options["lower_case"])]
    assert tokenizer.encode(text) == published.ids(text, VOCAB, **options)
    assert tokenizer.encode_with_offsets(text)[0] == tokenizer.encode(text)


@pytest.mark.parametrize("options", texts.OPTIONS)
def test_random_strings_get_the_published_ids(options):
    assert not disagreements(WordPieceTokenizer(VOCAB, **options), options, texts.random_texts(20_000, seed=1))


@pytest.mark.slow
@pytest.mark.parametrize("options", texts.OPTIONS)
def test_hundred_thousand_random_strings_get_the_published_ids(options):
    assert not disagreements(WordPieceTokenizer(VOCAB, **options), options, texts.random_texts(100_000, seed=2))


@texts.assigned_and_slowly_the_others
@pytest.mark.parametrize("options", texts.OPTIONS)
def test_every_code_point_is_treated_as_published(options, assigned):
    basic = WordPieceTokenizer(VOCAB, **options).basic
    for probe in texts.code_point_probes(assigned):
        assert basic.tokenize(probe) == published.words(probe, **options), ascii(probe)


@pytest.mark.parametrize("options", texts.OPTIONS)
def test_english_and_korean_get_the_published_ids(shared, options):
    lines = texts.real_lines(shared, 500)
    vocab = texts.ids_of(texts.pieces_of(lines, lambda line: published.words(line, **options)))
    tokenizer = WordPieceTokenizer(vocab, **options)
    for line in lines:
        ids = published.ids(line, vocab, **options)
        assert tokenizer.encode(line) == ids
        assert tokenizer.encode_with_offsets(line)[0] == ids


def test_original_code_gave_the_same_tokens(golden_bert):
    tokenizer = WordPieceTokenizer.from_file(str(golden_bert / "ckpt" / "vocab.txt"))
    lines = (golden_bert / "features_input.txt").read_text(encoding="utf-8").splitlines()
    answers = (golden_bert / "features.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(answers) > 0
    for line, answer in zip(lines, answers):
        tokens = [feature["token"] for feature in json.loads(answer)["features"]]
        sentences = [tokenizer.tokenize(sentence) for sentence in line.split(" ||| ")]
        while sum(map(len, sentences)) > 32 - 1 - len(sentences):  # Made with max_seq_length 32.
            max(reversed(sentences), key=len).pop()
        assert tokens == ["[CLS]", *(token for sentence in sentences for token in [*sentence, "[SEP]"])]


@pytest.mark.parametrize("length, tokens", [(200, ["a"] + ["##a"] * 199), (201, ["[UNK]"])])
def test_words_beyond_200_characters_are_unknown(length, tokens):
    tokenizer = WordPieceTokenizer(texts.ids_of([*SPECIAL_TOKENS, "a", "##a"]))
    assert tokenizer.tokenize("a" * length) == tokens
    assert tokenizer.tokenize("a\u0301" * length) == tokens


def test_bytes_are_utf8_and_what_is_not_is_left_out():
    assert TOKENIZERS[True, True].encode(b"a\xff\xe4\xb8b") == TOKENIZERS[True, True].encode("ab")


def test_lone_surrogates_are_unknown_words():
    assert TOKENIZERS[True, True].tokenize("a b\ud800 \udfff") == ["a", "[UNK]", "[UNK]"]


@pytest.mark.parametrize(
    "text, tokens",
    [
        ("a [MASK]b", ["a", "[MASK]", "b"]),
        ("[MA\u200bSK][MASK]", ["[MASK]", "[MASK]"]),
        ("[mask]", ["[", "[UNK]", "]"]),
        ("ΑΣ[MASK]", ["[UNK]", "[MASK]"]),
    ],
)
def test_atomic_tokens_stay_whole(text, tokens):
    vocab = {token: index for index, token in enumerate([*SPECIAL_TOKENS, "a", "b", "[", "]"])}
    tokenizer = WordPieceTokenizer(vocab, atomic_tokens=("[MASK]",))
    assert tokenizer.tokenize(text) == tokens
    assert tokenizer.encode_with_offsets(text)[0] == tokenizer.encode(text)


def test_longest_atomic_token_wins():
    vocab = texts.ids_of([*SPECIAL_TOKENS, "<a>", "<a><b>"])
    tokenizer = WordPieceTokenizer(vocab, atomic_tokens=("<a>", "<a><b>"))
    assert tokenizer.tokenize("<a><b><a>") == ["<a><b>", "<a>"]


@pytest.mark.parametrize("tokens", [("",), ("a b",), ("a\u00adb",), ("[NONE]",)])
def test_impossible_atomic_tokens_are_errors(tokens):
    with pytest.raises(InputError):
        WordPieceTokenizer(VOCAB, atomic_tokens=tokens)


@given(text=any_text)
@settings(max_examples=500, deadline=None)
@pytest.mark.parametrize("lower, strip", TOKENIZERS)
def test_spans_stand_in_order_and_normalise_to_their_piece(lower, strip, text):
    tokenizer = TOKENIZERS[lower, strip]
    ids, offsets = tokenizer.encode_with_offsets(text)
    assert ids == tokenizer.encode(text)
    reached = 0
    for token_id, (start, end) in zip(ids, offsets):
        assert reached <= start <= end <= len(text)
        reached = end
    if strip:  # Decomposed characters are shared between pieces; without, only İ becomes two.
        return
    for token_id, (start, end) in zip(ids, offsets):
        if token_id != tokenizer.unk_id and "İ" not in text:
            piece = tokenizer.tokens[token_id].removeprefix("##")
            assert "".join(tokenizer.basic.tokenize(text[start:end])).replace("ς", "σ") == piece.replace("ς", "σ")


@given(text=st.text(alphabet="aéÉe\u0301\u0323ñÑ., 中\u200b\u00ad\x00\u2028", max_size=25))
@settings(max_examples=300, deadline=None)
def test_spans_with_accents_normalise_to_their_piece(text):
    tokenizer = TOKENIZERS[True, True]
    for token_id, (start, end) in zip(*tokenizer.encode_with_offsets(text)):
        if token_id != tokenizer.unk_id:
            assert tokenizer.basic.tokenize(text[start:end]) == [tokenizer.tokens[token_id].removeprefix("##")]


def test_a_very_long_chunk_takes_no_time():
    text = "é" * 100_000 + ".x"
    ids, offsets = TOKENIZERS[True, True].encode_with_offsets(text)
    assert offsets == [(0, 100_000), (100_000, 100_001), (100_001, 100_002)]
    assert TOKENIZERS[True, True].encode(text) == ids


@pytest.mark.parametrize(
    "text, spans",
    [
        ("Café, cafe\u0301!", ["Café", ",", "cafe\u0301", "!"]),
        ("x\u00adca\u200bfe y", ["xca\u200bfe".replace("x", "x\u00ad"), "y"]),
        (" \ufeffcafe\u200b.", ["cafe", "."]),
        ("ZZZ\u0301 cafe", ["ZZZ\u0301", "cafe"]),
        ("東cafe京", ["東", "cafe", "京"]),
    ],
)
def test_spans_are_the_text_a_reader_would_mark(text, spans):
    tokenizer = WordPieceTokenizer(texts.ids_of([*SPECIAL_TOKENS, "cafe", ",", "!", ".", "東", "京"]))
    assert [text[start:end] for start, end in tokenizer.encode_with_offsets(text)[1]] == spans


def test_later_jamo_of_a_syllable_have_empty_spans_at_its_end():
    tokenizer = WordPieceTokenizer(texts.ids_of([*SPECIAL_TOKENS, "ᄒ", "##ᅡ", "##ᆫᄀ", "##ᅮᆨ"]))
    assert tokenizer.encode_with_offsets("한국")[1] == [(0, 1), (1, 1), (1, 2), (2, 2)]


def test_file_is_read_as_published(tmp_path):
    path = write(tmp_path / "vocab.txt", "[PAD]\r\n [UNK] \na\n\n##b\na\n")
    tokenizer = WordPieceTokenizer.from_file(path, lower_case=False)
    assert tokenizer.tokens == ["[PAD]", "[UNK]", "a", "", "##b", "a"]
    assert tokenizer.vocab == {"[PAD]": 0, "[UNK]": 1, "a": 5, "": 3, "##b": 4}
    assert tokenizer.vocab_size == 6
    assert tokenizer.encode("ab A") == [5, 4, 1]
    assert tokenizer.continuation.tolist() == [False] * 4 + [True, False]
    assert tokenizer.vocab_file == path


@pytest.mark.parametrize("content, message", [(None, "no such file"), ("", "is empty"), ("[PAD]\na\n", r"no \[UNK\]")])
def test_unusable_vocabulary_files_are_named(tmp_path, content, message):
    path = tmp_path / "vocab.txt"
    if content is not None:
        write(path, content)
    with pytest.raises(InputError, match=message) as error:
        WordPieceTokenizer.from_file(str(path))
    assert str(path) in str(error.value)


def test_missing_special_tokens_are_named_with_the_file(tmp_path):
    tokenizer = WordPieceTokenizer.from_file(write(tmp_path / "vocab.txt", "[UNK]\n[CLS]\n"))
    assert (tokenizer.unk_id, tokenizer.cls_id) == (0, 1)
    with pytest.raises(InputError, match=r"vocab\.txt: the vocabulary has no \[SEP\], \[MASK\]"):
        tokenizer.require("[CLS]", "[SEP]", "[MASK]")
    for name in ("pad_id", "sep_id", "mask_id"):
        with pytest.raises(InputError):
            getattr(tokenizer, name)


def test_tokens_and_ids_convert_both_ways():
    tokenizer = TOKENIZERS[True, True]
    tokens = tokenizer.tokenize("abc de")
    assert tokenizer.convert_ids_to_tokens(tokenizer.convert_tokens_to_ids(tokens)) == tokens
    with pytest.raises(InputError, match="nonesuch"):
        tokenizer.convert_tokens_to_ids(["nonesuch"])


def test_memory_is_bounded_and_changes_nothing(monkeypatch):
    monkeypatch.setattr("official.tokenization.memory.CAPACITY", 4)
    tokenizer = WordPieceTokenizer(VOCAB)
    text = " ".join(f"{a}{b}{c}" for a in "abc" for b in "abc" for c in "abc") + " " + "a" * 100
    assert tokenizer.encode(text) == published.ids(text, VOCAB)
    assert len(tokenizer._ids_of) <= 4


def test_tokenizer_travels_to_other_processes():
    tokenizer = pickle.loads(pickle.dumps(TOKENIZERS[True, True]))
    assert tokenizer.encode("abc, déf") == TOKENIZERS[True, True].encode("abc, déf")


def test_string_face_needs_no_tensorflow(repository):
    import subprocess
    import sys

    program = "import sys, official.tokenization.wordpiece; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], cwd=repository).returncode == 0
