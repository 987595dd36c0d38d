"""A tokenizer's answers by word, in compiled loops: text that was met before is tokenized as fast as it is read.

What stands between two spaces is tokenized apart from all else, and in printable ASCII so is each word and each sign of
punctuation. Elsewhere that does not hold: whether a Greek sigma becomes a final one depends on what is beyond an
apostrophe. So the table's keys are ASCII words, signs, and whole chunks of all other text, as UTF-8.
"""

import itertools
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from data_prep.compiled import compiled
from official.tokenization.wordpiece import WordPieceTokenizer

SPACE, LINE_END, FIRST_PRINTABLE, LAST_PRINTABLE = 0x20, 0x0A, 0x21, 0x7E
LETTER, SIGN, GAP, OTHER = range(4)  # Kinds of bytes.
MAX_WORDS, MAX_KEY_BYTES = 1 << 18, 1 << 24  # With more the table is emptied.
SLOTS_PER_WORD = 4
LINE_IS_EMPTY = 0  # Stands among the lengths of lines that hold tokens.
EMPTY_SO_FAR = -1  # The same while other lines may have no tokens yet.


class Table(NamedTuple):
    """Word w is `keys[key_ends[w - 1]:key_ends[w]]`, its ids lie in `ids` in the same way; words count from 1."""

    slots: np.ndarray  # int32 [a power of two]: a word, or 0
    hashes: np.ndarray  # uint64 [words + 1]
    key_ends: np.ndarray  # int64 [words + 1]
    keys: np.ndarray  # uint8
    id_ends: np.ndarray  # int64 [words + 1]
    ids: np.ndarray


class Answer(NamedTuple):
    """What was read, filled from the front."""

    ids: np.ndarray  # of all lines one after another
    lengths: np.ndarray  # int64: of each line
    unknown: np.ndarray  # int64 [n, 4]: a word's start and end in the text, and of ids and lengths how many were there
    counts: np.ndarray  # int64 [3]: how many of these there are


IDS, LINES, UNKNOWN = range(3)  # of `counts`


def _kinds() -> np.ndarray:
    """What each byte is, uint8 `[256]`. Signs are what the published tokenizer sets apart (tokenization.py:301-315)."""
    kinds = np.full(256, OTHER, np.uint8)
    kinds[FIRST_PRINTABLE : LAST_PRINTABLE + 1] = LETTER
    for first, last in ((33, 47), (58, 64), (91, 96), (123, 126)):
        kinds[first : last + 1] = SIGN
    kinds[[SPACE, LINE_END]] = GAP
    return kinds


KINDS = _kinds()


@compiled
def _is_long_sign(text, at):
    """Whether a sign of three bytes is there: the dashes, quotation marks and dots from U+2010 to U+2027."""
    return text[at] == 0xE2 and text[at + 1] == 0x80 and 0x90 <= text[at + 2] <= 0xA7


@compiled
def _chunk_end(text, start):
    """Where the chunk that begins at `start` ends, and whether there are only ASCII letters and signs in it."""
    end, plain = start, True
    while KINDS[text[end]] != GAP:
        if KINDS[text[end]] == OTHER:
            if _is_long_sign(text, end):
                end += 2
            else:
                plain = False
        end += 1
    return end, plain


@compiled
def _word_end(text, start):
    """Where the word or sign that begins at `start` ends, in a chunk of ASCII letters and signs."""
    if KINDS[text[start]] == SIGN:
        return start + 1
    if KINDS[text[start]] == OTHER:
        return start + 3
    end = start + 1
    while KINDS[text[end]] == LETTER:
        end += 1
    return end


@compiled
def _hash(text, start, end):
    """FNV-1a, its upper bits folded in."""
    value = np.uint64(0xCBF29CE484222325)
    for k in range(start, end):
        value = (value ^ np.uint64(text[k])) * np.uint64(0x100000001B3)
    return value ^ (value >> np.uint64(32))


@compiled
def _find(table, text, start, end, value):
    """The slot of a word: its own, or the one where it would be put."""
    last = len(table.slots) - 1
    slot = np.int64(value) & last
    while table.slots[slot]:
        word = table.slots[slot]
        first = table.key_ends[word - 1]
        if table.hashes[word] == value and table.key_ends[word] - first == end - start:
            k = 0
            while k < end - start and table.keys[first + k] == text[start + k]:
                k += 1
            if k == end - start:
                break
        slot = (slot + 1) & last
    return slot


@compiled
def index(table, first):
    """Gives slots to the words from number `first` on."""
    for word in range(first, len(table.key_ends)):
        start, end = table.key_ends[word - 1], table.key_ends[word]
        table.hashes[word] = _hash(table.keys, start, end)
        table.slots[_find(table, table.keys, start, end, table.hashes[word])] = word


