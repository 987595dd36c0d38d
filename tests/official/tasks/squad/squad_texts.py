"""Small texts for the tests of SQuAD: a vocabulary, contexts and questions that hypothesis draws, and files of them."""

import json

from hypothesis import strategies as st

from official.tokenization.wordpiece import WordPieceTokenizer

PIECES = "the quick fox jump ##ed ##s over caf ##e ##é a b ##b . , ( ) ' 1 ##9 - 中 国 ᄒ ##ᅡ ##ᆫ s ##x of".split()
TOKENIZER = WordPieceTokenizer.from_tokens(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *PIECES])
_PARTS = [
    *("the", "The", "quick", "fox", "jumped", "jumps", "over", "café", "CAFE\u0301", "ab", "abb", "a", "1999", "19"),
    *("(", ").", ",", "'s", "-", "中国", "한", "\u200b", "\u00a0", "\ufffd", "zebra", "İ", "##", "of", "\x00"),
    *(" ", "  ", "\n", "\t", "\u202f", " "),
]
TEXTS = st.lists(st.sampled_from(_PARTS), max_size=30).map("".join)


def squad(contexts: dict[str, list[dict]]) -> dict:
    """A file of one article: {context: its questions}."""
    paragraphs = [{"context": context, "qas": questions} for context, questions in contexts.items()]
    return {"version": "v2.0", "data": [{"title": "article", "paragraphs": paragraphs}]}


def question(name, text="who?", **fields) -> dict:
    return {"id": name, "question": text, **fields}


def answer(text: str, start: int) -> dict:
    return {"text": text, "answer_start": start}


def write(path, values) -> str:
    path.write_text(json.dumps(values))
    return str(path)
