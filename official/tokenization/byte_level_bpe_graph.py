"""Byte-level BPE on string tensors: the same ids as the string face, in the graph.

Text is decoded to one stream of code points, with a mark behind every text, and parted by the classes of neighbours,
which is what GPT-2's pattern comes to. Words that are one token are looked up; the bytes of the others, each different
word once, are merged in a loop over all of them. Only TensorFlow's own operations, and no tables to initialise.
Shapes: B strings, P parts of them, N characters, W words, U different ones, S tokens of those that are merged.
"""

import functools
import re

import numpy as np
import tensorflow as tf

from official.tokenization import byte_level
from official.tokenization.byte_level import APOSTROPHE, CONTRACTIONS, SPACE, WHITE_SPACE
from official.tokenization.byte_level_bpe import ByteLevelBpeTokenizer
from official.tokenization.byte_pairs import BytePairs
from official.tokenization.code_points import CLOSING, TABLE_SIZE, UNICODE_SIZE

_WHITE, _LETTER, _DIGIT, _SIGN, _CLOSING = range(5)  # Classes of characters.
_CLASS_NUMBERS = {
    byte_level.SPACE: _WHITE,
    byte_level.WHITE: _WHITE,
    byte_level.LETTER: _LETTER,
    byte_level.DIGIT: _DIGIT,
    byte_level.SIGN: _SIGN,
}
_SET_OFF = b"\xff"  # Around atomic tokens: no UTF-8 holds it.
_HASHES = (1 << 63) - 1


