"""Byte-level BPE on strings, against transformers' answers and the tokenizers library."""

import pickle
import random

import byte_level_texts as texts
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from official.errors import InputError
from official.tokenization import byte_level
from official.tokenization.byte_level_bpe import SPECIAL_TOKENS, ByteLevelBpeTokenizer, read_merges, write_files

VOCAB, MERGES = texts.vocabulary()
OPTIONS = [
    {"add_prefix_space": prefix_space, "atomic_tokens": atomic_tokens}
    for prefix_space in (False, True)
    for atomic_tokens in ((), texts.ATOMIC)
]
BOTH = [
    (ByteLevelBpeTokenizer(VOCAB, MERGES, **options), texts.library(VOCAB, MERGES, **options)) for options in OPTIONS
]
PLAIN = BOTH[0][0]


@pytest.mark.parametrize("prefix_space, case", [(False, "roberta"), (True, "prefix space")])
def test_ids_and_spans_are_those_of_transformers(prefix_space, case):
    ours = ByteLevelBpeTokenizer(VOCAB, MERGES, add_prefix_space=prefix_space, atomic_tokens=SPECIAL_TOKENS)
    case = texts.GOLDEN["cases"][case]
    for text, ids, offsets in zip(texts.GOLDEN["texts"], case["ids"], case["offsets"]):
        assert ours.encode(text) == ids, text
        found, spans = ours.encode_with_offsets(text)
        assert found == ids
        for (start, end), (their_start, their_end), token in zip(spans, offsets, ours.convert_ids_to_tokens(ids)):
            if start < end and token not in SPECIAL_TOKENS:  # Later parts of a character are empty here.
                assert their_start <= start < end == their_end, (text, token)


@given(text=texts.TEXTS)
def test_any_text_has_the_ids_of_the_library_and_is_read_again(text):
    for ours, theirs in BOTH:
        assert ours.encode(text) == texts.ids_of(theirs, text)
    assert PLAIN.decode(PLAIN.encode(text)) == text


@pytest.mark.parametrize("options", OPTIONS)
def test_gpt2s_own_vocabulary_gives_the_ids_of_the_library(options):
    vocab, merges = texts.real_vocabulary()
    ours, theirs = ByteLevelBpeTokenizer(vocab, merges, **options), texts.library(vocab, merges, **options)
    for text in texts.random_texts(2_000, seed=1):
        assert ours.encode(text) == texts.ids_of(theirs, text), text


def test_published_ids_of_gpt2():
    """From transformers' documentation of GPT2Tokenizer."""
    ours = ByteLevelBpeTokenizer(*texts.real_vocabulary())
    assert ours.encode("Hello world") == [15496, 995]
    assert ours.encode(" Hello world") == [18435, 995]
    assert ours.encode_word("Hello") == [18435]


@pytest.mark.parametrize("seed", range(200))
def test_merges_of_any_order_are_made_in_the_order_of_the_library(seed):
    vocab, merges = texts.random_merges(seed)
    ours, theirs = ByteLevelBpeTokenizer(vocab, merges), texts.library(vocab, merges)
    rng = random.Random(seed)
    for _ in range(50):
        text = "".join(rng.choices("abc", k=rng.randrange(1, 30)))
        assert ours.encode(text) == texts.ids_of(theirs, text), (text, merges)


def test_a_very_long_word_is_merged_in_time():
    ids = PLAIN.encode("ab" * 100_000)
    assert PLAIN.decode(ids) == "ab" * 100_000


@pytest.mark.parametrize(
    "names, pattern",
    [(byte_level.LETTER, r"\p{L}"), (byte_level.DIGIT, r"\p{N}"), (byte_level.SPACE + byte_level.WHITE, r"\s")],
)
def test_every_character_has_the_class_that_the_library_gives_it(names, pattern):
    others = pre_tokenizers.Split(Regex(f"[^{pattern}]"), "removed")
    for first in [point for point in range(0, 0x110000, 0x800) if point != 0xD800]:
        block = "".join(map(chr, range(first, first + 0x800)))
        theirs = {place for _, span in others.pre_tokenize_str(block) for place in range(*span)}
        assert {place for place in range(0x800) if byte_level.class_of(block[place]) in names} == theirs, hex(first)


