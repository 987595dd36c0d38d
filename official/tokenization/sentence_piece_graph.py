"""SentencePiece on string tensors: the same ids as the string face, in the graph.

What is done to text before follows tables made by the exporting Python, as the graph face of WordPiece does; the pieces
are found by TensorFlow Text. Only operations of these two libraries: it can be exported.
Shapes: B strings, S parts of strings between atomic tokens.
"""

import unicodedata

import tensorflow as tf
import tensorflow_text as tf_text

from official.errors import InputError
from official.tokenization import characters
from official.tokenization.character_map import CharacterMap, character_map, sigma_contexts
from official.tokenization.code_points import CASED, SKIPPED
from official.tokenization.sentence_piece import COMMA, SentencePieceTokenizer
from official.tokenization.sentence_piece_text import QUOTES, WHITE_SPACE, strip_combining

_BOUNDARY = b"\xff"  # No UTF-8 holds it.
_END = "\n"  # Stands behind each string while characters are replaced: neither cased nor passed over by a sigma.


class GraphSentencePieceTokenizer(tf.Module):
    """Strings [B], UTF-8, to token ids, int32 [B, None].

    Args:
        tokenizer: the string face, whose model and options are taken over.

    Raises:
        InputError: the model has no comma and pieces are to be parted before one.
    """

    def __init__(self, tokenizer: SentencePieceTokenizer):
        super().__init__()
        if tokenizer.digit_comma and tokenizer.vocab.get(COMMA) is None:
            place = f"{tokenizer.vocab_file}: " if tokenizer.vocab_file else ""
            raise InputError(f"{place}the model has no piece {COMMA!r}, which a graph needs to part pieces before it")
        self._rules = tokenizer.rules
        self._atomic = tokenizer.atomic_pattern
        self._atomic_ids = {token: tokenizer.vocab[token] for token in tokenizer.atomic_tokens}
        self._stripped = None if self._rules.keep_accents else _Replacement(character_map(_decompose_and_strip))
        self._lowered = _Replacement(character_map(str.lower)) if self._rules.lower_case else None
        self._sigma_contexts = tf.constant(sigma_contexts())
        self._sentencepiece = tf_text.SentencepieceTokenizer(tokenizer.model, out_type=tf.int32)
        self._parted = None
        if tokenizer.parted:
            parts = [tokenizer.parted.get(token_id, (token_id,)) for token_id in range(tokenizer.vocab_size)]
            self._parted = tf.ragged.constant(parts, tf.int32, row_splits_dtype=tf.int64)

    def __call__(self, strings: tf.Tensor) -> tf.RaggedTensor:
        """The token ids, int32 [B, None], of UTF-8 strings [B]; bytes that can't be decoded are left out."""
        strings = tf.convert_to_tensor(strings, tf.string)
        strings = tf.strings.unicode_transcode(strings, "UTF-8", "UTF-8", errors="ignore")
        if not self._atomic_ids:
            return self._find_pieces(strings)
        bounded = tf.strings.regex_replace(strings, self._atomic, _BOUNDARY + rb"\1" + _BOUNDARY)
        parts = tf.strings.split(bounded, sep=_BOUNDARY)  # [B, None]
        return parts.with_values(self._find_with_atomic(parts.values)).merge_dims(1, 2)

    def tokenize_words(self, words: tf.Tensor) -> tf.RaggedTensor:
        """The same of words: the beginning of a text is like a space before it."""
        return self(words)

    def _find_with_atomic(self, parts: tf.Tensor) -> tf.RaggedTensor:
        """The ids, int32 [S, None], of parts of strings [S], of which some are atomic tokens."""
        atomic_ids = tf.fill(tf.shape(parts), -1)
        for token, token_id in self._atomic_ids.items():
            atomic_ids = tf.where(parts == token, token_id, atomic_ids)
        is_atomic = atomic_ids >= 0
        pieces = self._find_pieces(tf.where(is_atomic, "", parts))
        own = tf.RaggedTensor.from_row_lengths(
            tf.boolean_mask(atomic_ids, is_atomic), tf.cast(is_atomic, tf.int64), validate=False
        )
        return tf.concat([pieces, own], axis=1)

    def _find_pieces(self, strings: tf.Tensor) -> tf.RaggedTensor:
        ids = self._sentencepiece.tokenize(self.normalize(strings))
        if self._parted is None:
            return ids
        return ids.with_values(tf.gather(self._parted, ids.values)).merge_dims(1, 2)

    def normalize(self, strings: tf.Tensor) -> tf.Tensor:
        """The strings [B] that SentencePiece is given: those of `TextRules.apply`."""
        if self._rules.remove_space:
            strings = tf.strings.regex_replace(strings, f"[{WHITE_SPACE}]+", " ")
            strings = tf.strings.regex_replace(strings, "^ | $", "")
        if self._rules.convert_quotes:
            strings = tf.strings.regex_replace(strings, QUOTES.pattern, '"')
        if self._stripped is None and self._lowered is None:
            return strings
        points = tf.strings.unicode_decode(tf.strings.join([strings, _END]), "UTF-8")  # [B, None]
        strings = tf.strings.unicode_encode(self._replace_characters(points), "UTF-8")
        return tf.strings.regex_replace(strings, rf"{_END}\z", "")

    def _replace_characters(self, points: tf.RaggedTensor) -> tf.RaggedTensor:
        if self._stripped is not None:
            points = self._stripped(points)
        if self._lowered is None:
            return points
        has_sigma = tf.reduce_any(points.values == ord(characters.CAPITAL_SIGMA))
        values = tf.cond(has_sigma, lambda: self._lower_final_sigma(points.values), lambda: points.values)
        return self._lowered(points.with_values(values))

    def _lower_final_sigma(self, points: tf.Tensor) -> tf.Tensor:
        """Σ becomes ς behind a cased character and not before one; the table makes σ of the others."""
        last = tf.size(self._sigma_contexts) - 1
        context = tf.where(points <= last, tf.gather(self._sigma_contexts, tf.minimum(points, last)), 0)
        seen = tf.where(context != SKIPPED)[:, 0]
        cased = tf.gather(context, seen) == CASED
        behind, before = tf.concat([[False], cased[:-1]], 0), tf.concat([cased[1:], [False]], 0)
        is_sigma = tf.gather(points, seen) == ord(characters.CAPITAL_SIGMA)
        final = tf.boolean_mask(seen, is_sigma & behind & ~before)
        small = tf.fill(tf.shape(final), ord(characters.FINAL_SIGMA))
        return tf.tensor_scatter_nd_update(points, final[:, tf.newaxis], small)


