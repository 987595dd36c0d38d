"""Question answering on PyTorch's side: windows with transformers' tokenizer, a plain n-best search, SQuAD's scores."""

import argparse
import collections
import json
import pathlib
import re
import string
from typing import NamedTuple

import numpy as np
import torch
from transformers import AutoModelForQuestionAnswering

N_BEST = 20
MAX_ANSWER_LENGTH = 30


class Question(NamedTuple):
    """`answers` are (text, first character); none where there is no answer."""

    question: str
    context: str
    answers: list[tuple[str, int]]


def read_questions(path: str) -> list[Question]:
    squad = json.loads(pathlib.Path(path).read_text("utf-8"))
    paragraphs = (paragraph for article in squad["data"] for paragraph in article["paragraphs"])
    return [
        Question(
            qa["question"].lstrip(),
            paragraph["context"],
            [(answer["text"], answer["answer_start"]) for answer in qa["answers"]],
        )
        for paragraph in paragraphs
        for qa in paragraph["qas"]
    ]


class QuestionAnswering:
    """Spans of a context, or none under `version_2`; scored by exact match and F1."""

    def __init__(self, arguments: argparse.Namespace, tokenizer):
        self.tokenizer, self.arguments = tokenizer, arguments
        train_questions = read_questions(arguments.train_file)
        self.eval_questions = read_questions(arguments.eval_file)
        self.train_features, sources, offsets = self._features(train_questions)
        for row, source, places in zip(self.train_features, sources, offsets):
            start, end = answer_positions(train_questions[source].answers, places)
            row |= {"start_positions": start, "end_positions": end}
        self.eval_features, self.sources, self.offsets = self._features(self.eval_questions)

    def make_model(self, path: str) -> torch.nn.Module:
        return AutoModelForQuestionAnswering.from_pretrained(path)

    def score(self, logits: list[tuple[np.ndarray, ...]]) -> dict[str, float]:
        """In percent."""
        windows = collections.defaultdict(list)
        for source, places, (start, end) in zip(self.sources, self.offsets, logits):
            windows[source].append((places, start, end))
        return squad_scores(
            [
                (best_answer(windows[number], question.context, self.arguments.version_2), question)
                for number, question in enumerate(self.eval_questions)
            ]
        )

    def _features(self, questions):
        """And for each window the number of its question, and for each token (first, last + 1) in the context.

        That is None for [CLS], [SEP] and the tokens of the question.
        """
        encoded = self.tokenizer(
            [question.question for question in questions],
            [question.context for question in questions],
            truncation="only_second",
            max_length=self.arguments.max_seq_length,
            stride=self.arguments.window_overlap,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        features, offsets = [], []
        for row, (ids, types) in enumerate(zip(encoded["input_ids"], encoded["token_type_ids"])):
            features.append({"input_ids": ids, "token_type_ids": types})
            in_context = (part == 1 for part in encoded.sequence_ids(row))
            offsets.append(
                [place if inside else None for place, inside in zip(encoded["offset_mapping"][row], in_context)]
            )
        return features, encoded["overflow_to_sample_mapping"], offsets


def answer_positions(answers: list[tuple[str, int]], offsets: list) -> tuple[int, int]:
    """First and last token of the first answer; [CLS] twice where the window does not hold all of it."""
    if not answers:
        return 0, 0
    text, first = answers[0]
    last = first + len(text)
    inside = [token for token, place in enumerate(offsets) if place]
    if not inside or offsets[inside[0]][0] > first or offsets[inside[-1]][1] < last:
        return 0, 0
    start = max(token for token in inside if offsets[token][0] <= first)
    end = min(token for token in inside if offsets[token][1] >= last)
    return start, end


def best_answer(windows: list[tuple], context: str, version_2: bool) -> str:
    """The span of the highest score over all windows of a question; "" where [CLS] scores higher still."""
    null_score = min((start[0] + end[0] for _, start, end in windows), default=0.0)
    best_score, best_text = -np.inf, ""
    for offsets, start, end in windows:
        starts, ends = (np.argsort(-logits[: len(offsets)])[:N_BEST] for logits in (start, end))
        for first in starts:
            for last in ends:
                allowed = offsets[first] and offsets[last] and 0 <= last - first < MAX_ANSWER_LENGTH
                if allowed and start[first] + end[last] > best_score:
                    best_score, best_text = start[first] + end[last], context[offsets[first][0] : offsets[last][1]]
    return "" if version_2 and null_score > best_score else best_text


def normalized_words(text: str) -> list[str]:
    """SQuAD's rules: case, punctuation and articles don't count."""
    text = "".join(character for character in text.lower() if character not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def f1(answer: list[str], gold: list[str]) -> float:
    """Of bags of words; of two answers of which one is empty, whether both are."""
    if not answer or not gold:
        return float(answer == gold)
    common = (collections.Counter(answer) & collections.Counter(gold)).total()
    return 2 * common / (len(answer) + len(gold))


def squad_scores(answered: list[tuple[str, Question]]) -> dict[str, float]:
    """Means over the questions of the best match with any of their answers, in percent."""
    exact, overlap = [], []
    for text, question in answered:
        answer = normalized_words(text)
        golds = [normalized_words(gold) for gold, _ in question.answers]
        golds = [gold for gold in golds if gold] or [[]]
        exact.append(max(answer == gold for gold in golds))
        overlap.append(max(f1(answer, gold) for gold in golds))
    return {"exact": 100 * float(np.mean(exact)), "f1": 100 * float(np.mean(overlap))}
