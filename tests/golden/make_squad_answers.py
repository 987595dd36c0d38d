"""Answers to questions on strange texts, from logits that a formula gives: `squad_answers.json`.

Words and pieces come from the slow tokenizer that transformers keeps of the original, windows and answers from
`published_squad.py`, which has the original's loops.

    python make_squad_answers.py        in an environment with transformers 5

Run from this directory.
"""

import json
import pathlib
import sys
import unicodedata

from transformers.models.bert.tokenization_bert_legacy import BasicTokenizer, WordpieceTokenizer

sys.path.insert(0, "../official/tasks/squad")
import published_squad as published  # noqa: E402

PIECES = "the sofi la ##mo ##s za ##ed e é u ##u caf ##é ##e ss ß ##ß i ##i ı 中 国 人 ( ) . , ' $ — 3 ##0 , 𠀀 🦊 ##x"
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *dict.fromkeys(PIECES.split()), "La", "Za", "É", "##É"]
CONTEXTS = [
    "Sofi  la\tzamos.\nThe (Cafe\u0301) la\u00a0za, 3,000 zaed\u202fsofi\u2028la!  ",
    "\u00a0 中国人，sofi 中𠀀国 人 la。",
    "İZA Straße Zaß e\u0301u É \u0301 n\u0303o 🦊 \U0001d518x la's $30 — za",
    "za",
    "la\u200bmo \ufeffsofi\x00\x07za \x85 the\u00ad \ufffd la.mo,za(the)",
    "sofi la za " * 30,
    "",
    " \n",
]
QUESTIONS = ["", " \t\u00a0 ", "sofi?", "中国 É\u0301 la mos zaed the sofi la mos zaed the sofi"]
CASES = [  # Lower-cased, (max_seq_length, doc_stride, max_query_length), (n_best_size, max_answer_length), threshold.
    (True, (40, 8, 5), (12, 2), None),
    (True, (24, 3, 16), (20, 30), 1.5),
    (False, (20, 100, 5), (20, 4), None),
    (False, (64, 16, 0), (10, 30), -2.0),
]


def squad(lower_case: bool) -> dict:
    """A file: ids are texts or numbers, and one comes twice."""
    paragraphs = []
    for number, context in enumerate(CONTEXTS):
        # transformers composes characters where the original, cased, leaves them.
        texts = [text if lower_case else unicodedata.normalize("NFC", text) for text in (context, *QUESTIONS)]
        ids = [f"q{number}", 10 + number, "twice" if number in (1, 3) else f"é\u2028🦊{number}", f"long {number}"]
        asked = [{"id": name, "question": text} for name, text in zip(ids, texts[1:])]
        paragraphs.append({"context": texts[0], "qas": asked})
    return {"data": [{"paragraphs": paragraphs}]}


def answered(lower_case: bool, size: tuple, limits: tuple, threshold: float | None) -> dict:
    basic = BasicTokenizer(do_lower_case=lower_case)
    pieces = WordpieceTokenizer(dict.fromkeys(VOCABULARY), "[UNK]", max_input_chars_per_word=200)

    def tokenize(text: str) -> list[str]:
        return [piece for word in basic.tokenize(text) for piece in pieces.tokenize(word)]

    file, first = squad(lower_case), 0
    predictions, n_bests, null_odds = {}, {}, {}
    for paragraph in file["data"][0]["paragraphs"]:
        context = paragraph["context"]
        words = [tokenize(word) for word in published.words_and_places(context)[0]]
        for question in paragraph["qas"]:
            windows = published.windows(tokenize(question["question"]), words, *size)
            starts, ends = (
                [published.some_logits(first + number, side, size[0]) for number in range(len(windows))]
                for side in (0, 1)
            )
            first += len(windows)
            negative = threshold is not None
            found, odds = published.n_best(context, windows, starts, ends, basic.tokenize, *limits, negative)
            found = found or [("empty", 0.0, 0.0)]
            name, best = str(question["id"]), next((text for text, _, _ in found if text), None)
            n_bests[name] = [
                {"text": text, "probability": probability, "start_logit": start, "end_logit": end}
                for (text, start, end), probability in zip(
                    found, published.softmax([start + end for _, start, end in found])
                )
            ]
            if negative:  # Without any text but "" the original crashes; here there are no odds then.
                null_odds[name] = odds
                predictions[name] = "" if odds is None or odds > threshold else best
            else:
                predictions[name] = found[0][0]
    case = {"lower_case": lower_case, "window": size, "search": limits, "threshold": threshold, "squad": file}
    return case | {"predictions": predictions, "n_best": n_bests, "null_odds": null_odds}


if __name__ == "__main__":
    values = {"vocabulary": VOCABULARY, "cases": [answered(*case) for case in CASES]}
    pathlib.Path("squad_answers.json").write_text(json.dumps(values) + "\n", "utf-8")