@compiled
def _put_word(table, word, answer):
    place = answer.counts[IDS]
    for k in range(table.id_ends[word - 1], table.id_ends[word]):
        answer.ids[place] = table.ids[k]
        place += 1
    answer.counts[IDS] = place


@compiled
def _put_unknown(answer, start, end):
    number = answer.counts[UNKNOWN]
    answer.unknown[number] = start, end, answer.counts[IDS], answer.counts[LINES]
    answer.counts[UNKNOWN] = number + 1


@compiled
def read(table, text, answer):
    """Fills `answer` with the ids of lines as far as their words are known. Every line of `text` ends with LINE_END."""
    at, line_start, first_id, chunk_end, plain = 0, 0, 0, 0, True
    while at < len(text):
        if text[at] == LINE_END:
            length = answer.counts[IDS] - first_id
            answer.lengths[answer.counts[LINES]] = EMPTY_SO_FAR if at == line_start else length
            answer.counts[LINES] += 1
            at, first_id = at + 1, answer.counts[IDS]
            line_start = at
        elif text[at] == SPACE:
            at += 1
        else:
            if at >= chunk_end:
                chunk_end, plain = _chunk_end(text, at)
            end = _word_end(text, at) if plain else chunk_end
            word = table.slots[_find(table, text, at, end, _hash(text, at, end))]
            if word:
                _put_word(table, word, answer)
            else:
                _put_unknown(answer, at, end)
            at = end


class WordTable:
    """Tokenizes lines; a word that is not in the table is given to the tokenizer, and remembered.

    Args:
        tokenizer: without atomic tokens, which may be made of several words and signs.
        dtype: of ids.
    """

    def __init__(self, tokenizer: WordPieceTokenizer, dtype: np.dtype):
        self._encode, self._dtype = tokenizer.encode, dtype
        self._forget()

    def encode(self, text: bytes) -> tuple[np.ndarray, np.ndarray]:
        """The ids of lines, each of which ends with a line end, and how many ids each has.

        That is `LINE_IS_EMPTY` for one that is; a line that has characters but no tokens is left out.
        """
        letters, counts = np.frombuffer(text, np.uint8), np.zeros(3, np.int64)
        ids = np.empty(2 * len(letters), self._dtype)  # No character becomes more tokens than twice its bytes.
        lengths, unknown = np.empty(text.count(b"\n"), np.int64), np.empty([len(letters), 4], np.int64)
        read(self._table, letters, Answer(ids, lengths, unknown, counts))
        ids, unknown = ids[: counts[IDS]], unknown[: counts[UNKNOWN]]
        if len(unknown):
            words = [text[start:end] for start, end in unknown[:, :2].tolist()]
            new = self._learn(words)
            new_ids = [new[word] for word in words]
            sizes = list(map(len, new_ids))
            ids = np.insert(ids, np.repeat(unknown[:, 2], sizes), self._flat(new_ids))
            np.add.at(lengths, unknown[:, 3], sizes)
        lengths = lengths[lengths != 0]
        return ids, np.where(lengths == EMPTY_SO_FAR, LINE_IS_EMPTY, lengths)

    def _flat(self, ids: Iterable[list[int]]) -> np.ndarray:
        return np.fromiter(itertools.chain.from_iterable(ids), self._dtype)

    def _learn(self, words: list[bytes]) -> dict[bytes, list[int]]:
        """Adds words to the table; answers with their ids."""
        new = {word: self._encode(word.decode("utf-8", "surrogatepass")) for word in dict.fromkeys(words)}
        old = self._table
        if len(old.key_ends) + len(new) > MAX_WORDS or len(old.keys) + sum(map(len, new)) > MAX_KEY_BYTES:
            old = self._forget()
        first, size = len(old.key_ends), len(old.key_ends) + len(new)
        slots = old.slots if SLOTS_PER_WORD * size <= len(old.slots) else _slots(2 * size)
        self._table = Table(
            slots,
            np.resize(old.hashes, size),
            np.concatenate([old.key_ends, old.key_ends[-1] + np.cumsum(list(map(len, new)))]),
            np.concatenate([old.keys, np.frombuffer(b"".join(new), np.uint8)]),
            np.concatenate([old.id_ends, old.id_ends[-1] + np.cumsum(list(map(len, new.values())))]),
            np.concatenate([old.ids, self._flat(new.values())]),
        )
        index(self._table, first if slots is old.slots else 1)
        return new

    def _forget(self) -> Table:
        no_keys, no_ids, end = np.empty(0, np.uint8), np.empty(0, self._dtype), np.zeros(1, np.int64)
        self._table = Table(_slots(1), np.zeros(1, np.uint64), end, no_keys, end, no_ids)
        return self._table


def _slots(words: int) -> np.ndarray:
    return np.zeros(1 << (SLOTS_PER_WORD * words).bit_length(), np.int32)
