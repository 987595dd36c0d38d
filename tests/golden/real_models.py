"""What the real models from PyPI are asked, the same here and in PyTorch, and what of the answers is kept.

Needs numpy only: it is imported by the tests and by the script that runs in an environment with PyTorch.
"""

import math
import pathlib
import re
from collections.abc import Sequence

import numpy as np

# Two segments where there are two texts; lengths differ, so that all but the longest are padded.
TEXTS = (
    ("The cat sat on the mat.",),
    ("BERT is a bidirectional encoder.", "It is pretrained on two tasks at once."),
    ("Who wrote Pride and Prejudice?", "Jane Austen published the novel anonymously in 1813."),
    ("The café in Zürich served crème brûlée for 7.50 francs.",),
    ("unbelievably, antidisestablishmentarianism is tokenized into pieces",),
    ("Is it raining?", "Take an umbrella: the forecast says 90% by noon, and the wind is rising from the west."),
    ("Yes.",),
    ("Water boils at 100 °C at sea level", "but at about 71 °C on the summit of Mount Everest"),
    ("He didn't know whether to laugh or to cry, so he did both at once, loudly and for a long time.",),
    ("東京 is the capital of Japan.", "Seoul is the capital of South Korea."),
    ("x = (a + b) * c - d / 2",),
    ("All happy families are alike;", "every unhappy family is unhappy in its own way."),
)
# https://sbert.net/docs/quickstart.html: three sentences, and the cosine similarities that the page prints.
CARD_SENTENCES = ("The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium.")
CARD_COSINES = ((1.0, 0.6660, 0.1046), (0.6660, 1.0, 0.1411), (0.1046, 0.1411, 1.0))

# The first reaction of reactions.txt, and five of the 256 numbers of its fingerprint: the vector of [CLS] from
# `bert_ft`, as the package's description prints it, https://pypi.org/project/rxnfp/0.1.0/
PUBLISHED_FINGERPRINT = (-2.0174953937530518, 1.7602033615112305, -1.3323537111282349, -1.1095019578933716)
PUBLISHED_FINGERPRINT += (1.2254549264907837,)

# Atoms, bonds and marks of a reaction in SMILES: what rxnfp/tokenization.py:21 (0.1.0) takes for a token.
SMILES_TOKENS = re.compile(r"%\([0-9]{3}\)|\[[^\]]+]|Br?|Cl?|[NOSPFIbcnops]|[|().=#+\\/:~@?*$-]|>>?|%[0-9]{2}|[0-9]")
COMPARED = 12  # Reactions whose hidden states are kept, spread over the list.
MASKED_SHARE = 0.15
SAMPLE = 1_000  # Numbers that are kept of a large tensor.
TOP = 5  # Guesses that are kept of each masked token.


def minilm_pairs(dev_tsv: pathlib.Path, count: int = 1_000) -> list[tuple[str, str]]:
    """The question and the sentence of the first rows of QNLI's `dev.tsv`."""
    with dev_tsv.open(encoding="utf-8", newline="\n") as file:
        rows = [next(file).rstrip("\r\n").split("\t") for _ in range(count + 1)]
    return [(question, sentence) for _, question, sentence, *_ in rows[1:]]


def reactions() -> list[str]:
    """The SMILES of reactions.txt."""
    return (pathlib.Path(__file__).parent / "reactions.txt").read_text("utf-8").split()


def reaction_ids(reaction: str, vocab_file: pathlib.Path) -> list[int]:
    """Token ids of a reaction between [CLS] and [SEP]."""
    vocabulary = {token: index for index, token in enumerate(vocab_file.read_text("utf-8").splitlines())}
    tokens = ["[CLS]", *SMILES_TOKENS.findall(reaction), "[SEP]"]
    return [vocabulary.get(token, vocabulary["[UNK]"]) for token in tokens]


def padded(rows: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of ids and their mask, int32 [B, T]; the id of padding is 0 in all these models."""
    ids = np.zeros((len(rows), max(map(len, rows))), np.int32)
    mask = np.zeros_like(ids)
    for index, row in enumerate(rows):
        ids[index, : len(row)], mask[index, : len(row)] = row, 1
    return ids, mask


def hide(rows: list[list[int]], mask_id: int) -> tuple[list[list[int]], list[np.ndarray]]:
    """Puts `mask_id` in the place of 15 % of each row's tokens, and says where; [CLS] and [SEP] stay."""
    hidden, places = [], []
    for seed, row in enumerate(rows):
        count = max(1, round(MASKED_SHARE * (len(row) - 2)))
        chosen = np.sort(1 + np.random.RandomState(seed).permutation(len(row) - 2)[:count])
        hidden.append([mask_id if place in chosen else token for place, token in enumerate(row)])
        places.append(chosen)
    return hidden, places


def compared(rows: list) -> list:
    """A few of many, from the first to the last."""
    return rows[:: math.ceil(len(rows) / COMPARED)]


def sample(values: np.ndarray, seed: int) -> np.ndarray:
    """Some numbers of a large tensor, anywhere in it: float32 [SAMPLE]."""
    return values.reshape(-1)[np.random.RandomState(seed).randint(values.size, size=SAMPLE)]


def kept(hidden_states: Sequence, attention_probs: Sequence, mask: np.ndarray) -> dict[str, np.ndarray]:
    """Some numbers of every layer, float32 [layers, SAMPLE], at real tokens.

    What a model computes for padding means nothing, and is no measure of anything: with these weights PyTorch's
    float32 is up to 4e-4 from its own float64 there, and nowhere else more than 6e-6.

    Args:
        hidden_states: [B, T, H] of each layer.
        attention_probs: [B, N, T, T] of each layer.
        mask: [B, T].
    """
    real = mask.astype(bool)
    by_query = [np.swapaxes(probabilities, 1, 2) for probabilities in attention_probs]  # [B, T, N, T]
    return {
        name: np.stack([sample(np.asarray(values)[real], seed) for seed, values in enumerate(layers)])
        for name, layers in (("hidden_states", hidden_states), ("attention_probs", by_query))
    }


def root_mean_square(differences: np.ndarray) -> float:
    return np.sqrt(np.mean(np.square(differences, dtype=np.float64)))


def mean_vectors(hidden: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mean over the real tokens, of length 1: [B, T, H] → [B, H]."""
    weights = mask[..., np.newaxis].astype(hidden.dtype)
    means = (hidden * weights).sum(1) / weights.sum(1)
    return means / np.linalg.norm(means, axis=-1, keepdims=True)
