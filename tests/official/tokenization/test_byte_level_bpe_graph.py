"""Byte-level BPE in the graph against the string face, which is tested against the library."""

import functools
import json
import random
import subprocess
import sys

import byte_level_texts as texts
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

tf = pytest.importorskip("tensorflow")

from official.tokenization.byte_level_bpe import ByteLevelBpeTokenizer  # noqa: E402
from official.tokenization.byte_level_bpe_graph import GraphByteLevelBpeTokenizer  # noqa: E402

OPTIONS = [{}, {"add_prefix_space": True, "atomic_tokens": texts.ATOMIC, "strips_right": ("<x1>",)}]
EVERYWHERE = list(range(len(OPTIONS)))


def both_faces(vocab, merges, **options):
    tokenizer = ByteLevelBpeTokenizer(vocab, merges, **options)
    graph = GraphByteLevelBpeTokenizer(tokenizer)
    return tokenizer, tf.function(graph.__call__, input_signature=[tf.TensorSpec([None], tf.string)])


@functools.cache
def faces(number):
    """Made when the first test needs them: TensorFlow's devices may not be settled at import."""
    return both_faces(*texts.vocabulary(), **OPTIONS[number])


def disagreements(tokenizer, graph, lines, batch=5_000):
    for start in range(0, len(lines), batch):
        part = lines[start : start + batch]
        for line, ids in zip(part, graph(tf.constant(part, tf.string)).to_list()):
            if ids != tokenizer.encode(line):
                yield line, ids, tokenizer.encode(line)


@pytest.mark.parametrize("number", EVERYWHERE)
def test_random_texts_get_the_ids_of_the_string_face(number):
    assert not list(disagreements(*faces(number), texts.random_texts(5_000, seed=2)))


@pytest.mark.parametrize("number", EVERYWHERE)
@given(batch=st.lists(texts.TEXTS))
@settings(max_examples=100, deadline=None)
def test_any_batch_gets_the_ids_of_its_texts(number, batch):
    assert not list(disagreements(*faces(number), batch))


@pytest.mark.parametrize("number", EVERYWHERE)
@given(batch=st.lists(st.binary(max_size=30)))
@settings(max_examples=100, deadline=None)
def test_any_bytes_get_the_same_ids(number, batch):
    assert not list(disagreements(*faces(number), batch))


@pytest.mark.parametrize("number", EVERYWHERE)
def test_broken_utf8_gets_the_same_ids(number):
    rng = random.Random(5)
    parts = [bytes([b]) for b in b"a' \x80\xbf\xc0\xc3\xe0\xa0\xed\x9f\xe4\xb8\xf0\x90\xf4\x8f\xf5\xfe\xff\x00"]
    parts += [b"<mask>", b"\xef\xbb\xbf"]
    lines = [b"".join(rng.choices(parts, k=rng.randrange(12))) for _ in range(10_000)]
    assert not list(disagreements(*faces(number), lines))


@pytest.mark.parametrize("number", EVERYWHERE)
def test_every_character_parts_text_as_on_strings(number):
    points = [point for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    lines = [f"a{chr(point)}{chr(point)}1 {chr(point)}'s" for point in points if point < 0x3100 or point % 211 == 0]
    tokenizer, graph = faces(number)
    assert not list(disagreements(tokenizer, graph, lines, batch=20_000))


@pytest.mark.parametrize("options", OPTIONS)
def test_gpt2s_own_vocabulary_gives_the_same_ids(options):
    tokenizer, graph = both_faces(*texts.real_vocabulary(), **options)
    assert not list(disagreements(tokenizer, graph, texts.random_texts(3_000, seed=3)))


@pytest.mark.parametrize("seed", range(6))
def test_merges_of_any_order_are_made_in_the_same_order(seed):
    tokenizer, graph = both_faces(*texts.random_merges(seed))
    rng = random.Random(seed)
    lines = ["".join(rng.choices("abc", k=rng.randrange(1, 30))) for _ in range(1_000)]
    assert not list(disagreements(tokenizer, graph, lines))


def test_a_merge_that_an_earlier_one_goes_on_from_is_made_alone():
    vocab = {token: index for index, token in enumerate(["a", "b", "c", "ab", "bc", "abc", "abca"])}
    merges = [("b", "c"), ("abc", "a"), ("a", "bc")]
    tokenizer, graph = both_faces(vocab, merges)
    assert tokenizer.convert_ids_to_tokens(tokenizer.encode("abcabc")) == ["abca", "bc"]
    assert texts.ids_of(texts.library(vocab, merges), "abcabc") == tokenizer.encode("abcabc")
    assert not list(disagreements(tokenizer, graph, ["abcabc", "abcabcabc", "bcabcaabc"]))


def test_long_words_and_many_texts_go_together():
    rng = random.Random(4)
    lines = ["x" * 300, "ab" * 5_000, "", " ", "".join(rng.choices("the foxsjumped", k=3_000)), "\u0e17" * 300]
    assert not list(disagreements(*faces(0), lines + texts.random_texts(50, seed=6)))


@pytest.mark.parametrize("number", EVERYWHERE)
@pytest.mark.parametrize("lines", [[], [""], ["", " ", "\x00"], [b"\xff"]])
def test_empty_texts_give_empty_rows(number, lines):
    tokenizer, graph = faces(number)
    ids = graph(tf.constant(lines, tf.string))
    assert ids.dtype == tf.int32
    assert ids.to_list() == [tokenizer.encode(line) for line in lines]


def test_words_stand_behind_a_space():
    tokenizer, _ = faces(0)
    words = ["foxes", "'s", "1", "", "é", "</s>"]
    ids = GraphByteLevelBpeTokenizer(tokenizer).tokenize_words(tf.constant(words))
    assert ids.to_list() == [tokenizer.encode_word(word) for word in words]


SERVE = """
import json, sys
import tensorflow as tf
with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    signature = tf.compat.v1.saved_model.load(session, ["serve"], sys.argv[1]).signature_def["serving_default"]
    texts = [bytes(text) for text in json.load(sys.stdin)]
    names = {key: tensor.name for key, tensor in signature.outputs.items()}
    ids = session.run(names, {signature.inputs["texts"].name: texts})
    print(json.dumps({key: value.tolist() for key, value in ids.items()}))
"""


@pytest.mark.parametrize("number", EVERYWHERE)
def test_exported_model_gives_the_same_ids_in_a_session(number, tmp_path):
    tokenizer, _ = faces(number)
    module = tf.Module()
    module.tokenize = GraphByteLevelBpeTokenizer(tokenizer)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "texts")])
    def serve(strings):
        ids = module.tokenize(strings)
        return {"ids": ids.values, "splits": ids.row_splits}

    tf.saved_model.save(module, str(tmp_path / "model"), signatures=serve)
    lines = [text.encode() for text in [*texts.GOLDEN["texts"], *texts.random_texts(2_000, seed=7)]] + [b"\xffa\xf0"]
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(tmp_path / "model")],
        input=json.dumps([list(line) for line in lines]),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    splits = answer["splits"]
    ids = [answer["ids"][start:end] for start, end in zip(splits, splits[1:])]
    assert ids == [tokenizer.encode(line) for line in lines]