@given(text=texts.TEXTS)
def test_spans_are_those_of_the_library_where_these_do_not_overlap(text):
    for ours, theirs in BOTH[:2]:
        expected, reached = [], 0
        encoded = theirs.encode(text, add_special_tokens=False)
        for (start, end), token in zip(encoded.offsets, encoded.tokens):
            if token == "<mask>":
                start = end - len("<mask>")  # Theirs takes in the white space before it.
            span = max(start, reached), max(end, reached)
            expected.append(span)
            reached = span[1]
        assert ours.encode_with_offsets(text) == (encoded.ids, expected)


@given(text=st.text(st.sampled_from(" \ud800\udc00ab é各'sx\n"), max_size=20))
def test_spans_never_overlap_or_go_back(text):
    for ours, _ in BOTH:
        for ids, spans in (ours.encode_with_offsets(text), ours.encode_word_with_offsets(text)):
            flat = [place for span in spans for place in span]
            assert flat == sorted(flat) and len(ids) == len(spans)
            assert all(0 <= start <= end <= len(text) for start, end in spans)
        assert ours.encode_with_offsets(text)[0] == ours.encode(text)
        assert ours.encode_word_with_offsets(text)[0] == ours.encode_word(text)


@pytest.mark.parametrize(
    "text, tokens, spans",
    [
        ("the fe", ["the", "Ġf", "e"], [(0, 3), (4, 5), (5, 6)]),
        ("ø", ["Ã", "¸"], [(0, 1), (1, 1)]),
        ("  ", ["Ġ", "Ġ"], [(1, 1), (2, 2)]),
        ("a\ud800b\udc00 f\ud800", ["a", "b", "Ġf"], [(0, 1), (2, 3), (5, 6)]),
    ],
)
def test_spans_hold_no_spaces_and_a_character_only_once(text, tokens, spans):
    vocab = {token: index for index, token in enumerate([*byte_level.SPELLED, "th", "the", "Ġf"])}
    ours = ByteLevelBpeTokenizer(vocab, [("t", "h"), ("th", "e"), ("Ġ", "f")])
    ids, found = ours.encode_with_offsets(text)
    assert (ours.convert_ids_to_tokens(ids), found) == (tokens, spans)


@given(data=st.binary(max_size=30))
def test_bytes_that_are_no_text_are_left_out(data):
    assert PLAIN.encode(data) == PLAIN.encode(data.decode("utf-8", errors="ignore"))
    assert PLAIN.encode_with_offsets(data) == PLAIN.encode_with_offsets(data.decode("utf-8", errors="ignore"))


def test_halves_of_characters_are_left_out():
    assert PLAIN.encode("the\ud83d fox") == PLAIN.encode("the fox")


def test_words_stand_behind_a_space():
    assert PLAIN.encode_word("foxes") == PLAIN.encode(" foxes") != PLAIN.encode("foxes")
    assert PLAIN.encode_word_with_offsets("foxes")[1][0][0] == 0
    assert PLAIN.encode_word("") == []
    spaced = ByteLevelBpeTokenizer(VOCAB, MERGES, add_prefix_space=True)
    assert spaced.encode("foxes\nfoxes") == PLAIN.encode(" foxes\nfoxes")


def test_only_tokens_without_a_space_continue_a_word():
    ours = PLAIN.with_atomic_tokens("<x1>")
    continuation = dict(zip(ours.tokens, ours.continuation))
    assert ours.continuation.dtype == np.bool_ and len(ours.continuation) == ours.vocab_size
    assert continuation["e"] and continuation[","] and not continuation["Ġ"] and not continuation["Ġthe"]
    assert not any(continuation[token] for token in texts.ATOMIC)


