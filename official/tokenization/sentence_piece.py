"""SentencePiece (Kudo and Richardson 2018) on Python strings, as ALBERT uses it: text to token ids with their places.

The same pieces as google-research/albert tokenization.py:82-136 (`preprocess_text`, `encode_pieces`), with the model
that is in a `spiece.model`. The whole text goes through the library: it makes 5 MB a second, and where two ways of
parting a text are nearly equal its choice depends, by rounding, on all that stands before.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np
import sentencepiece
from google.protobuf.message import DecodeError
from sentencepiece import sentencepiece_model_pb2

from official import files
from official.errors import InputError
from official.tokenization import basic
from official.tokenization.alignment import Word
from official.tokenization.atomic import AtomicTokens
from official.tokenization.sentence_piece_text import TextRules
from official.tokenization.tokenizer import SpecialTokens, Tokenizer

SPACE = "▁"  # What a piece has in the place of the white space before it.
COMMA = ","
# What is left of a piece before its comma is a text by itself, and gets a ▁. XLNet's code (prepro_utils.py:47-76) and
# transformers' take it away again. ALBERT's means to, but compares one byte with the three of ▁ (tokenization.py:119).
AS_ALBERT, AS_XLNET = "albert", "xlnet"
ALBERT_TOKENS = SpecialTokens(pad="<pad>", unk="<unk>", cls="[CLS]", sep="[SEP]", mask="[MASK]")


class _Piece(NamedTuple):
    """A piece that was found: its characters are [start, end) of the text that SentencePiece was given."""

    text: str
    id: int
    start: int
    end: int


class SentencePieceTokenizer(Tokenizer):
    """Text to the ids of the most probable pieces.

    Args:
        model: the bytes of a `spiece.model`.
        rules: what is done to text before.
        digit_comma: how a piece that ends in a digit and a comma is parted once more, without the comma (`9,9` is
            `9 , 9`): AS_ALBERT, AS_XLNET or None, not at all.
        atomic_tokens: tokens kept whole where they stand in the text, for example ("[MASK]",). Published: none. What
            stands between them is a text of its own each time.
        added_tokens: tokens that get ids behind the model's, in this order.
        special: the names of the special tokens; that of [UNK] is taken from the model.

    Attributes:
        model, rules, digit_comma, added_tokens, special: as above.
        parted: of each piece that ends in a digit and a comma, the ids that stand for it.

    Raises:
        InputError: it is no such model, an added token is in it, or an atomic token is not.
    """

    def __init__(
        self,
        model: bytes,
        *,
        rules: TextRules = TextRules(),
        digit_comma: str | None = AS_ALBERT,
        atomic_tokens: Sequence[str] = (),
        added_tokens: Sequence[str] = (),
        special: SpecialTokens = ALBERT_TOKENS,
    ):
        self.model, self.rules, self.digit_comma = model, rules, digit_comma
        self._pieces = load(model)
        size = self._pieces.get_piece_size()
        self.tokens = [*map(self._pieces.id_to_piece, range(size)), *added_tokens]
        self.vocab = {token: index for index, token in enumerate(self.tokens)}
        if len(self.vocab) < len(self.tokens):
            raise InputError("an added token is in the model already, or named twice")
        self.added_tokens, self.vocab_file = tuple(added_tokens), None
        self._unknown = self._pieces.unk_id()
        self.special = special._replace(unk=self.tokens[self._unknown])
        self.require(*atomic_tokens)
        self._atomic = AtomicTokens(atomic_tokens)
        self.parted = {}
        if digit_comma:
            ending = [index for index in range(size) if ends_in_digit_comma(self.tokens[index])]
            self.parted = {index: self._part(self.tokens[index]) for index in ending}
        # Only where the comma is unknown can an unknown piece end in one.
        self._comma_unknown = digit_comma is not None and self._id_of(COMMA) == self._unknown

    @classmethod
    def from_file(cls, vocab_file: str, **options) -> "SentencePieceTokenizer":
        """Reads a `spiece.model`; `options` are the constructor's.

        Raises:
            InputError: there is no such file, or it is none.
        """
        with files.open_file(vocab_file, "rb") as file:
            model = file.read()
        try:
            tokenizer = cls(model, **options)
        except InputError as error:
            raise InputError(f"{vocab_file}: {error}") from error
        tokenizer.vocab_file = vocab_file
        return tokenizer

    def with_atomic_tokens(self, *tokens: str) -> "SentencePieceTokenizer":
        """The same, but for further tokens that are kept whole where they stand in a text.

        Raises:
            InputError: the vocabulary lacks one.
        """
        tokenizer = SentencePieceTokenizer(
            self.model,
            rules=self.rules,
            digit_comma=self.digit_comma,
            atomic_tokens=tuple(dict.fromkeys([*self.atomic_tokens, *tokens])),
            added_tokens=self.added_tokens,
            special=self.special,
        )
        tokenizer.vocab_file = self.vocab_file
        return tokenizer

    @property
    def lower_case(self) -> bool:
        return self.rules.lower_case

    @property
    def atomic_tokens(self) -> tuple[str, ...]:
        return self._atomic.tokens

    @property
    def atomic_pattern(self) -> str:
        """What finds an atomic token, as its first group: a regular expression of Python's and of RE2."""
        return self._atomic.pattern

    @property
    def continuation(self) -> np.ndarray:
        """Whether each token continues a word, that is, does not start with ▁, and is text: bool, [V]."""
        size = self._pieces.get_piece_size()
        return np.array(
            [
                index < size and not self.is_special(index) and not token.startswith(SPACE)
                for index, token in enumerate(self.tokens)
            ]
        )

    @property
    def letters(self) -> np.ndarray:
        """How many characters each piece has, ▁ not counted; −1 for [UNK], which may stand for any number."""
        lengths = np.array([len(token.replace(SPACE, "")) for token in self.tokens], np.int64)
        lengths[self._unknown] = -1
        return lengths

    def is_special(self, token_id: int) -> bool:
        """Whether a token of the model stands for no text: [UNK], a control symbol, a piece that is not used."""
        pieces = self._pieces
        return pieces.is_unknown(token_id) or pieces.is_control(token_id) or pieces.is_unused(token_id)

    def scores(self) -> list[tuple[str, float]]:
        """The pieces of the model and their scores, in the order of their ids."""
        ids = range(self._pieces.get_piece_size())
        return [(self.tokens[token_id], self._pieces.get_score(token_id)) for token_id in ids]

    def encode(self, text: str | bytes) -> list[int]:
        """The token ids of a text; bytes are UTF-8."""
        text = basic.decode(text)
        if not self.atomic_tokens:
            return self._encode_part(text)
        ids = []
        for part, is_atomic in self._atomic.split(text):
            ids += [self.vocab[part]] if is_atomic else self._encode_part(part)
        return ids

    def _encode_part(self, text: str) -> list[int]:
        ids = self._pieces.encode(self.rules.apply(text))
        if self._comma_unknown and self._unknown in ids:
            return [piece.id for piece in self._find(self.rules.apply(text))]
        if self.parted and not self.parted.keys().isdisjoint(ids):
            return list(chain.from_iterable(self.parted.get(token_id, (token_id,)) for token_id in ids))
        return ids

    def encode_with_offsets(self, text: str | bytes) -> tuple[list[int], list[tuple[int, int]]]:
        """The token ids of a text and for each its characters in the text, [start, end).

        Spans never overlap or go back, and hold no white space at their start: ▁ alone has an empty one. A span takes
        in the accents dropped from its characters; a piece that holds only a later part of one character (the 2 of ½)
        has an empty span at that character's end.
        """
        ids, offsets, position = [], [], 0
        for part, is_atomic in self._atomic.split(basic.decode(text)):
            if is_atomic:
                ids.append(self.vocab[part])
                offsets.append((position, position + len(part)))
            else:
                aligned = self.rules.apply_aligned(part)
                pieces = self._find(aligned.text)
                ids += [piece.id for piece in pieces]
                offsets += [(position + start, position + end) for start, end in _spans(aligned, pieces)]
            position += len(part)
        return ids, offsets

    def _find(self, text: str) -> list[_Piece]:
        """The pieces of a text that is as SentencePiece is to have it; their ends touch."""
        if (plain := self._find_plain(text)) is not None:
            return plain
        found = []
        for piece in self._pieces.encode(text, out_type="immutable_proto").pieces:
            whole = _Piece(piece.piece, piece.id, piece.begin, piece.end)
            unknown = piece.id == self._unknown and self._comma_unknown and ends_in_digit_comma(piece.piece)
            found += self._divide(text, whole) if unknown or piece.id in self.parted else [whole]
        return found

    def _find_plain(self, text: str) -> list[_Piece] | None:
        """The same where pieces spell the text letter by letter, in a fifth of the library's time; else None."""
        ids = self._pieces.encode(text)
        tokens = [self.tokens[token_id] for token_id in ids]
        if "".join(tokens) != SPACE + text.replace(" ", SPACE) or not self.parted.keys().isdisjoint(ids):
            return None
        ends = [0, *(end - 1 for end in accumulate(map(len, tokens)))]  # The first ▁ is before the text.
        return list(map(_Piece, tokens, ids, ends, ends[1:]))

    def _divide(self, text: str, whole: _Piece) -> list[_Piece]:
        """A piece that ends in a digit and a comma, parted; one by one if its letters are those of the text."""
        letters = whole.text.replace(SPACE, "")
        start = whole.end - len(text[whole.start : whole.end].lstrip())
        told_apart = whole.end - start == len(letters)
        parts, begin, used = [], whole.start, 0
        for token_id, length in self._part_with_lengths(whole.text):
            used += length
            end = start + used if told_apart else whole.end
            parts.append(_Piece("", token_id, begin, end))
            begin = end
        return parts

    def _part(self, piece: str) -> tuple[int, ...]:
        return tuple(token_id for token_id, _ in self._part_with_lengths(piece))

    def _part_with_lengths(self, piece: str) -> list[tuple[int, int]]:
        """The ids that a piece ending in a digit and a comma becomes, and how many letters each has."""
        parts = self._pieces.encode(piece[:-1].replace(SPACE, ""), out_type=str)
        if self.digit_comma == AS_XLNET and not piece.startswith(SPACE) and parts[0].startswith(SPACE):
            parts = [parts[0][1:], *parts[1:]] if len(parts[0]) > 1 else parts[1:]
        return [(self._id_of(part), len(part.replace(SPACE, ""))) for part in [*parts, COMMA]]

    def _id_of(self, piece: str) -> int:
        return self._pieces.piece_to_id(piece)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of token ids; special tokens leave nothing, [UNK] leaves ⁇."""
        texts, pieces, size = [], [], self._pieces.get_piece_size()
        for token_id in ids:
            if token_id < size:
                pieces.append(int(token_id))
                continue
            texts += [self._pieces.decode(pieces), self.tokens[token_id]]
            pieces = []
        return " ".join(text for text in [*texts, self._pieces.decode(pieces)] if text)


def load(model: bytes) -> sentencepiece.SentencePieceProcessor:
    """Raises InputError where `model` is no model, or was cut short: then it may lack what comes after the pieces."""
    try:
        parsed = sentencepiece_model_pb2.ModelProto.FromString(model)
        if parsed.HasField("trainer_spec") and parsed.HasField("normalizer_spec"):
            return sentencepiece.SentencePieceProcessor(model_proto=model)
    except (DecodeError, RuntimeError) as error:
        raise InputError("not a SentencePiece model") from error
    raise InputError("not a SentencePiece model, or cut short")


def ends_in_digit_comma(piece: str) -> bool:
    """Whether ALBERT parts a piece once more (tokenization.py:114)."""
    return len(piece) > 1 and piece[-1] == COMMA and piece[-2].isdigit()


def _spans(aligned: Word, pieces: Sequence[_Piece]) -> list[tuple[int, int]]:
    """The places of pieces, whose ends touch, in the original."""
    text, starts, ends = aligned
    spans, reached = [], 0
    for piece in pieces:
        first, last = piece.start, piece.end
        while first < last and (text[first].isspace() or text[first] == SPACE):
            first += 1
        if first < last:
            start = max(reached, starts[first])
            reached = max(start, ends[last - 1])
        else:
            start = reached = max(reached, ends[last - 1]) if piece.start < last else reached
        spans.append((start, reached))
    return spans
