"""A row's answer does not depend on the other rows, on how many there are, or on padding."""

import numpy as np
import pytest

from official.serving.servable import TOKENS_AT_ONCE, as_examples
from tests.official.serving import programs, small_models

pytestmark = pytest.mark.slow

TEXTS = programs.strings(
    "the quick brown fox",
    "",
    "who sat on the mat? a lazy dog did " * 9,
    "a",
    " \u200b ",
    "[MASK] sat on [MASK]",
    "größer 中国 한 jumped over",
    "what did it see where " * 4,
)
OTHERS = programs.strings(
    "it sat",
    "a dog",
    "",
    "the lazy dog sat on it , and where did it go ? " * 5,
    "x",
    "the mat ( a mat )",
    "fox " * 50,
    "\u200b",
)
ROWS = len(TEXTS)
LONG = programs.strings("the lazy dog sat on the mat . " * 40)
MANY = 40  # Times all rows.


def widest(words: list[list[bytes]]) -> np.ndarray:
    """Rows filled up with "": object [B, D]."""
    filled = np.full((len(words), max(map(len, words))), b"", object)
    for row, of_row in enumerate(words):
        filled[row, : len(of_row)] = of_row
    return filled


def token_inputs(text: np.ndarray, length: int, others: bool) -> dict[str, np.ndarray]:
    """Token ids of texts, padded to the longest."""
    tokenizer = small_models.TOKENIZER
    pieces = [tokenizer.encode(each.decode(errors="ignore"))[: length - 2] for each in text]
    rows = [[tokenizer.cls_id, *ids, tokenizer.sep_id] for ids in pieces]
    shape = len(rows), max(map(len, rows))
    inputs = {name: np.zeros(shape, np.int32) for name in ("input_ids", "input_mask", "segment_ids")}
    for number, row in enumerate(rows):
        inputs["input_ids"][number, : len(row)] = row
        inputs["input_mask"][number, : len(row)] = 1
        inputs["segment_ids"][number, len(row) // 2 : len(row)] = 1
    if others:
        inputs["masked_lm_positions"] = np.stack([np.zeros(len(rows)), [len(row) - 1 for row in rows]], 1).astype("i4")
    return inputs


def requests_for(kind: str, text: np.ndarray, other: np.ndarray) -> list[programs.Request]:
    """The same rows to every signature of a kind."""
    options = small_models.KINDS[kind].options
    tokens = token_inputs(text, options.get("max_seq_length", 64), kind == "fill_mask")
    by_token = [("serving_tokens", tokens), ("serving_examples", {"examples": as_examples(tokens)})]
    if kind.startswith("questions"):
        asked = {"question": other, "context": text}
        return [("serving_default", asked), ("n_best", asked), *by_token]
    if kind == "multiple_choice":
        choices = np.stack([other, text, np.full_like(text, b"the mat")], axis=1)
        return [("serving_default", {"text_a": text, "choices": choices}), *by_token]
    if kind == "regression":
        texts = {"text_a": text, "text_b": other}
        records = {"inputs": as_examples(texts)}
        return [("serving_default", texts), ("regress", records), ("tokenize", texts), *by_token]
    texts = {"text": text}
    if kind == "tagger":
        words = widest([each.split() for each in text])
        return [("serving_default", texts), ("serving_words", {"words": words}), *by_token]
    if kind in ("classifier", "multi_label"):
        return [
            ("serving_default", texts),
            ("classify", {"inputs": as_examples(texts)}),
            ("tokenize", texts),
            *by_token,
        ]
    more = "token_embeddings" if kind == "encoder" else "tokenize"
    return [("serving_default", texts), (more, texts), *by_token]


def assert_same_rows(found: dict[str, np.ndarray], expected: dict[str, np.ndarray], where) -> None:
    """Two answers to the same rows; the larger one may have more padding: 0, or ""."""
    assert set(found) == set(expected)
    for name in found:
        widths = [np.maximum(*sizes) for sizes in zip(found[name].shape[1:], expected[name].shape[1:])]
        one, two = (_filled(values, widths) for values in (found[name], expected[name]))
        if one.dtype.kind == "f":
            np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-6, err_msg=f"{where} {name}")
        else:
            np.testing.assert_array_equal(one, two, f"{where} {name}")


def _filled(values: np.ndarray, widths: list[int]) -> np.ndarray:
    missing = [(0, 0), *((0, width - size) for width, size in zip(widths, values.shape[1:]))]
    return np.pad(values, missing, constant_values=b"" if values.dtype == object else 0)


def batches_for(kind: str) -> list[list[programs.Request]]:
    """Each row alone, all among others, many times all, and none."""
    alone = [requests_for(kind, TEXTS[[row]], OTHERS[[row]]) for row in range(ROWS)]
    company = np.concatenate([LONG, TEXTS[::-1], LONG]), np.concatenate([OTHERS[:1], OTHERS[::-1], OTHERS[:1]])
    many = requests_for(kind, np.tile(TEXTS, MANY), np.tile(OTHERS, MANY))
    nobody = [(name, {key: values[:0] for key, values in inputs.items()}) for name, inputs in alone[0]]
    return [*alone, requests_for(kind, *company), many, nobody]


@pytest.fixture(scope="module")
def answers(exported, session):
    """What each kind answers to each request of each of its batches."""
    asked = {exported(kind): sum(batches_for(kind), []) for kind in small_models.KINDS}
    given, _ = session.exchange(asked)
    found = {}
    for kind in small_models.KINDS:
        outputs = [outputs for error, outputs in given[exported(kind)] if not error]
        assert len(outputs) == len(asked[exported(kind)]), kind
        signatures = len(outputs) // len(batches_for(kind))
        found[kind] = [outputs[first : first + signatures] for first in range(0, len(outputs), signatures)]
    return found


all_kinds = pytest.mark.parametrize("kind", list(small_models.KINDS))


@all_kinds
def test_a_row_is_answered_alike_in_any_company(answers, kind):
    assert ROWS * MANY * 32 > TOKENS_AT_ONCE
    *alone, in_company, among_many, _ = answers[kind]
    for number, (signature, _) in enumerate(batches_for(kind)[0]):
        for row in range(ROWS):
            for where, answer, place in (
                ("reversed", in_company[number], ROWS - row),
                ("among many", among_many[number], row),
                ("at their end", among_many[number], ROWS * (MANY - 1) + row),
            ):
                of_row = {name: values[place : place + 1] for name, values in answer.items()}
                assert_same_rows(of_row, alone[row][number], f"{signature}, row {row} {where}:")


@all_kinds
def test_an_empty_batch_has_an_empty_answer(answers, kind):
    for answer in answers[kind][-1]:
        assert answer and all(len(values) == 0 for values in answer.values())
