"""The graph face against the published algorithm and the string face."""

import functools
import random

import published_tokenizer as published
import pytest
import tokenizer_texts as texts
from hypothesis import given, settings
from hypothesis import strategies as st

tf = pytest.importorskip("tensorflow")

from official.tokenization.wordpiece import WordPieceTokenizer  # noqa: E402
from official.tokenization.wordpiece_graph import GraphWordPieceTokenizer  # noqa: E402

VOCAB = texts.ids_of(texts.pieces_of_everything())


def both_faces(vocab, **options):
    tokenizer = WordPieceTokenizer(vocab, **options)
    graph = GraphWordPieceTokenizer(tokenizer)
    return tokenizer, tf.function(graph.__call__, input_signature=[tf.TensorSpec([None], tf.string)])


@functools.cache
def uncased():
    """Both faces, made when the first test needs them: TensorFlow's devices may not be settled at import."""
    return both_faces(VOCAB)


def uncased_tokenizer():
    return uncased()[0]


def uncased_graph(strings):
    return uncased()[1](strings)


def disagreements(expected, graph, lines, batch=20_000):
    for start in range(0, len(lines), batch):
        part = lines[start : start + batch]
        for line, ids in zip(part, graph(tf.constant(part)).to_list()):
            if ids != expected(line):
                yield line, ids, expected(line)


@pytest.mark.parametrize("options", texts.OPTIONS)
def test_random_strings_get_the_published_ids(options):
    _, graph = both_faces(VOCAB, **options)
    lines = texts.random_texts(20_000, seed=3)
    assert not list(disagreements(lambda line: published.ids(line, VOCAB, **options), graph, lines))


@pytest.mark.slow
@pytest.mark.parametrize("options", texts.OPTIONS)
def test_hundred_thousand_random_strings_get_the_published_ids(options):
    _, graph = both_faces(VOCAB, **options)
    lines = texts.random_texts(100_000, seed=4)
    assert not list(disagreements(lambda line: published.ids(line, VOCAB, **options), graph, lines))


def normalised_words(graph_tokenizer, strings):
    """The words that the graph makes, before they are cut into pieces."""
    points = graph_tokenizer._decode(tf.constant(strings))
    words, _ = graph_tokenizer._split_words(graph_tokenizer._normalize(points))
    return words.to_list()


@texts.assigned_and_slowly_the_others
@pytest.mark.parametrize("options", texts.OPTIONS)
def test_every_code_point_becomes_the_same_words(options, assigned):
    tokenizer = WordPieceTokenizer(VOCAB, **options)
    graph = GraphWordPieceTokenizer(tokenizer)
    probes = texts.code_point_probes(assigned)
    for start in range(0, len(probes), 200_000):
        part = probes[start : start + 200_000]
        for probe, words in zip(part, normalised_words(graph, part)):
            assert [word.decode() for word in words] == tokenizer.basic.tokenize(probe), ascii(probe)


@pytest.mark.parametrize("options", texts.OPTIONS)
def test_english_and_korean_get_the_same_ids(shared, options):
    lines = texts.real_lines(shared, 3000)
    words = WordPieceTokenizer(VOCAB, **options).basic.tokenize
    tokenizer, graph = both_faces(texts.ids_of(texts.pieces_of(lines, words)), **options)
    assert not list(disagreements(tokenizer.encode, graph, lines))


@given(batch=st.lists(st.text(st.one_of(st.sampled_from(texts.CORNERS), st.characters(exclude_categories=["Cs"])))))
@settings(max_examples=200, deadline=None)
def test_any_batch_gets_the_ids_of_its_strings(batch):
    assert uncased_graph(tf.constant(batch, tf.string)).to_list() == [
        uncased_tokenizer().encode(text) for text in batch
    ]


@given(batch=st.lists(st.binary(max_size=30)))
@settings(max_examples=200, deadline=None)
def test_any_bytes_get_the_same_ids(batch):
    assert uncased_graph(tf.constant(batch, tf.string)).to_list() == [
        uncased_tokenizer().encode(data) for data in batch
    ]


@pytest.mark.parametrize("atomic_tokens", [(), ("[MASK]",)])
def test_broken_utf8_gets_the_same_ids(atomic_tokens):
    rng = random.Random(5)
    parts = [bytes([b]) for b in b"a \x80\xbf\xc0\xc3\xe0\xa0\xed\x9f\xe4\xb8\xf0\x90\xf4\x8f\xf5\xff\x00"]
    lines = [b"".join(rng.choices(parts, k=rng.randrange(12))) for _ in range(20_000)]
    tokenizer, graph = both_faces(VOCAB, atomic_tokens=atomic_tokens)
    assert not list(disagreements(tokenizer.encode, graph, lines))


