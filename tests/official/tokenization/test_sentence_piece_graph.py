"""SentencePiece in the graph against the string face, through an exported model in a Session too."""

import functools
import json
import random
import subprocess
import sys

import pytest
import sentence_piece_cases as cases
import tokenizer_texts
from hypothesis import given, settings
from hypothesis import strategies as st

tf = pytest.importorskip("tensorflow")

from official.errors import InputError  # noqa: E402
from official.tokenization.sentence_piece import SentencePieceTokenizer  # noqa: E402
from official.tokenization.sentence_piece_graph import GraphSentencePieceTokenizer  # noqa: E402

BATCH = 5_000


@functools.cache
def both_faces(name):
    """Made when the first test needs them: TensorFlow's devices may not be settled at import."""
    tokenizer = SentencePieceTokenizer(cases.MODEL, **cases.OPTIONS[name])
    graph = GraphSentencePieceTokenizer(tokenizer)
    return tokenizer, tf.function(graph.__call__, input_signature=[tf.TensorSpec([None], tf.string)])


def disagreements(name, lines):
    tokenizer, graph = both_faces(name)
    for start in range(0, len(lines), BATCH):
        part = lines[start : start + BATCH]
        for line, ids in zip(part, graph(tf.constant(part)).to_list()):
            if ids != tokenizer.encode(line):
                yield line, ids


@pytest.mark.parametrize("name", cases.OPTIONS)
def test_odd_texts_get_the_same_ids(name):
    assert not list(disagreements(name, cases.texts(5_000, seed=1)))


@pytest.mark.slow
@pytest.mark.parametrize("name", cases.OPTIONS)
def test_hundred_thousand_odd_texts_get_the_same_ids(name):
    assert not list(disagreements(name, cases.texts(50_000, seed=2)))


@pytest.mark.parametrize("name", ["published", "uncased with accents"])
@tokenizer_texts.assigned_and_slowly_the_others
def test_every_code_point_gets_the_same_ids(name, assigned):
    assert not list(disagreements(name, tokenizer_texts.code_point_probes(assigned)))


def test_every_character_beside_a_sigma_decides_its_form():
    neighbours = [probe[1] for probe in tokenizer_texts.code_point_probes(assigned=True)]
    lines = [text for c in neighbours for text in (f"Α{c}Σ", f"ΑΣ{c}Α")]
    tokenizer, _ = both_faces("uncased with accents")
    graph = GraphSentencePieceTokenizer(tokenizer)
    for start in range(0, len(lines), 50_000):
        part = lines[start : start + 50_000]
        assert [text.decode() for text in graph.normalize(tf.constant(part)).numpy()] == [
            tokenizer.rules.apply(line) for line in part
        ]


def test_equal_ways_of_parting_get_the_same_ids():
    """Which of them is taken depends, by rounding, on what stands before."""
    rng = random.Random(4)
    lines = ["".join(rng.choices("00000123,. ", k=rng.randrange(300))) for _ in range(3_000)]
    lines += [rng.choice("aelo0!") * rng.randrange(1, 500) for _ in range(500)]
    assert not list(disagreements("published", lines))


def test_english_and_korean_get_the_same_ids(shared):
    assert not list(disagreements("published", tokenizer_texts.real_lines(shared, 1000)))


@given(batch=st.lists(st.binary(max_size=30)))
@settings(max_examples=200)
@pytest.mark.parametrize("name", ["published", "atomic"])
def test_any_bytes_get_the_same_ids(name, batch):
    tokenizer, graph = both_faces(name)
    assert graph(tf.constant(batch, tf.string)).to_list() == [tokenizer.encode(data) for data in batch]


@pytest.mark.parametrize("name", ["published", "atomic"])
@pytest.mark.parametrize("lines", [[], [""], ["", " ", "\u0301", "\u200b"]])
def test_empty_input_gives_empty_rows(name, lines):
    tokenizer, graph = both_faces(name)
    ids = graph(tf.constant(lines, tf.string))
    assert ids.dtype == tf.int32
    assert ids.to_list() == [tokenizer.encode(line) for line in lines]


def test_a_model_without_a_comma_is_refused():
    from sentencepiece import sentencepiece_model_pb2

    model = sentencepiece_model_pb2.ModelProto.FromString(cases.MODEL)
    kept = [piece for piece in model.pieces if piece.piece != ","]
    del model.pieces[:]
    model.pieces.extend(kept)
    tokenizer = SentencePieceTokenizer(model.SerializeToString())
    assert tokenizer.tokenize("²,") == ["▁", "▁", "2", "<unk>"]  # "2," is a piece,
    assert tokenizer.tokenize("٣,") == ["▁", "▁", "<unk>", "<unk>"]  # "٣," an unknown one.
    with pytest.raises(InputError, match="has no piece ','"):
        GraphSentencePieceTokenizer(tokenizer)


SESSION = """
import json, sys
import tensorflow as tf
import tensorflow_text
directory, lines = sys.argv[1], json.load(sys.stdin)
graph = tf.Graph()
with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
    model = tf.compat.v1.saved_model.load(session, ["serve"], directory)
    signature = model.signature_def["serving_default"]
    feed, fetch = signature.inputs["text"].name, signature.outputs["ids"].name
    print(json.dumps(session.run(fetch, {feed: lines}).tolist()))
"""


@pytest.mark.parametrize("name", ["transformers", "atomic"])
def test_exported_model_gives_the_same_ids_in_a_session(tmp_path, name):
    tokenizer, _ = both_faces(name)
    module = tf.Module()
    module.tokenizer = GraphSentencePieceTokenizer(tokenizer)
    signature = [tf.TensorSpec([None], tf.string, name="text")]
    serve = tf.function(lambda text: {"ids": module.tokenizer(text).to_tensor()}, input_signature=signature)
    tf.saved_model.save(module, str(tmp_path), {"serving_default": serve.get_concrete_function()})
    lines = cases.texts(300, seed=8)
    answer = subprocess.run(
        [sys.executable, "-c", SESSION, str(tmp_path)], input=json.dumps(lines), capture_output=True, text=True
    )
    assert answer.returncode == 0, answer.stderr[-2000:]
    expected = tf.ragged.constant([tokenizer.encode(line) for line in lines], tf.int32).to_tensor().numpy()
    assert json.loads(answer.stdout.splitlines()[-1]) == expected.tolist()
