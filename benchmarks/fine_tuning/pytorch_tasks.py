"""Classification and tagging on PyTorch's side: files to features, logits to scores."""

import argparse
import csv
import pathlib

import numpy as np
import torch
from seqeval.metrics import f1_score
from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

Features = list[dict]  # `input_ids`, `token_type_ids`, and labels where they are for training.
OUTSIDE = "O"
NO_LABEL = -100


class Classification:
    """A label for a text or a pair of texts, from a tsv with a header; scored by accuracy."""

    def __init__(self, arguments: argparse.Namespace, tokenizer):
        self.tokenizer, self.arguments = tokenizer, arguments
        train_texts, train_labels = self._read(arguments.train_file)
        eval_texts, self.eval_labels = self._read(arguments.eval_file)
        self.labels = sorted(set(train_labels))
        self.train_features = self._features(train_texts)
        for row, label in zip(self.train_features, train_labels):
            row["labels"] = self.labels.index(label)
        self.eval_features = self._features(eval_texts)

    def make_model(self, path: str) -> torch.nn.Module:
        return AutoModelForSequenceClassification.from_pretrained(path, num_labels=len(self.labels))

    def score(self, logits: list[tuple[np.ndarray, ...]]) -> dict[str, float]:
        """In percent."""
        right = [self.labels[values.argmax()] == label for (values,), label in zip(logits, self.eval_labels)]
        return {"accuracy": 100 * float(np.mean(right))}

    def _read(self, path):
        """Texts in columns, and the labels."""
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        columns = self.arguments.text_columns.split(",")
        texts = [[row[column] for row in rows] for column in columns]
        return texts, [row[self.arguments.label_column] for row in rows]

    def _features(self, texts):
        encoded = self.tokenizer(*texts, truncation=True, max_length=self.arguments.max_seq_length)
        pairs = zip(encoded["input_ids"], encoded["token_type_ids"])
        return [{"input_ids": ids, "token_type_ids": types} for ids, types in pairs]


class Tagging:
    """A label for each word; scored by seqeval's F1 where labels are those of entities, by accuracy otherwise.

    A word is spoken for by its first piece. One that has none, or lies beyond the maximum, is answered OUTSIDE.
    """

    def __init__(self, arguments: argparse.Namespace, tokenizer):
        self.tokenizer, self.arguments = tokenizer, arguments
        train_words, train_labels = self._read(arguments.train_file)
        self.eval_words, self.eval_labels = self._read(arguments.eval_file)
        self.labels = sorted({label for sentence in train_labels for label in sentence})
        self.train_features, first_pieces = self._features(train_words)
        for row, places, labels in zip(self.train_features, first_pieces, train_labels):
            row["labels"] = [NO_LABEL] * len(row["input_ids"])
            for place, word in places.items():
                row["labels"][place] = self.labels.index(labels[word])
        self.eval_features, self.first_pieces = self._features(self.eval_words)

    def make_model(self, path: str) -> torch.nn.Module:
        return AutoModelForTokenClassification.from_pretrained(path, num_labels=len(self.labels))

    def score(self, logits: list[tuple[np.ndarray, ...]]) -> dict[str, float]:
        """In percent."""
        predicted = []
        for (values,), places, words in zip(logits, self.first_pieces, self.eval_words):
            sentence = [OUTSIDE] * len(words)
            for place, word in places.items():
                sentence[word] = self.labels[values[place].argmax()]
            predicted.append(sentence)
        pairs = [pair for sentences in zip(predicted, self.eval_labels) for pair in zip(*sentences)]
        scores = {"accuracy": 100 * float(np.mean([answer == label for answer, label in pairs]))}
        if OUTSIDE in self.labels:
            scores["f1"] = 100 * float(f1_score(self.eval_labels, predicted))
        return scores

    def _read(self, path):
        """The words of each sentence, and their labels."""
        words, labels = [[]], [[]]
        for line in pathlib.Path(path).read_text("utf-8").split("\n"):
            columns = line.split("\t")
            if not line.strip():
                words.append([])
                labels.append([])
            elif not path.endswith(".conllu") or columns[0].isdigit():  # No comment, no range, no empty node.
                words[-1].append(columns[self.arguments.token_column])
                labels[-1].append(columns[int(self.arguments.label_column)])
        return [sentence for sentence in words if sentence], [sentence for sentence in labels if sentence]

    def _features(self, sentences):
        """And for each sentence a dict from the place of a first piece to the number of its word."""
        length = self.arguments.max_seq_length
        encoded = self.tokenizer(sentences, is_split_into_words=True, truncation=True, max_length=length)
        features, first_pieces = [], []
        for row, (ids, types) in enumerate(zip(encoded["input_ids"], encoded["token_type_ids"])):
            features.append({"input_ids": ids, "token_type_ids": types})
            words = encoded.word_ids(row)
            starts = (place for place, word in enumerate(words) if word is not None and word != words[place - 1])
            first_pieces.append({place: words[place] for place in starts})
        return features, first_pieces
