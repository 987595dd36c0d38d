"""The token ids of an export are those of the Python tokenizer, whatever the text."""

import random

import numpy as np

from official.tasks.classification.classification_examples import Example
from official.tasks.classification.classification_features import token_rows
from tests.official.serving import programs, small_models
from tests.official.tokenization.tokenizer_texts import random_text, random_texts

COUNT = 10_000
LENGTH = small_models.CONFIG.max_position_embeddings


def expected_rows(pairs):
    """Token ids and segments as run_classifier.py has them, padded: int [B, T]."""
    examples = [Example("", (pair,), None, "") for pair in pairs]
    rows = list(token_rows(examples, small_models.TOKENIZER, LENGTH))
    width = max(len(ids) for ids, _ in rows)
    padded = {name: np.zeros((len(rows), width), np.int32) for name in ("input_ids", "segment_ids", "input_mask")}
    for number, (ids, segments) in enumerate(rows):
        for name, values in (("input_ids", ids), ("segment_ids", segments), ("input_mask", [1] * len(ids))):
            padded[name][number, : len(ids)] = values
    return padded


def assert_same(found, expected):
    assert set(found) == set(expected)
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, name)


def test_ten_thousand_odd_texts_have_the_ids_of_the_python_tokenizer(exported, session):
    texts = random_texts(COUNT // 2, 1) + [" ".join(random_texts(8, 2 + seed)) for seed in range(COUNT // 2)]
    (found,) = session(exported("classifier"), [("tokenize", {"text": programs.strings(*texts)})])
    assert_same(found, expected_rows([(text, None) for text in texts]))


def test_pairs_of_them_are_cut_as_the_run_script_cuts_them(exported, session):
    rng = random.Random(3)
    pairs = [tuple("".join(random_text(rng) for _ in range(rng.choice((0, 2, 6)))) for _ in "ab") for _ in range(2_000)]
    text_a, text_b = (programs.strings(*column) for column in zip(*pairs))
    (found,) = session(exported("regression"), [("tokenize", {"text_a": text_a, "text_b": text_b})])
    expected = expected_rows(pairs)
    cut = expected["input_mask"].all(axis=1)
    assert 0.05 < cut.mean() < 0.95
    assert_same(found, expected)
