"""The model, the tokenizers and the texts that the tests of both faces of SentencePiece share."""

import json
import pathlib
import random

import tokenizer_texts

from official.tokenization.sentence_piece import AS_XLNET, SentencePieceTokenizer
from official.tokenization.sentence_piece_text import TextRules

GOLDEN = pathlib.Path(__file__).resolve().parents[2] / "golden"
MODEL = (GOLDEN / "sentence_piece.model").read_bytes()
ANSWERS = json.loads((GOLDEN / "sentence_piece.json").read_text("utf-8"))
OPTIONS = {
    "published": {},
    "transformers": {"rules": TextRules(convert_quotes=True), "digit_comma": AS_XLNET},
    "cased with accents": {"rules": TextRules(keep_accents=True, lower_case=False)},
    "uncased with accents": {"rules": TextRules(keep_accents=True)},
    "cased": {"rules": TextRules(lower_case=False)},
    "as it is": {"rules": TextRules(False, False, True, False), "digit_comma": None},
    "atomic": {"atomic_tokens": ("[MASK]", "<unk>", "(", "<s>", "<s><s>"), "added_tokens": ("<s>", "<s><s>")},
}
PARTS = (
    "0", "00", "000", "1,", "2,", "19,", "²,", "a", "Σ", "Α", "Ϲ", "ſ", "İ", "½", "\u00a8", "\u0345", "\u0301",
    "[MASK]", "<unk>",
    "<s>", "(", ")", "``", "''", "`", " ", "\t", "\x1c", "\x85", "\u2028", "▁", "the", "don't", "\n", "\x00",
    "\ufffd",
)  # fmt: skip


def tokenizers() -> dict[str, SentencePieceTokenizer]:
    return {name: SentencePieceTokenizer(MODEL, **options) for name, options in OPTIONS.items()}


def texts(count: int, seed: int) -> list[str]:
    """As many of any characters as of parts in which rules meet."""
    rng = random.Random(seed)
    odd = ["".join(rng.choices(PARTS, k=rng.randrange(12))) for _ in range(count)]
    return tokenizer_texts.random_texts(count, seed) + odd
