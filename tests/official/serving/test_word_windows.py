"""Windows over words that are cut in the graph are those that run_ner.py cuts."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from official.serving import word_windows
from official.serving.text_inputs import TextInputs
from official.tasks.tagging.tagging_features import make_features
from tests.official.tasks.squad import squad_texts

TOKENIZER = squad_texts.TOKENIZER
WORDS = [
    "the",
    "foxjumpedovers",
    "abbbbbbbbbb",
    "1999",
    "\u200b",
    "a\ufffd",
    "zebra",
    "(",
    "中国",
    "ab" * 60,
    "##",
    "-",
]
SENTENCES = st.lists(st.lists(st.sampled_from(WORDS), max_size=25), min_size=1, max_size=5)
SIZES = [(3, 1), (5, 1), (8, 3), (16, 14), (64, 31)]  # max_seq_length, doc_stride


@functools.cache
def in_graph(max_seq_length, doc_stride):
    """Words [D] and where sentences begin [B + 1], to windows."""
    texts = TextInputs(TOKENIZER, max_seq_length)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([None], tf.int64)])
    def cut(words, splits):
        ragged = tf.RaggedTensor.from_row_splits(words, splits)
        return word_windows.cut_windows(ragged, texts, doc_stride, TOKENIZER.unk_id)

    return cut


@pytest.mark.parametrize("size", SIZES, ids=str)
@settings(max_examples=40)
@given(sentences=SENTENCES)
def test_windows_are_those_of_the_run_script(size, sentences):
    words = [word.encode() for sentence in sentences for word in sentence]
    splits = np.cumsum([0, *map(len, sentences)])
    found = in_graph(*size)(tf.constant(words, tf.string), tf.constant(splits, tf.int64))
    expected = make_features([sentence for sentence in sentences if sentence] or [["the"]], TOKENIZER, *size)
    real = found.inputs["input_mask"].numpy() > 0
    if not words:
        assert not real.size or not real.any()
        return
    np.testing.assert_array_equal(real.sum(axis=1), np.diff(expected.examples.row_splits))
    np.testing.assert_array_equal(found.inputs["input_ids"].numpy()[real], expected.examples.input_ids)
    begins = np.cumsum([0, *real.sum(axis=1)])
    window, position = found.place.numpy().T
    np.testing.assert_array_equal(begins[window] + position, expected.token)
