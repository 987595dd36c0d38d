"""Texts as a model reads them: [CLS] a [SEP] b [SEP], or what its family has instead, cut to length."""

from collections.abc import Iterable, Iterator

from official.tasks.classification.classification_examples import Example
from official.tokenization.tokenizer import Tokenizer


def kept_lengths(length_a: int, length_b: int, max_length: int) -> tuple[int, int]:
    """How many tokens stay of each of a pair.

    The same as dropping the last token of the longer one, of b where they are equal, until `max_length` are left
    (run_classifier.py:557-571).
    """
    kept_b = min(length_b, max(max_length // 2, max_length - length_a))
    return min(length_a, max_length - kept_b), kept_b


def token_rows(
    examples: Iterable[Example], tokenizer: Tokenizer, max_seq_length: int
) -> Iterator[tuple[list[int], list[int]]]:
    """(input_ids, segment_ids) of every pair of every example (run_classifier.py:396-459).

    Args:
        max_seq_length: at least as many as there are special tokens.
    """
    cls, sep, layout = [tokenizer.cls_id], [tokenizer.sep_id], tokenizer.layout
    between, second = sep * layout.separators, int(layout.segments)
    for example in examples:
        for text_a, text_b in example.pairs:
            a = tokenizer.encode(text_a)
            b = tokenizer.encode(text_b) if text_b else []
            if b:
                kept_a, kept_b = kept_lengths(len(a), len(b), max_seq_length - layout.special_tokens)
                first = cls + a[:kept_a] + between
                yield first + b[:kept_b] + sep, [0] * len(first) + [second] * (kept_b + 1)
            else:
                ids = cls + a[: max_seq_length - 2] + sep
                yield ids, [0] * len(ids)


def count_cut(examples: Iterable[Example], tokenizer: Tokenizer, max_seq_length: int) -> int:
    """How many rows of `token_rows` are cut."""
    separators = tokenizer.layout.separators
    return sum(
        len(tokenizer.encode(text_a)) + (separators + len(tokenizer.encode(text_b)) if text_b else 0) + 2
        > max_seq_length
        for example in examples
        for text_a, text_b in example.pairs
    )