def test_special_tokens_are_text_until_they_are_named():
    assert PLAIN.mask_id not in PLAIN.encode("a <mask>.") and PLAIN.decode(PLAIN.encode("<s>")) == "<s>"
    ours = PLAIN.with_atomic_tokens("<mask>")
    assert ours.encode("a <mask>.") == [VOCAB["a"], VOCAB["<mask>"], VOCAB["."]]
    assert ours.encode_with_offsets("a \n<mask>.")[1] == [(0, 1), (3, 9), (9, 10)]
    assert ours.sep_id not in ours.encode("</s>")
    assert PLAIN.atomic_tokens == () and ours.with_atomic_tokens("<s>").atomic_tokens == ("<mask>", "<s>")


def test_layout_and_special_tokens_are_robertas():
    assert [PLAIN.cls_id, PLAIN.pad_id, PLAIN.sep_id, PLAIN.unk_id] == [0, 1, 2, 3]
    assert PLAIN.layout.special_tokens == 4 and not PLAIN.layout.segments


def test_bytes_that_the_vocabulary_lacks_are_left_out_as_in_transformers():
    case = texts.GOLDEN["cases"]["few bytes"]
    model = case["files"]["tokenizer.json"]["model"]
    tokenizer = ByteLevelBpeTokenizer(model["vocab"], model["merges"], atomic_tokens=SPECIAL_TOKENS, strips_left=())
    assert [tokenizer.encode(text) for text in texts.GOLDEN["texts"]] == case["ids"]
    for text, ids in zip(texts.GOLDEN["texts"], case["ids"]):
        assert tokenizer.encode_with_offsets(text)[0] == ids


def test_files_are_read_as_they_were_written(tmp_path):
    paths = str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt")
    write_files(PLAIN, *paths)
    again = ByteLevelBpeTokenizer.from_files(*paths, add_prefix_space=True)
    assert (again.vocab, again.merges, again.vocab_file) == (PLAIN.vocab, PLAIN.merges, paths[0])
    assert again.add_prefix_space


def test_another_process_gets_the_same_tokenizer():
    ours = pickle.loads(pickle.dumps(BOTH[3][0]))
    for text in texts.GOLDEN["texts"]:
        assert ours.encode(text) == BOTH[3][0].encode(text)


@pytest.mark.parametrize(
    "vocab, merges, options, message",
    [
        ({"a": 0, "b": 1}, [("a", "b")], {}, "merge 0, 'a' 'b': 'ab' is not in the vocabulary"),
        ({"a": 0, "b": 0}, [], {}, "'a' and 'b' have the same id, 0"),
        ({"a": "0"}, [], {}, "the id of 'a' is '0'"),
        ({"a": -1}, [], {}, "a whole number below 2"),
        ({"a": 2}, [], {}, "a whole number below 2"),
        ({"a": True}, [], {}, "is True"),
        ({"\ud800": 0}, [], {}, "half a character"),
        ({"a": 0}, [], {"atomic_tokens": ["b"]}, "the vocabulary has no b"),
        ({"a b": 0}, [], {"atomic_tokens": ["a b"]}, "without white space"),
        ({"": 0}, [], {"atomic_tokens": [""]}, "without white space"),
    ],
)
def test_what_does_not_fit_together_is_named(vocab, merges, options, message):
    with pytest.raises(InputError) as error:
        ByteLevelBpeTokenizer(vocab, merges, **options)
    assert message in str(error.value)


@pytest.mark.parametrize("line", ["a", "a b c", " a", "a ", ""])
def test_a_line_that_is_no_merge_is_named(tmp_path, line):
    path = tmp_path / "merges.txt"
    path.write_text(f"#version: 0.2\na b\n{line}\nc d\n")
    with pytest.raises(InputError) as error:
        read_merges(str(path))
    assert str(error.value) == f"{path}: line 3 is {line!r}: two tokens with a space between were expected"


@pytest.mark.parametrize("content", ["{", "[]", "[" * 100_000])
def test_a_vocabulary_that_is_none_is_named(tmp_path, content):
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_text(content if name == "vocab.json" else "")
    with pytest.raises(InputError, match="vocab.json: (not JSON|a JSON object)"):
        ByteLevelBpeTokenizer.from_files(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
