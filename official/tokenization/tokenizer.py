"""What every tokenizer does, whatever its pieces are: text to ids with their places, and what stands around a text."""

import abc
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from official.errors import InputError
from official.tokenization.basic import BasicTokenizer


class SpecialTokens(NamedTuple):
    """The names of the tokens that are no text, as the vocabulary spells them."""

    pad: str = "[PAD]"
    unk: str = "[UNK]"
    cls: str = "[CLS]"
    sep: str = "[SEP]"
    mask: str = "[MASK]"


class Layout(NamedTuple):
    """What stands around texts in a row: `[CLS] a [SEP]`, or `[CLS] a [SEP] b [SEP]`.

    separators: how many [SEP] stand between a and b.
    segments: whether b, with the [SEP] behind it, is segment 1; else a row has one segment only.
    """

    separators: int = 1
    segments: bool = True

    @property
    def special_tokens(self) -> int:
        """How many tokens of a row with two texts belong to neither."""
        return 2 + self.separators


class Tokenizer(abc.ABC):
    """Text to token ids.

    Attributes:
        vocab: token → id.
        tokens: the token of each id.
        vocab_file: where the vocabulary was read, or None; for messages.
        special: the names of the special tokens.
        layout: what stands around texts.
        basic: of a tokenizer whose pieces are of words as BERT normalises them, what makes these words.
        lower_case: whether texts are lower-cased; None where nothing says so.
    """

    vocab: Mapping[str, int]
    tokens: Sequence[str]
    vocab_file: str | None = None
    special = SpecialTokens()
    layout = Layout()
    basic: BasicTokenizer | None = None
    lower_case: bool | None = None

    @abc.abstractmethod
    def encode(self, text: str | bytes) -> list[int]:
        """The token ids of a text; bytes are UTF-8."""

    @abc.abstractmethod
    def encode_with_offsets(self, text: str | bytes) -> tuple[list[int], list[tuple[int, int]]]:
        """The token ids of a text and for each its characters in the text, [start, end).

        Spans never overlap or go back; one that holds none of its characters is empty.
        """

    def encode_word(self, word: str) -> list[int]:
        """The token ids of a word, a text without white space, as it stands behind white space."""
        return self.encode(word)

    def encode_word_with_offsets(self, word: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The same, with offsets in `word`."""
        return self.encode_with_offsets(word)

    @property
    @abc.abstractmethod
    def continuation(self) -> np.ndarray:
        """Whether each token continues a word, and special tokens do not: bool, [V]."""

    @property
    def letters(self) -> np.ndarray | None:
        """How many characters of a word begin in each token, white space before it not counted: int64 [V].

        Negative where that is not known. None for a tokenizer of `basic` words, whose pieces are found in the text by
        what they spell.
        """
        return None

    def require(self, *tokens: str) -> None:
        """Raises InputError unless the vocabulary has every one of `tokens`."""
        missing = [token for token in tokens if token not in self.vocab]
        if missing:
            place = f"{self.vocab_file}: " if self.vocab_file else ""
            raise InputError(f"{place}the vocabulary has no {', '.join(missing)} among its {self.vocab_size} tokens")

    @property
    def vocab_size(self) -> int:
        """The number of ids, which is what an embedding table needs."""
        return len(self.tokens)

    def _special(self, token: str) -> int:
        self.require(token)
        return self.vocab[token]

    pad_id = property(lambda self: self._special(self.special.pad), doc="The id of [PAD]; InputError without it.")
    unk_id = property(lambda self: self._special(self.special.unk), doc="The id of [UNK].")
    cls_id = property(lambda self: self._special(self.special.cls), doc="The id of [CLS]; InputError without it.")
    sep_id = property(lambda self: self._special(self.special.sep), doc="The id of [SEP]; InputError without it.")
    mask_id = property(lambda self: self._special(self.special.mask), doc="The id of [MASK]; InputError without it.")

    def tokenize(self, text: str | bytes) -> list[str]:
        """The tokens of a text, [UNK] for what can't be made of pieces."""
        return self.convert_ids_to_tokens(self.encode(text))

    def convert_tokens_to_ids(self, tokens: Iterable[str]) -> list[int]:
        """Raises InputError for a token that the vocabulary lacks."""
        tokens = list(tokens)
        self.require(*tokens)
        return [self.vocab[token] for token in tokens]

    def convert_ids_to_tokens(self, ids: Iterable[int]) -> list[str]:
        return [self.tokens[token_id] for token_id in ids]
