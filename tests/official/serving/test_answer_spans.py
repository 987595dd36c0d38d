"""Answers that are searched in the graph are those that run_squad.py finds for the same logits."""

import functools
import types

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from official.serving.question_answering import QuestionAnswering
from official.tasks.squad import squad_answers, squad_features
from official.tasks.squad.squad_files import Question
from tests.official.tasks.squad import squad_texts

SIZE = squad_features.WindowSize(16, 4, 5)
LIMITS = {"n_best_size": 6, "max_answer_length": 5}
PAIRS = st.lists(st.tuples(squad_texts.TEXTS, squad_texts.TEXTS), min_size=1, max_size=3)
_CYCLE = 101
SPREAD, COARSE = "spread", "coarse"  # Logits of which no two are alike, and such with many that are.


def tables(kind):
    """The logit of a start and of an end for each residue: float32 [2, cycle]."""
    values = np.random.default_rng(1).normal(size=(2, _CYCLE)) * 3
    return (values if kind == SPREAD else np.round(values)).astype(np.float32)


def residue(ids, position):
    return (ids * 31 + position * 17 + 5) % _CYCLE


class Scripted(QuestionAnswering):
    """Logits that follow from token and position alone."""

    def __init__(self, kind: str, **options):
        config = types.SimpleNamespace(
            longest_sequence=SIZE.max_seq_length, vocab_size=squad_texts.TOKENIZER.vocab_size, type_vocab_size=2
        )
        model = types.SimpleNamespace(config=config, weights=[])
        super().__init__(
            model,
            squad_texts.TOKENIZER,
            SIZE.max_seq_length,
            doc_stride=SIZE.doc_stride,
            max_query_length=SIZE.max_query_length,
            **LIMITS,
            **options,
        )
        self.tables = tables(kind)

    def from_tokens(self, inputs):
        where = residue(inputs["input_ids"], tf.range(tf.shape(inputs["input_ids"])[1]))
        return {name: tf.gather(table, where) for name, table in zip(("start_logits", "end_logits"), self.tables)}


@functools.cache
def in_graph(kind, null_answers):
    servable = Scripted(kind, version_2_with_negative=null_answers)
    signature = [tf.TensorSpec([None], tf.string)] * 2
    return [tf.function(each, input_signature=signature) for each in (servable.from_texts, servable.n_best)]


def published(pairs, kind, null_answers):
    """The n best answers, of which the graph's are to be the first."""
    questions = [Question(str(number), question, number) for number, (question, _) in enumerate(pairs)]
    contexts = [context for _, context in pairs]
    tokens = squad_features.tokenize_contexts(contexts, squad_texts.TOKENIZER)
    features = squad_features.make_features(questions, tokens, squad_texts.TOKENIZER, SIZE)
    rows = np.split(features.input_ids, features.row_splits[1:-1]) if len(features.row_splits) > 1 else []
    logits = [[table[residue(row.astype(int), np.arange(len(row)))] for row in rows] for table in tables(kind)]
    options = squad_answers.SearchOptions(version_2_with_negative=null_answers, **LIMITS)
    return list(squad_answers.find_answers(questions, contexts, features, logits, squad_texts.TOKENIZER, options))


def asked(pairs, function):
    questions, contexts = ([text.encode() for text in column] for column in zip(*pairs))
    return {name: value.numpy() for name, value in function(tf.constant(questions), tf.constant(contexts)).items()}


all_kinds = pytest.mark.parametrize(
    ("kind", "null_answers"), [(kind, null) for kind in (SPREAD, COARSE) for null in (False, True)]
)


@all_kinds
@settings(max_examples=60)
@given(pairs=PAIRS)
@example(pairs=[("who", "")])
@example(pairs=[("", "\u200b"), ("who", "the fox jumped over the fox")])
def test_the_best_answer_is_that_of_the_run_script(kind, null_answers, pairs):
    found = asked(pairs, in_graph(kind, null_answers)[0])
    for row, n_best in enumerate(published(pairs, kind, null_answers)):
        text = n_best.text()
        if text == squad_answers.NOTHING and not n_best.texts:
            text = ""
        assert found["answer"][row].decode() == text
        place = n_best.places[n_best.texts.index(text)] if text else (0, 0)
        assert (found["start_char"][row], found["end_char"][row]) == place
        if null_answers:
            assert found["null_odds"][row] == pytest.approx(n_best.null_odds, abs=1e-5)
        if any(n_best.texts):
            best = n_best.texts.index(n_best.best_text)
            assert found["score"][row] == pytest.approx(n_best.start_logits[best] + n_best.end_logits[best], abs=1e-5)
        else:
            assert found["score"][row] == -squad_answers.CERTAIN_ODDS


@all_kinds
@settings(max_examples=60)
@given(pairs=PAIRS)
@example(pairs=[("who", "the " * 60)])
@example(pairs=[("who", "caf\u00e9 " * 60), ("who", "ab of " * 30)])
@example(pairs=[("", "a" * 3), ("who", "\u200b"), ("(", "caf\u00e9 CAFE\u0301 \u00a0 ab")])
def test_the_n_best_answers_are_those_of_the_run_script(kind, null_answers, pairs):
    found = asked(pairs, in_graph(kind, null_answers)[1])
    for row, n_best in enumerate(published(pairs, kind, null_answers)):
        ours = list(zip(n_best.texts, n_best.places, n_best.probabilities(), n_best.start_logits, n_best.end_logits))
        if null_answers:
            probability = next(each[2] for each in ours if not each[0])
            assert found["null_probability"][row] == pytest.approx(probability, abs=1e-6)
            assert found["null_odds"][row] == pytest.approx(n_best.null_odds, abs=1e-5)
            ours = [each for each in ours if each[0]]
        count = found["num_answers"][row]
        assert [text.decode() for text in found["answers"][row]] == [
            *(each[0] for each in ours),
            *[""] * (LIMITS["n_best_size"] - len(ours)),
        ]
        assert count == len(ours)
        places = np.stack([found["start_chars"][row], found["end_chars"][row]], axis=1)[:count].tolist()
        assert places == [list(each[1]) for each in ours]
        assert found["probabilities"][row][:count] == pytest.approx([each[2] for each in ours], abs=1e-6)
        assert found["scores"][row][:count] == pytest.approx([each[3] + each[4] for each in ours], abs=1e-5)
