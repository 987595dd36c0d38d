"""Learns a SentencePiece model from text, with the settings that ALBERT published.

Source: google-research/albert README.md, "Sentencepiece": unigram, 30,000 pieces, character coverage .99995. Its text
had been through `preprocess_text` before; here the same rules are applied to every line as the tokenizer will apply.
"""

import io
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import sentencepiece

from official.errors import InputError
from official.tokenization.sentence_piece import ALBERT_TOKENS, SPACE
from official.tokenization.sentence_piece_text import TextRules

VOCAB_SIZE = 30_000
USER_DEFINED = ("(", ")", '"', "-", ".", "–", "£", "€")
SETTINGS = {
    "model_type": "unigram",
    "character_coverage": 0.99995,
    "pad_id": 0,
    "unk_id": 1,
    "bos_id": -1,
    "eos_id": -1,
    "pad_piece": ALBERT_TOKENS.pad,
    "unk_piece": ALBERT_TOKENS.unk,
    "control_symbols": [ALBERT_TOKENS.cls, ALBERT_TOKENS.sep, ALBERT_TOKENS.mask],
    "user_defined_symbols": list(USER_DEFINED),
    "byte_fallback": False,
    "shuffle_input_sentence": True,
    "input_sentence_size": 10_000_000,
    "hard_vocab_limit": False,  # As many pieces as there are, where text is short.
    "max_sentence_length": 1 << 30,  # Bytes; published, lines of more than 4,192 were left out.
    # Sums are made by thread, and their rounding is in the scores: always as many, whatever the machine.
    "num_threads": 16,
    "minloglevel": 2,  # Errors only.
}
RESERVED = "\u2585"  # The library passes over lines that hold it: it marks what is unknown while it learns.
SEED = 12345  # Which lines are taken, where there are more than `input_sentence_size`.


class LearntModel(NamedTuple):
    """A model, and its pieces with their scores, in the order of their ids."""

    model: bytes
    scores: list[tuple[str, float]]

    def vocabulary_lines(self) -> Iterator[str]:
        """What spm_train writes beside its model."""
        return (f"{piece}\t{score:g}\n" for piece, score in self.scores)


def learn_model(
    lines: Iterable[str], vocab_size: int = VOCAB_SIZE, *, rules: TextRules = TextRules(), name: str = "the text"
) -> LearntModel:
    """Learns a model from lines of text. The same lines make the same bytes.

    Args:
        lines: of text; empty ones are passed over.
        vocab_size: how many pieces at most.
        rules: what the tokenizer will do to text before.
        name: of the text, for messages.

    Raises:
        InputError: there is no text, or so many characters that no piece has room beside them.
    """
    texts = _texts(lines, rules, name)
    model = io.BytesIO()
    sentencepiece.set_random_generator_seed(SEED)
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=texts, model_writer=model, vocab_size=vocab_size, **SETTINGS
        )
    except RuntimeError as error:
        raise _explain(str(error), vocab_size) from error
    except SystemError as error:  # In it is what reading the lines ended with.
        raise error.__cause__ or error from None
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    ids = range(pieces.get_piece_size())
    return LearntModel(model.getvalue(), [(pieces.id_to_piece(index), pieces.get_score(index)) for index in ids])


def _texts(lines: Iterable[str], rules: TextRules, name: str) -> Iterator[str]:
    """The lines as the tokenizer has them. The library ends the process where none holds a visible character."""
    texts = (text for line in lines if (text := rules.apply(line.replace(RESERVED, " "))))
    normalizer = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc")
    start = []
    for text in texts:
        start.append(text)
        if normalizer.normalize(text).replace(SPACE, " ").strip():
            return itertools.chain(start, texts)
    raise InputError(f"{name}: there is no text in it to learn a model from")


def _explain(error: str, vocab_size: int) -> InputError:
    if needed := re.search(r"smaller than required_chars\. \d+ vs (\d+)", error):
        return InputError(
            f"--vocab_size is {vocab_size:,}: at least {int(needed[1]):,} was expected, the special tokens and a piece "
            "for each character that is not very rare"
        )
    return InputError(f"SentencePiece learnt nothing: {error}")
