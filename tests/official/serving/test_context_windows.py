"""Windows that are cut in the graph are those that run_squad.py cuts."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from official.serving import context_windows
from official.serving.text_inputs import TextInputs
from official.tasks.squad import squad_features
from official.tasks.squad.squad_files import Question
from tests.official.tasks.squad import squad_texts

QUESTIONS = st.lists(st.tuples(squad_texts.TEXTS, squad_texts.TEXTS), min_size=1, max_size=4)
SIZES = [
    squad_features.WindowSize(16, 4, 5),
    squad_features.WindowSize(11, 1, 7),
    squad_features.WindowSize(64, 128, 20),
    squad_features.WindowSize(8, 3, 0),
]


@functools.cache
def in_graph(size):
    """Questions and contexts [B] to windows and context tokens."""
    texts = TextInputs(squad_texts.TOKENIZER, size.max_seq_length)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)] * 2)
    def cut(questions, contexts):
        tokens = context_windows.tokenize_contexts(contexts, texts)
        query = texts.tokenize(questions)
        return context_windows.cut_windows(query, tokens, texts, size.doc_stride, size.max_query_length), tokens

    return cut


def published(pairs, size):
    """The features of the same."""
    tokens = squad_features.tokenize_contexts([context for _, context in pairs], squad_texts.TOKENIZER)
    questions = [Question(str(number), question, number) for number, (question, _) in enumerate(pairs)]
    return squad_features.make_features(questions, tokens, squad_texts.TOKENIZER, size)


@pytest.mark.parametrize("size", SIZES, ids=str)
@settings(max_examples=40)
@given(pairs=QUESTIONS)
@example(pairs=[("who", "")])
@example(pairs=[("", "a"), ("who", "\u200b \u200b"), ("", "")])
@example(pairs=[("the " * 30, "the quick " * 40)])
def test_windows_are_those_of_the_run_script(size, pairs):
    questions, contexts = ([text.encode() for text in column] for column in zip(*pairs))
    windows, tokens = in_graph(size)(tf.constant(questions), tf.constant(contexts))
    expected = published(pairs, size)
    real = windows.inputs["input_mask"].numpy() > 0
    np.testing.assert_array_equal(windows.question, expected.question)
    np.testing.assert_array_equal(real.sum(axis=1), np.diff(expected.row_splits))
    for name in ("input_ids", "segment_ids"):
        np.testing.assert_array_equal(windows.inputs[name].numpy()[real], getattr(expected, name))
        assert not windows.inputs[name].numpy()[~real].any()
    np.testing.assert_array_equal(windows.context_start, expected.context_start)
    position = np.arange(real.shape[1])
    start, end = expected.context_start[:, np.newaxis], expected.context_end[:, np.newaxis]
    np.testing.assert_array_equal(windows.in_context, (position >= start) & (position < end))
    from_, to = expected.max_context[:, :1], expected.max_context[:, 1:]
    np.testing.assert_array_equal(windows.has_most_context, (position >= from_) & (position < to))
    np.testing.assert_array_equal(tokens.ids.row_lengths(), expected.contexts.lengths)


@settings(max_examples=100)
@given(contexts=st.lists(squad_texts.TEXTS, min_size=1, max_size=4))
def test_words_and_characters_are_those_of_the_contexts(contexts):
    size = SIZES[0]
    _, tokens = in_graph(size)(tf.fill([len(contexts)], "who"), tf.constant([text.encode() for text in contexts]))
    words = [word for context in contexts for word in squad_features.split_words(context)]
    assert [word.decode() for word in tokens.words.numpy()] == words
    places = np.concatenate([squad_features.word_starts(context) for context in contexts])
    np.testing.assert_array_equal(tokens.character.numpy()[tokens.word_starts[:-1]], places)
    np.testing.assert_array_equal(np.diff(tokens.word_starts), [len(word) for word in words])
