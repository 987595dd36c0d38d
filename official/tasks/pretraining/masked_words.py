"""Words that a pretrained model puts in the place of [MASK]: the quickest way to see what it has learnt."""

import random
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from official.models.bert import Bert
from official.tokenization.tokenizer import Tokenizer

MIN_WORDS, MAX_WORDS = 8, 16  # Of a sentence that is shown.


class Gap(NamedTuple):
    """A sentence with one word hidden."""

    before: str
    word: str
    after: str


class Guess(NamedTuple):
    """A word piece, and how likely the model thinks it."""

    token: str
    probability: float


def hide_words(sentences: Sequence[str], tokenizer: Tokenizer, count: int, seed: int) -> list[Gap]:
    """Chooses `count` sentences of moderate length and hides one word in each: one that is a single piece."""
    draw = random.Random(seed)
    gaps = []
    for sentence in draw.sample(sentences, len(sentences)):
        words = [match for match in re.finditer(r"\w+", sentence) if len(match.group()) > 2]
        words = [match for match in words if len(tokenizer.tokenize(match.group())) == 1]
        if MIN_WORDS <= len(sentence.split()) <= MAX_WORDS and words:
            word = draw.choice(words)
            gaps.append(Gap(sentence[: word.start()], word.group(), sentence[word.end() :]))
        if len(gaps) == count:
            break
    return gaps


def guess_words(model: Bert, tokenizer: Tokenizer, gaps: Sequence[Gap], top: int = 5) -> list[list[Guess]]:
    """The `top` most likely words of each gap, the likeliest first."""
    guesses = []
    for gap in gaps:
        before = tokenizer.encode(gap.before)
        ids = [tokenizer.cls_id, *before, tokenizer.mask_id, *tokenizer.encode(gap.after), tokenizer.sep_id]
        inputs = {"input_ids": tf.constant([ids]), "masked_lm_positions": tf.constant([[1 + len(before)]])}
        probabilities = tf.nn.softmax(model(inputs)["mlm_logits"][0, 0]).numpy()  # [V]
        best = np.argsort(-probabilities)[:top]
        guesses.append([Guess(tokenizer.tokens[token], float(probabilities[token])) for token in best])
    return guesses
