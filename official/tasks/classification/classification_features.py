"""Texts as a BERT reads them: [CLS] a [SEP] b [SEP], cut to length."""

from collections.abc import Iterable, Iterator

from official.tasks.classification.classification_examples import Example
from official.tokenization.wordpiece import WordPieceTokenizer


def kept_lengths(length_a: int, length_b: int, max_length: int) -> tuple[int, int]:
    """How many tokens stay of each of a pair.

    The same as dropping the last token of the longer one, of b where they are equal, until `max_length` are left
    (run_classifier.py:557-571).
    """
    kept_b = min(length_b, max(max_length // 2, max_length - length_a))
    return min(length_a, max_length - kept_b), kept_b


def token_rows(
    examples: Iterable[Example], tokenizer: WordPieceTokenizer, max_seq_length: int
) -> Iterator[tuple[list[int], list[int]]]:
    """(input_ids, segment_ids) of every pair of every example (run_classifier.py:396-459).

    Args:
        max_seq_length: at least 3.
    """
    cls, sep = [tokenizer.cls_id], [tokenizer.sep_id]
    for example in examples:
        for text_a, text_b in example.pairs:
            a = tokenizer.encode(text_a)
            b = tokenizer.encode(text_b) if text_b else []
            if b:
                kept_a, kept_b = kept_lengths(len(a), len(b), max_seq_length - 3)
                yield cls + a[:kept_a] + sep + b[:kept_b] + sep, [0] * (kept_a + 2) + [1] * (kept_b + 1)
            else:
                ids = cls + a[: max_seq_length - 2] + sep
                yield ids, [0] * len(ids)


def count_cut(examples: Iterable[Example], tokenizer: WordPieceTokenizer, max_seq_length: int) -> int:
    """How many rows of `token_rows` are cut."""
    return sum(
        len(tokenizer.encode(text_a)) + (1 + len(tokenizer.encode(text_b)) if text_b else 0) + 2 > max_seq_length
        for example in examples
        for text_a, text_b in example.pairs
    )
