"""Inputs of a model as a person reads them: tokens, what is masked and what was there, segments, labels."""

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

WIDTH = 116
# What next_sentence_labels 0 and 1 mean to a head (run_pretraining.py:285 of BERT and :427 of ALBERT).
SEGMENTS = {
    "nsp": ("the second follows the first", "the second does not follow"),
    "sop": ("the segments are in their order", "the segments are exchanged"),
}

Vocabulary = Sequence[str] | None  # The token of each id; None where there is no vocabulary: ids are shown.


def spell(token_id: int, vocabulary: Vocabulary) -> str:
    """A token, or its id where nothing says what it is called."""
    return str(token_id) if vocabulary is None else vocabulary[token_id]


def pretraining_example(
    example: Mapping[str, np.ndarray], vocabulary: Vocabulary, of_segments: str | None = "nsp"
) -> list[str]:
    """A record of pretraining in lines: what it is, then each segment.

    A masked position is `{what is read→what was there}`: a token that was kept, and one that became another word, too.

    Args:
        example: the seven features of a record, each one row.
        of_segments: the head that learns the record's label, if one does: of `SEGMENTS`.
    """
    words = [spell(token, vocabulary) for token in example["input_ids"]]
    masked = example["masked_lm_weights"] > 0
    for place, answer in zip(example["masked_lm_positions"][masked], example["masked_lm_ids"][masked]):
        words[place] = f"{{{words[place]}→{spell(answer, vocabulary)}}}"
    said = f"of {len(words)}, {masked.sum()} masked"
    if of_segments is not None:
        label = int(example["next_sentence_labels"].reshape(-1)[0])
        said += f"; next_sentence_labels {label}: {SEGMENTS[of_segments][label]}"
    return _lines(words, example["input_mask"], example["segment_ids"], said)


def classified_row(row: Mapping[str, np.ndarray], vocabulary: Vocabulary, said: str) -> list[str]:
    """A text or a pair in lines; `said` is of its label."""
    return _lines(_words(row, vocabulary), row["input_mask"], row["segment_ids"], f"– {said}")


def answered_row(row: Mapping[str, np.ndarray], vocabulary: Vocabulary) -> list[str]:
    """A window of a question and a context in lines, the answer between « and »."""
    words, start, end = _words(row, vocabulary), int(row["start_positions"]), int(row["end_positions"])
    said = f"– start_positions {start}, end_positions {end}"
    if start == end == 0:
        return _lines(words, row["input_mask"], row["segment_ids"], f"{said}: no answer in this window")
    answer = " ".join(words[start : end + 1])
    words[start] = f"«{words[start]}"
    words[end] += "»"  # After the other: of one token both are at one place.
    return _lines(words, row["input_mask"], row["segment_ids"], f"{said}: {answer}")


def tagged_row(row: Mapping[str, np.ndarray], vocabulary: Vocabulary, labels: Sequence[str]) -> list[str]:
    """A window of words in lines, each word's label behind its first piece: `piece/label`."""
    words = _words(row, vocabulary)
    for place in np.flatnonzero(row["token_labels"] >= 0):
        words[place] += f"/{labels[row['token_labels'][place]]}"
    said = f"– {(row['token_labels'] >= 0).sum()} words labelled"
    return _lines(words, row["input_mask"], row["segment_ids"], said)


def label_speller(label_type: str | None, labels: Sequence[str], choices: int) -> Callable[[np.ndarray], str]:
    """What says a label of a text, by its name where it has one.

    Args:
        label_type: as of a `Bert`: `multi` and `regression` are understood, all else is one label.
        labels: their names.
        choices: rows an example, of which the label is the right one.
    """
    if label_type == "regression":
        return lambda value: f"label {float(value):g}"
    if label_type == "multi":
        return lambda values: "labels " + (", ".join(labels[n] for n in np.flatnonzero(values)) or "none")
    if choices > 1:
        return lambda value: f"choice {int(value) + 1} of {choices} is right"
    return lambda value: f"label {labels[int(value)]}"


def _words(row: Mapping[str, np.ndarray], vocabulary: Vocabulary) -> list[str]:
    return [spell(token, vocabulary) for token in row["input_ids"]]


def _lines(words: Sequence[str], mask: np.ndarray, segments: np.ndarray, said: str) -> list[str]:
    """`said` with the number of tokens, then the tokens of each segment; padding is left out."""
    real = np.flatnonzero(mask)
    segments = segments[real]
    kinds = [int(kind) for kind in np.unique(segments)]
    counts = " + ".join(str((segments == kind).sum()) for kind in kinds)
    lines = [f"{len(real)} tokens{f' ({counts})' if len(kinds) > 1 else ''} {said}"]
    for kind in kinds:
        text = " ".join(words[place] for place in real[segments == kind])
        lines += _wrapped(text, f"  segment {kind}  ")
    return lines


def _wrapped(text: str, start: str) -> Iterable[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )
