"""Windows: [CLS] question [SEP] part of the context [SEP], as many as a context needs (run_squad.py:303-430).

Every context is tokenized once for all its questions, and all windows lie in a few flat arrays.
"""

import dataclasses
import functools
import re
from collections.abc import Sequence
from itertools import chain

import numpy as np

from official.errors import InputError
from official.tasks.squad.squad_files import Question
from official.tokenization.memory import Memory
from official.tokenization.tokenizer import Tokenizer

_WORD = re.compile("[^ \t\r\n\u202f]+")  # run_squad.py:230-237


@dataclasses.dataclass(frozen=True)
class WindowSize:
    """How contexts are cut, each number in tokens.

    Attributes:
        max_seq_length: of a window with its question and special tokens; more than these.
        doc_stride: from the start of a window to that of the next.
        max_query_length: longer questions are cut at their end.
    """

    max_seq_length: int = 384
    doc_stride: int = 128
    max_query_length: int = 64


@dataclasses.dataclass(frozen=True)
class TokenizedTexts:
    """C texts one after the other.

    Attributes:
        ids: int32 [total].
        splits: int64 [C + 1], where each text begins, and the end.
        words: int32 [total], which word of its text each token comes from; None where nobody asks.
    """

    ids: np.ndarray
    splits: np.ndarray
    words: np.ndarray | None = None

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each text: int64 [C]."""
        return np.diff(self.splits)

    def words_of(self, text: int) -> np.ndarray:
        """The word of each token of one text, never falling."""
        return self.words[self.splits[text] : self.splits[text + 1]]

    def ids_of(self, text: int) -> np.ndarray:
        """The tokens of one text."""
        return self.ids[self.splits[text] : self.splits[text + 1]]


@dataclasses.dataclass(frozen=True)
class SquadFeatures:
    """W windows on C contexts.

    Attributes:
        input_ids: int32 [total], the windows one after the other, without padding.
        row_splits: int64 [W + 1], where each window begins, and the end.
        segment_ids: uint8 [total], 1 from the context on.
        question: int32 [W], which question the window belongs to, never falling.
        context_start: int32 [W], the position in the window where the context begins.
        first_token: int32 [W], which token of the context stands there.
        max_context: int32 [W, 2], the positions [from, to) of the tokens that have more context here than in any other
            window (run_squad.py:476-512).
        contexts: tokens and words of the contexts.
    """

    input_ids: np.ndarray
    row_splits: np.ndarray
    segment_ids: np.ndarray
    question: np.ndarray
    context_start: np.ndarray
    first_token: np.ndarray
    max_context: np.ndarray
    contexts: TokenizedTexts

    @property
    def context_end(self) -> np.ndarray:
        """The position of the last [SEP]: int64 [W]."""
        return np.diff(self.row_splits) - 1

    def positions(self, starts: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where in each window the answer to its question stands; 0, [CLS], where it is not whole in the window.

        Args:
            starts: int [Q], each answer's first token in the context; -1 where there is no answer.
            ends: int [Q], the last.

        Returns:
            Start and end positions, int32 [W] (run_squad.py:408-428).
        """
        starts, ends = starts[self.question], ends[self.question]  # [W]
        shift = self.context_start - self.first_token
        inside = (starts >= self.first_token) & (ends + shift < self.context_end)
        return tuple(np.where(inside, tokens + shift, 0).astype(np.int32) for tokens in (starts, ends))


def split_words(context: str) -> list[str]:
    """What stands between white space, which is less than Unicode's: a no-break space parts no words."""
    return _WORD.findall(context)


def word_starts(context: str) -> np.ndarray:
    """The character where each word begins: int64 [words]."""
    return np.fromiter((match.start() for match in _WORD.finditer(context)), np.int64)


def tokenize_contexts(contexts: Sequence[str], tokenizer: Tokenizer) -> TokenizedTexts:
    """Tokens of each context, word by word."""
    pieces_of = Memory(tokenizer.encode_word)
    ids, words, splits = [], [], [0]
    for context in contexts:
        pieces = [pieces_of[word] for word in split_words(context)]
        counts = np.fromiter(map(len, pieces), np.int32, len(pieces))
        ids.append(np.fromiter(chain.from_iterable(pieces), np.int32, counts.sum()))
        words.append(np.repeat(np.arange(len(pieces), dtype=np.int32), counts))
        splits.append(splits[-1] + len(ids[-1]))
    return TokenizedTexts(_concatenate(ids), np.array(splits, np.int64), _concatenate(words))


def _tokenize_questions(questions: Sequence[Question], tokenizer: Tokenizer, max_length: int) -> TokenizedTexts:
    ids = [np.array(tokenizer.encode(question.text)[:max_length], np.int32) for question in questions]
    return TokenizedTexts(_concatenate(ids), np.cumsum([0] + [len(row) for row in ids], dtype=np.int64))


def _concatenate(rows: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(rows) if rows else np.zeros(0, np.int32)


def make_features(
    questions: Sequence[Question], contexts: TokenizedTexts, tokenizer: Tokenizer, size: WindowSize
) -> SquadFeatures:
    """The windows of every question, in order. A context without tokens has none.

    Raises:
        InputError: beside a question of full length a window has no room for any context.
    """
    if size.max_seq_length <= size.max_query_length + tokenizer.layout.special_tokens:
        raise InputError(
            f"--max_seq_length is {size.max_seq_length}: --max_query_length={size.max_query_length} and "
            f"{tokenizer.layout.special_tokens} special tokens leave no room for a context"
        )
    queries = _tokenize_questions(questions, tokenizer, size.max_query_length)
    of_context = np.fromiter((question.context for question in questions), np.int64, len(questions))
    tokens = contexts.lengths[of_context]  # [Q]
    room = size.max_seq_length - tokenizer.layout.special_tokens - queries.lengths
    step = np.minimum(room, size.doc_stride)
    counts = np.where(tokens > 0, 1 + -(-np.maximum(tokens - room, 0) // step), 0)
    question = np.repeat(np.arange(len(questions)), counts)  # [W]
    number = np.arange(len(question)) - np.repeat(np.cumsum(counts) - counts, counts)
    first = number * step[question]
    length = np.minimum(room[question], tokens[question] - first)
    start = queries.lengths[question] + 1 + tokenizer.layout.separators
    row_splits = np.concatenate([[0], np.cumsum(start + length + 1)])
    input_ids, segment_ids = _fill(row_splits, question, of_context, first, queries, contexts, tokenizer)
    best = [_max_context(*shape) for shape in zip(tokens.tolist(), room.tolist(), step.tolist())]
    best = np.concatenate(best) if best else np.zeros((0, 2), np.int64)
    return SquadFeatures(
        input_ids=input_ids,
        row_splits=row_splits,
        segment_ids=segment_ids,
        question=question.astype(np.int32),
        context_start=start.astype(np.int32),
        first_token=first.astype(np.int32),
        max_context=(best + (start - first)[:, np.newaxis]).astype(np.int32),
        contexts=contexts,
    )


def _fill(
    row_splits: np.ndarray,
    question: np.ndarray,
    of_context: np.ndarray,
    first: np.ndarray,
    queries: TokenizedTexts,
    contexts: TokenizedTexts,
    tokenizer: Tokenizer,
) -> tuple[np.ndarray, np.ndarray]:
    """Ids and segments of all windows."""
    input_ids = np.full(row_splits[-1], tokenizer.sep_id, np.int32)
    segment_ids = np.full(row_splits[-1], tokenizer.layout.segments, np.uint8)
    input_ids[row_splits[:-1]] = tokenizer.cls_id
    query_starts, query_ends = queries.splits[question], queries.splits[question + 1]
    context_starts = contexts.splits[of_context[question]] + first
    columns = (row_splits[:-1], row_splits[1:], query_starts, query_ends, context_starts)
    separators = tokenizer.layout.separators
    for row, end, query, query_end, context in zip(*(column.tolist() for column in columns)):
        middle = row + 1 + query_end - query  # The first [SEP].
        second = middle + separators
        input_ids[row + 1 : middle] = queries.ids[query:query_end]
        input_ids[second : end - 1] = contexts.ids[context : context + end - 1 - second]
        segment_ids[row:second] = 0
    return input_ids, segment_ids


@functools.lru_cache(maxsize=1 << 12)
def _max_context(tokens: int, room: int, step: int) -> np.ndarray:
    """Of each window on a context the tokens [from, to) of the context that have most context in it: int64 [k, 2].

    A token's score is the smaller of what it has to the left and to the right, and 0.01 of the window's length; the
    first of equal windows wins. Of two windows, the later one wins from some token on: each has a stretch.
    """
    if 0 < tokens <= room:
        return np.array([[0, tokens]])
    starts = range(0, max(tokens - room, 0) + step if tokens else 0, step)
    best, best_score = np.zeros(tokens, np.int64), np.full(tokens, -1.0)
    for number, start in enumerate(starts):
        length = min(room, tokens - start)
        position = np.arange(length)
        score = np.minimum(position, length - 1 - position) + 0.01 * length
        here = slice(start, start + length)
        better = score > best_score[here]
        best[here][better] = number
        best_score[here][better] = score[better]
    numbers = np.arange(len(starts))
    return np.stack([np.searchsorted(best, numbers, side) for side in ("left", "right")], axis=1)