@pytest.mark.parametrize("options", texts.OPTIONS)
def test_atomic_tokens_stay_whole_as_on_strings(options):
    atomic_tokens = ("[MASK]", "<s>", "<s><s>", "7", "Σ", "各x")
    vocab = dict(VOCAB) | {token: len(VOCAB) + index for index, token in enumerate(atomic_tokens)}
    tokenizer, graph = both_faces(vocab, atomic_tokens=atomic_tokens, **options)
    rng = random.Random(6)
    parts = [*atomic_tokens, *atomic_tokens, "[MASK", "Α", "a", "Σ", " ", "\u200b", "\x01", "\x020\x02", "0", "s>"]
    parts.append("[MA\u00adSK]")
    lines = ["".join(rng.choices(parts, k=rng.randrange(10))) for _ in range(5_000)]
    assert not list(disagreements(tokenizer.encode, graph, lines))


@pytest.mark.parametrize("letter", ["a", "é", "中", "ᄒ", "𐐨"])
@pytest.mark.parametrize("length", [1, 199, 200, 201, 5000])
def test_words_are_measured_in_characters(letter, length):
    text = "x " + letter * length + " y"
    assert uncased_graph(tf.constant([text])).to_list() == [uncased_tokenizer().encode(text)]


def test_strings_do_not_touch_each_other_in_a_batch():
    lines = ["Α", "Σ", "\u0301\U0001d172", "\U0001d165a", "", "b", "ab", "##c", "Σ\u0345", "Α"]
    assert uncased_graph(tf.constant(lines)).to_list() == [uncased_tokenizer().encode(line) for line in lines]


def test_odd_vocabularies_give_the_same_ids():
    tokens = ["", "##", "###", "[UNK]", "a", "b b", "a", "##b\x00", "\ud800", "####b", "##c", "Z", "c\u0301", "##"]
    tokenizer, graph = both_faces(texts.ids_of(tokens))
    lines = ["a ##c ac b b ab z c\u0301 ##b #", "aa", "acc"]
    assert graph(tf.constant(lines)).to_list() == [tokenizer.encode(line) for line in lines]


@pytest.mark.parametrize("seed", range(20))
def test_dense_random_vocabularies_give_the_longest_matches(seed):
    rng = random.Random(seed)
    words = ["".join(rng.choices("abc", k=rng.randrange(1, 7))) for _ in range(rng.randrange(2, 60))]
    tokens = dict.fromkeys(["[UNK]", *(rng.choice(("", "##")) + word for word in words)])
    vocab = texts.ids_of(list(tokens))
    _, graph = both_faces(vocab)
    lines = [" ".join("".join(rng.choices("abc", k=rng.randrange(1, 12))) for _ in range(20)) for _ in range(100)]
    assert graph(tf.constant(lines)).to_list() == [published.ids(line, vocab) for line in lines]


@pytest.mark.parametrize("lines", [[], [""], ["", " ", "\u0301", "\u200b"]])
def test_empty_input_gives_empty_rows(lines):
    ids = uncased_graph(tf.constant(lines, tf.string))
    assert ids.dtype == tf.int32
    assert ids.to_list() == [[] for _ in lines]


def test_exported_model_gives_the_same_ids(tmp_path):
    tokenizer = WordPieceTokenizer(VOCAB, atomic_tokens=("[MASK]",))
    module = tf.Module()
    module.tokenizer = GraphWordPieceTokenizer(tokenizer)
    signature = [tf.TensorSpec([None], tf.string)]
    module.ids = tf.function(lambda strings: module.tokenizer(strings).to_tensor(), input_signature=signature)
    tf.saved_model.save(module, str(tmp_path / "model"))
    lines = texts.random_texts(300, seed=8) + ["a[MASK]b ΑΣ"]
    ids = tf.saved_model.load(str(tmp_path / "model")).ids(tf.constant(lines)).numpy()
    expected = tf.ragged.constant([tokenizer.encode(line) for line in lines], tf.int32).to_tensor().numpy()
    assert ids.tolist() == expected.tolist()


def test_every_character_beside_a_sigma_decides_its_form():
    neighbours = [probe[1] for probe in texts.code_point_probes(assigned=True)]
    lines = [text for c in neighbours for text in (f"Α{c}Σ", f"ΑΣ{c}Α")]
    graph = GraphWordPieceTokenizer(WordPieceTokenizer(VOCAB))
    expected = [uncased_tokenizer().basic.tokenize(line) for line in lines]
    assert [[word.decode() for word in words] for words in normalised_words(graph, lines)] == expected
