"""Words to pieces to windows, and back: each word is labelled at its first piece (Devlin et al. 2019, §5.3).

What is longer than a window is cut into windows that overlap, never cut off: a word's label is read in the window where
it has most context.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from itertools import chain

import numpy as np

from official.errors import InputError
from official.inputs.tokenized import NO_LABEL, TokenizedExamples
from official.tokenization.tokenizer import Tokenizer

SPECIAL_TOKENS = 2  # [CLS] and [SEP].


@dataclasses.dataclass(frozen=True)
class TaggingFeatures:
    """Windows over W words, in N examples.

    Attributes:
        examples: `[CLS] pieces [SEP]` of each window.
        token: int64 [W], where the first piece of each word stands among all tokens of `examples`, in the window whose
            label counts.
    """

    examples: TokenizedExamples
    token: np.ndarray

    def with_labels(self, label_ids: Sequence[int]) -> TokenizedExamples:
        """Examples that say the label of each word, once: NO_LABEL elsewhere.

        Args:
            label_ids: of each of the W words.
        """
        token_labels = np.full(len(self.examples.input_ids), NO_LABEL, np.int32)
        token_labels[self.token] = label_ids
        return dataclasses.replace(self.examples, token_labels=token_labels)

    def word_logits(self, logits: Iterable[np.ndarray]) -> np.ndarray:
        """What the model says of each word: N arrays [length, labels] → [W, labels]."""
        return np.concatenate(list(logits))[self.token]


@dataclasses.dataclass(frozen=True)
class Pieces:
    """The pieces of W words one after the other: `ids` int32 [total], and `splits` int64 [W + 1], where each begins."""

    ids: np.ndarray
    splits: np.ndarray

    @classmethod
    def of(cls, words: Iterable[str], tokenizer: Tokenizer, at_most: int) -> "Pieces":
        """Takes words by themselves; of one with more pieces than `at_most` the first ones, of one without any [UNK].

        A word has none where the tokenizer drops all its characters: white space, control characters, U+FFFD.
        """
        unknown = [tokenizer.unk_id]
        rows = [(tokenizer.encode_word(word) or unknown)[:at_most] for word in words]
        splits = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        return cls(np.fromiter(chain.from_iterable(rows), np.int32, splits[-1]), splits)


@dataclasses.dataclass(frozen=True)
class Window:
    """Words [first, end), and which of them it labels: [labels_from, labels_to)."""

    first: int
    end: int
    labels_from: int
    labels_to: int


def make_features(
    sentences: Sequence[Sequence[str]],
    tokenizer: Tokenizer,
    max_seq_length: int,
    doc_stride: int | None = None,
    context: Sequence[bool] | None = None,
) -> TaggingFeatures:
    """Tokenizes sentences and cuts them into windows of at most `max_seq_length` tokens.

    Args:
        sentences: the words of each.
        tokenizer: of the model.
        max_seq_length: tokens of a window, [CLS] and [SEP] counted.
        doc_stride: about how many pieces after one window the next begins; by default half a window.
        context: for each sentence whether it begins a document; windows then go over whole documents, so that words
            are read with what stands around their sentence. None: every sentence by itself.

    Raises:
        InputError: there is no room for a piece, or windows would have gaps.
    """
    room = max_seq_length - SPECIAL_TOKENS
    if room < 1:
        raise InputError(f"--max_seq_length is {max_seq_length}: at least {SPECIAL_TOKENS + 1} was expected")
    stride = max(1, room // 2) if doc_stride is None else doc_stride
    if stride > room:
        raise InputError(f"--doc_stride is {stride}: at most {room} was expected, which is what a window holds")
    pieces = Pieces.of((word for sentence in sentences for word in sentence), tokenizer, room)
    windows = []
    for first, end in _units(sentences, context):
        windows += cut_windows(pieces.splits, first, end, room, stride)
    return _assemble(pieces, windows, tokenizer)


def _units(sentences: Sequence[Sequence[str]], context: Sequence[bool] | None) -> Iterable[tuple[int, int]]:
    """The words [first, end) that are read together."""
    ends = np.cumsum([len(sentence) for sentence in sentences]).tolist()
    starts = [0, *ends[:-1]]
    if context is not None:
        starts = [start for start, begins in zip(starts, context, strict=True) if begins or start == 0]
        ends = [*starts[1:], ends[-1]]
    return zip(starts, ends, strict=True)


def cut_windows(splits: np.ndarray, first: int, end: int, room: int, stride: int) -> list[Window]:
    """Windows over the words [first, end) that hold at most `room` pieces and begin about `stride` pieces apart.

    Each holds a word that the ones before don't, and there are no gaps.

    Every word is labelled in one window: the one where the smaller of what stands left and right of its first piece is
    largest, the earlier of two.

    Args:
        splits: int64, where the pieces of each word begin; no word has more than `room`.
    """
    starts, ends = [first], []
    while True:
        ends.append(int(np.searchsorted(splits, splits[starts[-1]] + room, side="right")) - 1)
        if ends[-1] >= end:
            break
        starts.append(_next_start(splits, starts[-1], ends[-1], room, stride))
    ends[-1] = end
    bounds = [first]
    for index in range(1, len(starts)):
        bounds.append(_turn(splits, starts[index], ends[index - 1], bounds[-1]))
    return [Window(*each) for each in zip(starts, ends, bounds, [*bounds[1:], end], strict=True)]


def _next_start(splits: np.ndarray, start: int, end: int, room: int, stride: int) -> int:
    """The last word that begins at most `stride` pieces later, or the first from which the word at `end` fits in."""
    following = int(np.searchsorted(splits, splits[start] + stride, side="right")) - 1
    fitting = int(np.searchsorted(splits, splits[end + 1] - room, side="left"))
    return min(max(following, fitting), end)


def _turn(splits: np.ndarray, start: int, end: int, lowest: int) -> int:
    """The first word whose context in a window that begins at `start` is more than in the one that ends at `end`.

    In the overlap, the left context in the later window and the right context in the earlier one are the smaller.
    """
    positions = splits[start:end]  # Of the first pieces of the words in the overlap.
    left, right = positions - splits[start], splits[end] - 1 - positions
    return max(lowest, start + int(np.searchsorted(left - right, 0, side="right")))


def _assemble(pieces: Pieces, windows: Sequence[Window], tokenizer: Tokenizer) -> TaggingFeatures:
    begin, finish = np.array([tokenizer.cls_id], np.int32), np.array([tokenizer.sep_id], np.int32)
    token, rows, offset = np.empty(len(pieces.splits) - 1, np.int64), [], 0
    for window in windows:
        first, end = pieces.splits[window.first], pieces.splits[window.end]
        rows += [begin, pieces.ids[first:end], finish]
        labelled = slice(window.labels_from, window.labels_to)
        token[labelled] = pieces.splits[labelled] - first + offset + len(begin)
        offset += int(end - first) + SPECIAL_TOKENS
    lengths = [len(row) for row in rows]
    total = np.array(lengths, np.int64).reshape(-1, 3).sum(axis=1)
    examples = TokenizedExamples(
        input_ids=np.concatenate(rows),
        row_splits=np.concatenate([[0], np.cumsum(total)]),
        segment_ids=np.zeros(offset, np.uint8),
    )
    return TaggingFeatures(examples, token)
