"""Sentences about people and towns, labelled in IOB2, and a small encoder that knows their words."""

import pathlib
import random

import tensorflow as tf

from official import checkpoints
from official.models.bert import Bert, BertConfig
from official.tokenization.wordpiece import WordPieceTokenizer

NAMES, SURNAMES, TOWNS = ["ann", "bob", "cleo"], ["smith", "jones"], ["rome", "oslo", "lima"]
OTHERS = ["saw", "in", "the", "and", "went", "."]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LENGTH = 64


def write_encoder(directory: str) -> None:
    """An encoder as pretraining leaves it, as a Hugging Face directory."""
    tokenizer = WordPieceTokenizer.from_tokens(
        [*SPECIAL, *NAMES, *SURNAMES, *TOWNS, *OTHERS], max_input_chars_per_word=100
    )
    config = BertConfig(
        vocab_size=tokenizer.vocab_size,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=LENGTH,
        type_vocab_size=2,
        hidden_dropout_prob=0.0,
        initializer_range=0.1,
    )
    tf.keras.utils.set_random_seed(1)
    checkpoints.save(Bert(config, ("mlm",)), directory, tokenizer=tokenizer)


def write_files(directory: pathlib.Path) -> None:
    """`train.txt`, `dev.txt` and `test.txt`, two columns, a document each."""
    draw = random.Random(0)
    for name, count in (("train", 160), ("dev", 40), ("test", 40)):
        text = "\n\n".join(_sentence(draw) for _ in range(count))
        (directory / f"{name}.txt").write_text(f"-DOCSTART- O\n\n{text}\n")


def _sentence(draw: random.Random) -> str:
    lines = []
    for _ in range(draw.randint(2, 6)):
        kind = draw.choice(["person", "town", "nothing", "nothing"])
        if kind == "person":
            lines.append(f"{draw.choice(NAMES)} B-PER")
            if draw.random() < 0.5:
                lines.append(f"{draw.choice(SURNAMES)} I-PER")
        elif kind == "town":
            lines.append(f"{draw.choice(TOWNS)} B-LOC")
        lines.append(f"{draw.choice(OTHERS)} O")
    return "\n".join(lines)
