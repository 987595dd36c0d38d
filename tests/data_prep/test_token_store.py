"""Tokenized text on disk holds what the tokenizer gives, sentence by sentence."""

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data_prep.processes import Workers
from data_prep.token_store import TokenizerOptions, TokenStore, batches, token_dtype, write_store

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
TOKENS = [*SPECIAL, *"abcdefgh.,", *(f"##{c}" for c in "abcdefgh"), "σ", "ς", "日", "##σ"]


@pytest.fixture(scope="module")
def options(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    path.write_text("\n".join(TOKENS) + "\n", "utf-8")
    return TokenizerOptions(str(path))


def stored_documents(directory, lines, options):
    """What is read back: documents of sentences of ids."""
    writer = write_store(str(directory), lines, None, options, Workers(None, 1))
    if not writer.documents:
        return []
    store = TokenStore(str(directory), token_dtype(len(TOKENS)))
    sentences = [store.tokens[a:b].tolist() for a, b in itertools.pairwise(store.sentence_starts)]
    found = [sentences[a:b] for a, b in itertools.pairwise(store.document_starts)]
    assert (writer.documents, writer.sentences, writer.tokens) == (len(found), len(sentences), len(store.tokens))
    assert writer.unknown == np.count_nonzero(store.tokens == 1)
    return found


def published_documents(lines, tokenizer):
    """create_pretraining_data.py:190-209: lines to documents, empty ones removed."""
    documents = [[]]
    for line in lines:
        line = line.strip()
        if not line:
            documents.append([])
        ids = tokenizer.encode(line)
        if ids:
            documents[-1].append(ids)
    return [document for document in documents if document]


AWKWARD = st.sampled_from("abcABΣσ日., \t\xa0\x0b\x1f\u2028\u200b\u0301z")
LINES = st.lists(st.one_of(st.just(""), st.text(AWKWARD), st.text(max_size=20)), max_size=40)


@given(LINES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_a_store_holds_what_the_tokenizer_gives(tmp_path, options, lines):
    assert stored_documents(tmp_path, lines, options) == published_documents(lines, options.make())


@given(st.lists(st.text()), st.integers(1, 500))
def test_batches_keep_every_line_in_order(lines, characters):
    assert [line for batch in batches(lines, characters) for line in batch] == lines


def test_a_batch_is_not_much_larger_than_asked():
    sizes = [sum(map(len, batch)) for batch in batches(("x" * 150 for _ in range(10_000)), 100_000)]
    assert max(sizes) < 120_000


@pytest.mark.parametrize("vocab_size, dtype", [(1, np.uint16), (65536, np.uint16), (65537, np.uint32)])
def test_ids_take_as_few_bytes_as_hold_them(vocab_size, dtype):
    assert token_dtype(vocab_size) == dtype
