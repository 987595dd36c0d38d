"""WordPiece as published, on string tensors: the same ids as the string face, in the graph.

Text is decoded to one stream of code points, with a mark behind every string, normalised by table, parted into words,
and the words go to TensorFlow Text's linear-time WordPiece. Only operations of these two libraries: it can be exported.
Shapes: B strings, N characters, W words.
"""

import re
from collections.abc import Callable

import numpy as np
import tensorflow as tf
import tensorflow_text as tf_text

from official.tokenization import characters, code_points
from official.tokenization.code_points import (
    ACCENT,
    CASED,
    CLOSING,
    DROPPED,
    EXPANDS,
    ISOLATED,
    SKIPPED,
    SPACING_MARK,
    VALUE,
)
from official.tokenization.wordpiece import CONTINUATION, UNK, WordPieceTokenizer

# Control characters that no cleaned text holds: they set off atomic tokens, and stand for a word that is too long.
_FOUND, _NAMED, _TOO_LONG = "\x01", "\x02", "\x03"


class GraphWordPieceTokenizer(tf.Module):
    """Strings [B], UTF-8, to token ids, int32 [B, None].

    Args:
        tokenizer: the string face, whose vocabulary and options are taken over.
    """

    def __init__(self, tokenizer: WordPieceTokenizer):
        super().__init__()
        self._lower_case = tokenizer.lower_case
        self._strip_accents = tokenizer.strip_accents
        self._atomic_tokens = tokenizer.atomic_tokens
        self._max_input_chars_per_word = tokenizer.max_input_chars_per_word
        tables = code_points.normalization_tables(tokenizer.lower_case, tokenizer.strip_accents)
        entries = tables.entries.copy()
        if self._atomic_tokens:  # Then text is cleaned before names are put in, and no other such character is left.
            entries[ord(_NAMED)] = ord(_NAMED)
        self._entries = tf.constant(entries)
        self._expansions = tf.RaggedTensor.from_row_splits(tables.expansions, tables.expansion_splits)
        self._sigma_context = tf.constant(tables.sigma_context)
        self._combining_class = tf.constant(tables.combining_class)
        pieces = _pieces(tokenizer)
        self._ids = tf.constant(list(pieces.values()), tf.int32)
        self._wordpiece = tf_text.FastWordpieceTokenizer(
            list(pieces),
            suffix_indicator=CONTINUATION,
            unknown_token=UNK,
            max_bytes_per_word=_largest_word(tokenizer),
            token_out_type=tf.int32,
            no_pretokenization=True,
            support_detokenization=False,
        )

    def __call__(self, strings: tf.Tensor) -> tf.RaggedTensor:
        """The token ids, int32 [B, None], of UTF-8 strings [B]; bytes that can't be decoded are left out."""
        words, lengths = self._named_words(strings)
        words = words.with_values(tf.where(lengths > self._max_input_chars_per_word, _TOO_LONG, words.values))
        pieces = self._wordpiece.tokenize(words.values)  # [W, None]
        ids = pieces.with_values(tf.gather(self._ids, pieces.values))
        return words.with_values(ids).merge_dims(1, 2)

    def tokenize_words(self, words: tf.Tensor) -> tf.RaggedTensor:
        """The same of words: what stands before a word makes no difference to its pieces."""
        return self(words)

    def words(self, strings: tf.Tensor) -> tf.RaggedTensor:
        """The words, strings [B, None], that pieces are made of: those of `BasicTokenizer.tokenize`."""
        words, _ = self._named_words(strings)
        values = words.values
        for number, token in enumerate(self._atomic_tokens):
            values = tf.where(values == _atomic_name(number), token, values)
        return words.with_values(values)

    def _named_words(self, strings: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
        """The words [B, None], names in the place of atomic tokens, and the characters of each, [W]."""
        strings = tf.convert_to_tensor(strings, tf.string)
        if self._atomic_tokens:
            strings = self._name_atomic_tokens(strings)
        return self._split_words(self._normalize(self._decode(strings)))

    def _name_atomic_tokens(self, strings: tf.Tensor) -> tf.Tensor:
        """Puts a name that normalisation leaves alone in the place of each atomic token of the cleaned text."""
        strings = tf.strings.unicode_transcode(strings, "UTF-8", "UTF-8", errors="ignore")
        dropped = "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in code_points.dropped_ranges())
        strings = tf.strings.regex_replace(strings, f"[{dropped}]", "")
        escaped = [re.escape(token) for token in self._atomic_tokens]
        strings = tf.strings.regex_replace(strings, f"({'|'.join(escaped)})", rf" {_FOUND}\1{_FOUND} ")
        for number, token in enumerate(escaped):
            strings = tf.strings.regex_replace(strings, f"{_FOUND}{token}{_FOUND}", _atomic_name(number))
        return strings

    def _decode(self, strings: tf.Tensor) -> tf.Tensor:
        """The code points of all strings, [N], with CLOSING behind each string."""
        closed = tf.strings.join([strings, " "])  # Makes the place.
        decoded = tf.strings.unicode_decode(closed, "UTF-8", errors="ignore")  # [B, None]
        last = decoded.row_splits[1:, tf.newaxis] - 1
        return tf.tensor_scatter_nd_update(decoded.values, last, tf.fill(tf.shape(strings), CLOSING))

    def _normalize(self, points: tf.Tensor) -> tf.Tensor:
        """Code points to the entries of what they become, both [N]."""
        if self._lower_case:
            has_sigma = tf.reduce_any(points == ord(characters.CAPITAL_SIGMA))
            points = tf.cond(has_sigma, lambda: self._lower_final_sigma(points), lambda: points)
        entries = _leave_out(DROPPED, tf.gather(self._entries, points))
        if self._lower_case or self._strip_accents:
            entries = _where_any(EXPANDS, self._expand, entries)
        if self._strip_accents:
            entries = _leave_out(ACCENT, _where_any(SPACING_MARK, self._order_marks, entries))
        return entries

    def _lower_final_sigma(self, points: tf.Tensor) -> tf.Tensor:
        """Σ becomes ς behind a cased character and not before one; the table makes σ of the others."""
        context = tf.gather(self._sigma_context, points)
        seen = tf.where(context != SKIPPED)[:, 0]
        cased = tf.gather(context, seen) == CASED
        outside = [False]
        behind, before = tf.concat([outside, cased[:-1]], 0), tf.concat([cased[1:], outside], 0)
        is_sigma = tf.gather(points, seen) == ord(characters.CAPITAL_SIGMA)
        final = tf.boolean_mask(seen, is_sigma & behind & ~before)
        small = tf.fill(tf.shape(final), ord(characters.FINAL_SIGMA))
        return tf.tensor_scatter_nd_update(points, final[:, tf.newaxis], small)

    def _expand(self, entries: tf.Tensor) -> tf.Tensor:
        """Puts the several characters of an expansion in the place of one."""
        expands = entries & EXPANDS != 0
        where = tf.where(expands)[:, 0]
        alone = tf.where(~expands)[:, 0]
        expansions = tf.gather(self._expansions, tf.gather(entries, where) & VALUE)
        singles = tf.RaggedTensor.from_uniform_row_length(tf.gather(entries, alone), 1)
        return tf.gather(tf.concat([singles, expansions], 0), tf.argsort(tf.concat([alone, where], 0))).values

    def _order_marks(self, entries: tf.Tensor) -> tf.Tensor:
        """Canonical ordering: marks behind one base by their class, equal ones as they stand."""
        classes = tf.cast(tf.gather(self._combining_class, entries & VALUE), tf.int64)
        bases = tf.cumsum(tf.cast(classes == 0, tf.int64))
        return tf.gather(entries, tf.argsort(bases * 256 + classes, stable=True))

    def _split_words(self, entries: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
        """The words of each string, [B, None], and the characters of each, [W]."""
        points, isolated = entries & VALUE, entries & ISOLATED != 0
        closes = points == CLOSING
        visible = ~closes & (points != ord(" "))
        begins = visible & (isolated | tf.concat([[True], (isolated | ~visible)[:-1]], 0))
        letters = tf.boolean_mask(points, visible)
        starts = tf.where(tf.boolean_mask(begins, visible))[:, 0]
        spelled = tf.RaggedTensor.from_row_starts(letters, starts, validate=False)  # [W, None]
        words = tf.strings.unicode_encode(spelled, "UTF-8")  # [W]
        limits = tf.searchsorted(tf.where(begins)[:, 0], tf.where(closes)[:, 0], out_type=tf.int64)  # [B]
        return tf.RaggedTensor.from_row_limits(words, limits, validate=False), spelled.row_lengths()


def _where_any(flag: int, change: Callable[[tf.Tensor], tf.Tensor], entries: tf.Tensor) -> tf.Tensor:
    """Applies a change where any entry has `flag`; most text has none, and the change would do nothing."""
    return tf.cond(tf.reduce_any(entries & flag != 0), lambda: change(entries), lambda: entries)


def _leave_out(flag: int, entries: tf.Tensor) -> tf.Tensor:
    return _where_any(flag, lambda entries: tf.boolean_mask(entries, entries & flag == 0), entries)


def _atomic_name(number: int) -> str:
    return f"{_NAMED}{number}{_NAMED}"


def _largest_word(tokenizer: WordPieceTokenizer) -> int:
    """A bound in bytes that never bites: words are measured in characters before."""
    return 4 * max(tokenizer.max_input_chars_per_word, len(_atomic_name(len(tokenizer.atomic_tokens))))


def _pieces(tokenizer: WordPieceTokenizer) -> dict[str, int]:
    """The pieces that words can be made of, with their ids; atomic tokens under the names they get in the graph.

    TensorFlow Text takes neither empty pieces nor a token twice, and a lone surrogate is no UTF-8.
    """
    entries = code_points.normalization_tables(False, False).entries
    names = {_atomic_name(number): token for number, token in enumerate(tokenizer.atomic_tokens)}

    def occurs(token: str) -> bool:
        body = np.array([ord(character) for character in token.removeprefix(CONTINUATION)], np.int32)
        found = entries[body]
        return body.size and not np.any((found & DROPPED != 0) | (found == ord(" ")) | (body >> 11 == 0xD800 >> 11))

    pieces = {token: token_id for token, token_id in tokenizer.vocab.items() if occurs(token)}
    return pieces | {name: tokenizer.encode(token)[0] for name, token in names.items()}
