"""Makes tagging_scores.json: what seqeval says of random tags, in its default and its strict mode.

Run in an environment with seqeval, from this directory: python make_tagging_scores.py
"""

import json
import random
import warnings

from seqeval import metrics
from seqeval import scheme as schemes

# Letters of each scheme, its class, and whether the default mode knows them.
SCHEMES = {
    "iob2": ("BI", schemes.IOB2, True),
    "bioes": ("BIES", schemes.IOBES, True),
    "bilou": ("BILU", schemes.BILOU, False),
}
CASES = 40
FUNCTIONS = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score}


def draw_case(letters: str, draw: random.Random) -> tuple[list[list[str]], list[list[str]]]:
    tags = ["O"] + [f"{letter}-{kind}" for letter in letters for kind in ("PER", "LOC")]
    lengths = [draw.randint(1, 9) for _ in range(draw.randint(1, 4))]
    true = [[draw.choice(tags) for _ in range(length)] for length in lengths]
    predicted = [[tag if draw.random() < 0.6 else draw.choice(tags) for tag in tags_of] for tags_of in true]
    return true, predicted


def scores(true, predicted, scheme, knows_default: bool) -> dict[str, float]:
    found = {f"strict_{name}": f(true, predicted, mode="strict", scheme=scheme) for name, f in FUNCTIONS.items()}
    if knows_default:
        found |= {name: f(true, predicted) for name, f in FUNCTIONS.items()}
    found["accuracy"] = metrics.accuracy_score(true, predicted)
    return {name: float(value) for name, value in found.items()}


def main():
    warnings.simplefilter("ignore")
    draw, cases = random.Random(0), []
    for name, (letters, scheme, knows_default) in SCHEMES.items():
        for _ in range(CASES):
            true, predicted = draw_case(letters, draw)
            found = scores(true, predicted, scheme, knows_default)
            cases.append({"scheme": name, "true": true, "predicted": predicted, "scores": found})
    with open("tagging_scores.json", "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
