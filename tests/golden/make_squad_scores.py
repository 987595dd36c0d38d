"""Scores of invented answers to invented questions: `squad_scores.json`.

v1.1 from torchmetrics, v2.0 with its best thresholds from transformers (below 5, where it had the official script):

    python make_squad_scores.py v1      in an environment with torch and torchmetrics
    python make_squad_scores.py v2      in an environment with transformers 4

Run from this directory, in this order.
"""

import json
import pathlib
import random
import sys
import types

PATH = pathlib.Path("squad_scores.json")
WORDS = "the a an The fox fox's quick brown, jumped over U.S. 1999 - café “fox” dog. of".split()


def phrase(source: random.Random) -> str:
    return " ".join(source.choices(WORDS, k=source.randint(1, 5)))


def invented() -> dict:
    source = random.Random(1)
    golds, predictions, odds = {}, {}, {}
    for number in range(200):
        name = f"q{number}"
        golds[name] = [phrase(source) for _ in range(source.choice((0, 0, 1, 3)))]
        near = source.choice(golds[name]) if golds[name] and source.random() < 0.6 else phrase(source)
        near = f"{near} {source.choice(WORDS)}" if source.random() < 0.4 else near
        predictions[name] = "" if source.random() < 0.3 else near
        odds[name] = round(source.gauss(-1.5 if golds[name] else 1.5, 2), 6)
    golds["articles"], predictions["articles"], odds["articles"] = ["the", "a"], "an", -0.5
    # Where nothing is left of both texts, torchmetrics' F1 is 1, that of evaluate-v1.1.py is 0.
    wordless = {"the", "a", "an", "The", "-"}
    v1 = [name for name, texts in golds.items() if texts and all(set(text.split()) - wordless for text in texts)]
    return {"golds": golds, "predictions": predictions, "null_odds": odds, "v1_questions": v1}


def scores_v1(values: dict) -> dict:
    import torch
    from torchmetrics.text import SQuAD

    torch.set_default_dtype(torch.float64)  # It sums in the default type.
    metric = SQuAD()
    metric.set_dtype(torch.float64)
    answerable = {name: values["golds"][name] for name in values["v1_questions"]}
    result = metric(
        [{"id": name, "prediction_text": values["predictions"][name]} for name in answerable],
        [
            {"id": name, "answers": {"text": golds, "answer_start": [0] * len(golds)}}
            for name, golds in answerable.items()
        ],
    )
    return {name: float(value) for name, value in result.items()}


def scores_v2(values: dict) -> dict:
    from transformers.data.metrics.squad_metrics import squad_evaluate

    examples = [
        types.SimpleNamespace(qas_id=name, answers=[{"text": gold} for gold in golds])
        for name, golds in values["golds"].items()
    ]
    # Predictions are taken as they are: no threshold is so high.
    return squad_evaluate(examples, values["predictions"], values["null_odds"], no_answer_probability_threshold=1e9)


if __name__ == "__main__":
    if sys.argv[1] == "v1":
        values = invented()
        values["v1"] = scores_v1(values)
    else:
        values = json.loads(PATH.read_text("utf-8"))
        values["v2"] = dict(scores_v2(values))
    PATH.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", "utf-8")