class _Replacement(tf.Module):
    """Code points to what becomes of them, both int32 [B, None]."""

    def __init__(self, table: CharacterMap):
        super().__init__()
        self._entries = tf.constant(table.entries)
        self._expansions = tf.constant(table.expansions)
        self._starts = tf.constant(table.expansion_splits[:-1])
        self._lengths = tf.constant(table.expansion_splits[1:] - table.expansion_splits[:-1])

    def __call__(self, points: tf.RaggedTensor) -> tf.RaggedTensor:
        last = tf.size(self._entries) - 1
        values = points.values
        entries = tf.where(values <= last, tf.gather(self._entries, tf.minimum(values, last)), values)
        return tf.cond(
            tf.reduce_any(entries < 0),
            lambda: self._expand(points.with_values(entries)),
            lambda: points.with_values(entries),
        )

    def _expand(self, entries: tf.RaggedTensor) -> tf.RaggedTensor:
        """Puts the characters of an expansion, several or none, in the place of one."""
        values = entries.values
        where = tf.where(values < 0)[:, 0]
        numbers = ~tf.gather(values, where)
        count = tf.size(values, tf.int64)
        starts = tf.tensor_scatter_nd_update(
            tf.range(count), where[:, tf.newaxis], count + tf.gather(self._starts, numbers)
        )
        lengths = tf.tensor_scatter_nd_update(
            tf.ones_like(starts), where[:, tf.newaxis], tf.gather(self._lengths, numbers)
        )
        places = tf.ragged.range(starts, starts + lengths)
        replaced = tf.gather(tf.concat([values, self._expansions], 0), places.values)
        return entries.with_values(places.with_values(replaced)).merge_dims(1, 2)


def _decompose_and_strip(character: str) -> str:
    return "".join(map(strip_combining, unicodedata.normalize("NFKD", character)))