class GraphByteLevelBpeTokenizer(tf.Module):
    """Strings [B], UTF-8, to token ids, int32 [B, None].

    Args:
        tokenizer: the string face, whose vocabulary and options are taken over.
    """

    def __init__(self, tokenizer: ByteLevelBpeTokenizer):
        super().__init__()
        self._add_prefix_space = tokenizer.add_prefix_space
        self._atomic = _AtomicTokens(tokenizer) if tokenizer.atomic_tokens else None
        self._classes = tf.constant(_classes())
        self._words = _KnownWords(tokenizer)
        self._merges = _Merges(tokenizer.pairs, tokenizer.vocab_size)
        byte_ids = [-1 if byte_id is None else byte_id for byte_id in tokenizer.byte_ids]
        self._byte_ids = tf.constant(byte_ids, tf.int32)

    def __call__(self, strings: tf.Tensor) -> tf.RaggedTensor:
        """The token ids, int32 [B, None], of UTF-8 strings [B]; bytes that can't be decoded are left out."""
        return self._tokenize(strings, self._add_prefix_space)

    def tokenize_words(self, words: tf.Tensor) -> tf.RaggedTensor:
        """The token ids, int32 [B, None], of words [B], each as it stands behind white space."""
        return self._tokenize(words, True)

    def _tokenize(self, strings: tf.Tensor, behind_space: bool) -> tf.RaggedTensor:
        strings = tf.convert_to_tensor(strings, tf.string)
        strings = tf.strings.unicode_transcode(strings, "UTF-8", "UTF-8", errors="ignore")
        if self._atomic is None:
            return self._tokenize_texts(strings, behind_space)
        parts = self._atomic.part(strings)  # [B, None]
        texts, atomic_ids = self._atomic.take_out(parts.values)
        ids = tf.concat([atomic_ids, self._tokenize_texts(texts, behind_space)], axis=1)  # [P, None]; one is empty.
        return parts.with_values(ids).merge_dims(1, 2)

    def _tokenize_texts(self, texts: tf.Tensor, behind_space: bool) -> tf.RaggedTensor:
        """The ids, [P, None], of texts without atomic tokens, [P]."""
        if behind_space:
            lacks = (texts != "") & (tf.strings.substr(texts, 0, 1) != SPACE)
            texts = tf.where(lacks, tf.strings.join([SPACE, texts]), texts)
        words = self._split_words(texts)  # [P, None]
        different, places = tf.unique(words.values, tf.int64)  # [U], [W]
        return words.with_values(tf.gather(self._word_ids(different), places)).merge_dims(1, 2)

    def _split_words(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The words of each text, strings [P, None], each with the space before it."""
        closed = tf.strings.join([texts, SPACE])  # Makes the place.
        decoded = tf.strings.unicode_decode(closed, "UTF-8")  # [P, None]
        last = decoded.row_splits[1:, tf.newaxis] - 1
        points = tf.tensor_scatter_nd_update(decoded.values, last, tf.fill(tf.shape(texts), CLOSING))  # [N]
        closes = points == CLOSING
        starts = self._begins(points)
        kept = tf.boolean_mask(points, ~closes)
        begins = tf.where(tf.boolean_mask(starts, ~closes))[:, 0]
        spelled = tf.RaggedTensor.from_row_starts(kept, begins, validate=False)  # [W, None]
        words = tf.strings.unicode_encode(spelled, "UTF-8")  # [W]
        limits = tf.searchsorted(tf.where(starts)[:, 0], tf.where(closes)[:, 0], out_type=tf.int64)  # [P]
        return tf.RaggedTensor.from_row_limits(words, limits, validate=False)

    def _begins(self, points: tf.Tensor) -> tf.Tensor:
        """Whether a word begins with each of the characters of all texts, bool [N]."""
        kinds = tf.gather(self._classes, points)
        before, behind = _shifted(kinds, -1, _CLOSING), _shifted(kinds, 1, _CLOSING)
        visible_behind = (behind != _WHITE) & (behind != _CLOSING)
        # Of white space the last begins anew, if something visible follows, which takes it along if it is a space.
        white_begins = (before != _WHITE) | visible_behind
        takes_space = _shifted(points, -1, CLOSING) == ord(SPACE)
        contracted, inside = self._contractions(points, (before != _SIGN) & ~takes_space)
        visible_begins = ((before != kinds) & ~takes_space & ~inside) | contracted
        return tf.where(kinds == _WHITE, white_begins, visible_begins) & (kinds != _CLOSING)

    def _contractions(self, points: tf.Tensor, may_begin: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Contractions that the pattern finds, `may_begin` saying where it looks for an apostrophe, bool [N].

        Returns:
            Which characters stand behind one, and which are its letters, bool [N] each.
        """
        apostrophe = (points == ord(APOSTROPHE)) & may_begin
        ended, inside = tf.zeros_like(apostrophe), tf.zeros_like(apostrophe)
        for letters in CONTRACTIONS:
            found = apostrophe
            for place, letter in enumerate(letters, 1):
                found &= _shifted(points, place, CLOSING) == ord(letter)
            for place in range(1, 1 + len(letters)):
                inside |= _shifted(found, -place, False)
            ended |= _shifted(found, -1 - len(letters), False)
        return ended, inside

    def _word_ids(self, words: tf.Tensor) -> tf.RaggedTensor:
        """The ids, int32 [U, None], of different words [U]."""
        known, ids = self._words.find(words)
        where_known, where_not = tf.where(known)[:, 0], tf.where(~known)[:, 0]
        single = tf.RaggedTensor.from_uniform_row_length(tf.gather(ids, where_known), 1)
        merged = self._merge(tf.gather(words, where_not))
        order = tf.argsort(tf.concat([where_known, where_not], 0))
        return tf.gather(tf.concat([single, merged], 0), order)

    def _merge(self, words: tf.Tensor) -> tf.RaggedTensor:
        """The ids, int32 [U, None], of words [U] by merging their bytes."""
        sizes = tf.strings.length(words, "BYTE")
        data = tf.io.decode_raw(tf.strings.reduce_join(words), tf.uint8)  # [S]
        ids = tf.gather(self._byte_ids, tf.cast(data, tf.int32))
        count = tf.size(words)
        numbers = tf.repeat(tf.range(count), sizes)
        known = ids >= 0
        ids, numbers = self._merges.merge(tf.boolean_mask(ids, known), tf.boolean_mask(numbers, known), count)
        splits = tf.searchsorted(numbers, tf.range(count + 1), out_type=tf.int64)
        return tf.RaggedTensor.from_row_splits(ids, splits, validate=False)


class _KnownWords(tf.Module):
    """The words that are one token, found by their hash, and compared."""

    def __init__(self, tokenizer: ByteLevelBpeTokenizer):
        super().__init__()
        words, ids = _single_token_words(tokenizer)
        hashes = tf.strings.to_hash_bucket_fast(tf.constant(words, tf.string), _HASHES).numpy()
        hashes, first = np.unique(hashes, return_index=True)  # Of two with one hash the other is merged.
        self._hashes = tf.constant(np.append(hashes, _HASHES))  # So that there is always one.
        self._spelled = tf.constant([*(words[place] for place in first), b""], tf.string)
        self._ids = tf.constant([*(ids[place] for place in first), 0], tf.int32)

    def find(self, words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Whether each word, [U], is one token, and its id if it is, [U] each. No word is empty."""
        places = tf.searchsorted(self._hashes, tf.strings.to_hash_bucket_fast(words, _HASHES))
        return tf.gather(self._spelled, places) == words, tf.gather(self._ids, places)


class _Merges(tf.Module):
    """`BytePairs.merge` for many words at once."""

    def __init__(self, pairs: BytePairs, vocab_size: int):
        super().__init__()
        self._vocab_size, self._none = vocab_size, 1 + max((rank for rank, _ in pairs.merged.values()), default=0)
        keys = np.array([left * vocab_size + right for left, right in pairs.merged], np.int64)
        values = np.array(list(pairs.merged.values()), np.int32).reshape(-1, 2)
        order = np.argsort(keys)
        # The last is found where no other is.
        self._keys = tf.constant(np.append(keys[order], np.iinfo(np.int64).max))
        self._ranks = tf.constant(np.append(values[order, 0], self._none).astype(np.int32))
        made = np.zeros(self._none + 1, np.int32)
        made[values[:, 0]] = values[:, 1]
        self._made = tf.constant(made)
        alone = _merged_alone(pairs, vocab_size, self._none)
        self._alone = tf.constant(alone) if alone.any() else None

    def merge(self, ids: tf.Tensor, words: tf.Tensor, count: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What remains of the tokens [S] of words, and whose it is.

        Args:
            ids: int32 [S].
            words: the number of the word that each belongs to, int32 [S], ascending.
            count: how many words there are, int32.
        """
        places = tf.range(tf.size(ids))
        state = ids, words, self._find_ranks(ids, words, places)
        ids, words, _ = tf.while_loop(
            lambda ids, words, ranks: tf.reduce_any(ranks < self._none),
            lambda *state: self._merge_once(*state, count),
            state,
            shape_invariants=(tf.TensorShape([None]),) * 3,
            parallel_iterations=1,
        )
        return ids, words

    def _find_ranks(self, ids: tf.Tensor, words: tf.Tensor, places: tf.Tensor) -> tf.Tensor:
        """The ranks of the pairs that begin at `places`, int32; `none` where there is no such merge."""
        following = tf.minimum(places + 1, tf.size(ids) - 1)
        left, right = tf.gather(ids, places), tf.gather(ids, following)
        keys = tf.cast(left, tf.int64) * self._vocab_size + tf.cast(right, tf.int64)
        found = tf.searchsorted(self._keys, keys)
        one_word = (following > places) & (tf.gather(words, places) == tf.gather(words, following))
        return tf.where(one_word & (tf.gather(self._keys, found) == keys), tf.gather(self._ranks, found), self._none)

    def _merge_once(
        self, ids: tf.Tensor, words: tf.Tensor, ranks: tf.Tensor, count: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """In each word the pairs of the lowest rank, where that is what merging one after the other comes to."""
        lowest = tf.gather(tf.math.unsorted_segment_min(ranks, words, count), words)
        chosen = _every_other((ranks == lowest) & (ranks < self._none))
        if self._alone is not None:
            places = tf.range(tf.size(ids))
            first = tf.math.unsorted_segment_min(tf.where(chosen, places, tf.int32.max), words, count)
            chosen &= ~tf.gather(self._alone, ranks) | (places == tf.gather(first, words))
        ids = tf.where(chosen, tf.gather(self._made, ranks), ids)
        kept = ~_shifted(chosen, -1, False)
        ids, words, ranks, chosen = (tf.boolean_mask(each, kept) for each in (ids, words, ranks, chosen))
        changed = tf.where(chosen | _shifted(chosen, 1, False))
        new = self._find_ranks(ids, words, tf.cast(changed[:, 0], tf.int32))
        return ids, words, tf.tensor_scatter_nd_update(ranks, changed, new)


class _AtomicTokens(tf.Module):
    """Finds tokens that are kept whole."""

    def __init__(self, tokenizer: ByteLevelBpeTokenizer):
        super().__init__()
        tokens = tokenizer.atomic_tokens  # The longest first.
        self._pattern = f"({'|'.join(map(re.escape, tokens))})"
        self._tokens = tf.constant(tokens, tf.string)
        self._ids = tf.constant([tokenizer.vocab[token] for token in tokens], tf.int32)
        self._strips_left = tf.constant([token in tokenizer.strips_left for token in tokens])
        self._strips_right = tf.constant([token in tokenizer.strips_right for token in tokens])

    def part(self, strings: tf.Tensor) -> tf.RaggedTensor:
        """Strings [B] parted at atomic tokens: [B, None], these at odd places."""
        set_off = tf.strings.regex_replace(strings, self._pattern, _SET_OFF + rb"\1" + _SET_OFF)
        return tf.strings.split(set_off, _SET_OFF)

    def take_out(self, parts: tf.Tensor) -> tuple[tf.Tensor, tf.RaggedTensor]:
        """Parts [P] with nothing in the place of atomic tokens, and the ids of these, int32 [P, 0 or 1]."""
        equal = parts[:, tf.newaxis] == self._tokens  # [P, tokens]
        is_atomic, number = tf.reduce_any(equal, 1), tf.argmax(equal, 1)
        before = _shifted(is_atomic & tf.gather(self._strips_left, number), 1, False)
        behind = _shifted(is_atomic & tf.gather(self._strips_right, number), -1, False)
        texts = tf.where(is_atomic, "", parts)
        texts = tf.where(before, tf.strings.regex_replace(texts, f"[{WHITE_SPACE}]+$", ""), texts)
        texts = tf.where(behind, tf.strings.regex_replace(texts, f"^[{WHITE_SPACE}]+", ""), texts)
        ids = tf.gather(self._ids, tf.boolean_mask(number, is_atomic))
        counts = tf.cast(is_atomic, tf.int64)
        return texts, tf.RaggedTensor.from_row_lengths(ids, counts, validate=False)


@functools.cache
def _classes() -> np.ndarray:
    """The class of each code point, uint8 [TABLE_SIZE]."""
    classes = [_CLASS_NUMBERS[byte_level.class_of(chr(point))] for point in range(UNICODE_SIZE)]
    return np.array([*classes, *[_CLOSING] * (TABLE_SIZE - UNICODE_SIZE)], np.uint8)


def _single_token_words(tokenizer: ByteLevelBpeTokenizer) -> tuple[list[bytes], list[int]]:
    """What merging makes one token of, and its id."""
    words, ids = [], []
    for token, token_id in tokenizer.vocab.items():
        spelled = [tokenizer.vocab.get(character) for character in token]
        data = byte_level.unspell(token)
        if data and byte_level.spell(data) == token and None not in spelled:
            if tokenizer.pairs.merge(spelled)[0] == [token_id]:
                words.append(data)
                ids.append(token_id)
    return words, ids


def _merged_alone(pairs: BytePairs, vocab_size: int, ranks: int) -> np.ndarray:
    """Whether each merge makes a token that a merge of lower rank goes on from, bool [ranks + 1].

    Then that one comes first, before the next pair that is equal to the one merged.
    """
    first_use = np.full(vocab_size, ranks)
    for parts, (rank, _) in pairs.merged.items():
        for part in parts:
            first_use[part] = min(first_use[part], rank)
    alone = np.zeros(ranks + 1, bool)
    for rank, made in pairs.merged.values():
        alone[rank] = first_use[made] < rank
    return alone


def _shifted(values: tf.Tensor, by: int, filling: int | bool) -> tf.Tensor:
    """What stands `by` places further on, [N]; `filling` beyond the ends."""
    size = tf.minimum(tf.size(values), abs(by))
    filled = tf.fill([size], tf.constant(filling, values.dtype))
    return tf.concat([values[by:], filled] if by > 0 else [filled, values[:by]], 0)


def _every_other(chosen: tf.Tensor) -> tf.Tensor:
    """Of pairs that overlap, side by side, the first, the third and so on, bool [S]."""
    places = tf.range(tf.size(chosen))
    begins = chosen & ~_shifted(chosen, -1, False)
    run = tf.cumsum(tf.cast(begins, tf.int32)) - 1
    starts = tf.boolean_mask(places, begins)
    start = tf.gather(starts, tf.boolean_mask(run, chosen))
    odd = tf.tensor_scatter_nd_update(
        tf.zeros_like(places), tf.where(chosen), (tf.boolean_mask(places, chosen) - start) % 2
    )
    return chosen & (odd == 0)
