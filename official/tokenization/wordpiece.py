"""WordPiece as published, on Python strings: text to token ids, with the place of every token in the text.

The same tokens as `FullTokenizer` of google-research/bert (tokenization.py, commit eedf571) for any string. What a
chunk of text between white space becomes depends on nothing around it, so that it is worked out once and remembered.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from official import files
from official.errors import InputError
from official.tokenization import basic
from official.tokenization.alignment import Word
from official.tokenization.memory import Memory
from official.tokenization.tokenizer import SpecialTokens, Tokenizer

PAD, UNK, CLS, SEP, MASK = SPECIAL_TOKENS = SpecialTokens()
CONTINUATION = "##"


def read_vocabulary(path: str) -> list[str]:
    """The tokens of a vocabulary file, one a line, stripped of white space; the line number, from 0, is the id.

    Raises:
        InputError: there is no such file, or it is empty.
    """
    with files.open_file(path) as file:
        tokens = [line.strip() for line in file]
    if not tokens:
        raise InputError(f"{path}: is empty, a vocabulary of one token a line was expected")
    return tokens


class WordPieceTokenizer(Tokenizer):
    """Text to the ids of the longest matching pieces.

    Args:
        vocab: token → id. It must hold [UNK].
        lower_case: lower-case the text, as the vocabulary was made.
        strip_accents: decompose and drop accents; None follows `lower_case`, as published.
        atomic_tokens: tokens kept whole where they stand in the text, for example ("[MASK]",). Published: none.
        max_input_chars_per_word: longer words become [UNK].

    Attributes:
        vocab: token → id, in the order of the file; of a repeated token the last id, as published.
        tokens: the token of each id.
        vocab_file: where the vocabulary was read, or None.
        basic: the tokenizer of words.

    Raises:
        InputError: the vocabulary lacks [UNK] or an atomic token.
    """

    def __init__(
        self,
        vocab: Mapping[str, int],
        *,
        lower_case: bool = True,
        strip_accents: bool | None = None,
        atomic_tokens: Sequence[str] = (),
        max_input_chars_per_word: int = 200,
    ):
        self.vocab = dict(vocab)
        self.tokens = [""] * (1 + max(self.vocab.values(), default=-1))
        for token, token_id in self.vocab.items():
            self.tokens[token_id] = token
        self.vocab_file = None
        self.max_input_chars_per_word = max_input_chars_per_word
        self.basic = basic.BasicTokenizer(
            lower_case=lower_case, strip_accents=strip_accents, atomic_tokens=atomic_tokens
        )
        self.require(UNK, *atomic_tokens)
        self._longest = max(map(len, self.vocab))
        self._ids_of = Memory(self._chunk_to_ids)
        self._spans_of = Memory(self._chunk_to_spans)

    @classmethod
    def from_file(cls, vocab_file: str, **options) -> "WordPieceTokenizer":
        """Reads a vocabulary file; `options` are the constructor's.

        Raises:
            InputError: there is no such file, it is empty, or it lacks [UNK] or an atomic token.
        """
        return cls.from_tokens(read_vocabulary(vocab_file), vocab_file, **options)

    @classmethod
    def from_tokens(cls, tokens: Sequence[str], vocab_file: str | None = None, **options) -> "WordPieceTokenizer":
        """Takes the lines of a vocabulary, which was read from `vocab_file`; `options` are the constructor's.

        Raises:
            InputError: [UNK] or an atomic token is not among them.
        """
        try:
            tokenizer = cls({token: index for index, token in enumerate(tokens)}, **options)
        except InputError as error:
            raise InputError(f"{vocab_file}: {error}" if vocab_file else str(error)) from error
        tokenizer.tokens, tokenizer.vocab_file = list(tokens), vocab_file
        return tokenizer

    def with_atomic_tokens(self, *tokens: str) -> "WordPieceTokenizer":
        """The same, but for further tokens that are kept whole where they stand in a text.

        Raises:
            InputError: the vocabulary lacks one.
        """
        return self.from_tokens(
            self.tokens,
            self.vocab_file,
            lower_case=self.lower_case,
            strip_accents=self.strip_accents,
            atomic_tokens=tuple(dict.fromkeys([*self.atomic_tokens, *tokens])),
            max_input_chars_per_word=self.max_input_chars_per_word,
        )

    @property
    def lower_case(self) -> bool:
        return self.basic.lower_case

    @property
    def strip_accents(self) -> bool:
        return self.basic.strip_accents

    @property
    def atomic_tokens(self) -> tuple[str, ...]:
        return self.basic.atomic_tokens

    @property
    def continuation(self) -> np.ndarray:
        """Whether each token continues a word: bool, [V]."""
        return np.array([token.startswith(CONTINUATION) for token in self.tokens])

    def encode(self, text: str | bytes) -> list[int]:
        """The token ids of a text; bytes are UTF-8."""
        return list(chain.from_iterable(map(self._ids_of.__getitem__, basic.split_chunks(basic.decode(text)))))

    def encode_with_offsets(self, text: str | bytes) -> tuple[list[int], list[tuple[int, int]]]:
        """The token ids of a text and for each its characters in the text, [start, end).

        Spans never overlap or go back. [UNK] spans its word. A span takes in the accents stripped from its characters;
        a piece that holds only a later part of one character (the second Jamo of a Hangul syllable) has an empty span
        at that character's end.
        """
        ids, offsets = [], []
        for chunk, position in basic.find_chunks(basic.decode(text)):
            chunk_ids, spans = self._spans_of[chunk]
            ids += chunk_ids
            offsets += [(position + start, position + end) for start, end in spans]
        return ids, offsets

    def _chunk_to_ids(self, chunk: str) -> tuple[int, ...]:
        pieces = chain.from_iterable(map(self.split_pieces, self.basic.split_words(chunk)))
        return tuple(token_id for token_id, _, _ in pieces)

    def _chunk_to_spans(self, chunk: str) -> tuple[tuple[int, ...], list[tuple[int, int]]]:
        ids, spans, reached = [], [], 0
        for word in self.basic.split_aligned_words(chunk):
            for token_id, first, last in self.split_pieces(word.text):
                start, reached = _span(word, first, last, reached)
                ids.append(token_id)
                spans.append((start, reached))
        return tuple(ids), spans

    def split_pieces(self, word: str) -> list[tuple[int, int, int]]:
        """The pieces of a normalised word, longest match first: (id, first character, last character + 1)."""
        unknown = [(self.vocab[UNK], 0, len(word))]
        if len(word) > self.max_input_chars_per_word:
            return unknown
        pieces, start = [], 0
        while start < len(word):
            match = self._longest_match(word, start)
            if match is None:
                return unknown
            pieces.append((match[0], start, match[1]))
            start = match[1]
        return pieces

    def _longest_match(self, word: str, start: int) -> tuple[int, int] | None:
        prefix = CONTINUATION if start else ""
        for end in range(min(len(word), start + self._longest), start, -1):
            token_id = self.vocab.get(prefix + word[start:end])
            if token_id is not None:
                return token_id, end
        return None


def _span(word: Word, first: int, last: int, reached: int) -> tuple[int, int]:
    """Where a word's characters [first, last) stand, not before `reached`, the end of the piece before."""
    start = max(word.starts[first], reached)
    return start, max(start, *word.ends[first:last])
