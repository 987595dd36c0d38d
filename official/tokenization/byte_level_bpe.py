"""Byte-level BPE on Python strings, as GPT-2 and RoBERTa have it: text to ids, with the place of each in the text.

Radford et al. 2019, section 2.2. The same ids as `RobertaTokenizer` of transformers 5 for any string. Every text can
be spelled, and read again from its tokens: they are its bytes, merged within words that GPT-2's pattern finds. What a
chunk of text becomes depends on nothing around it, so that it is worked out once and remembered.
"""

import copy
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from official import files
from official.errors import InputError
from official.tokenization import basic, byte_level
from official.tokenization.byte_level import CHUNKS, HALF_CHARACTER, SPACE, SPACE_SPELLED, WHITE_SPACE, clean
from official.tokenization.byte_pairs import BytePairs
from official.tokenization.memory import Memory
from official.tokenization.tokenizer import Layout, SpecialTokens, Tokenizer

SPECIAL_TOKENS = SpecialTokens(pad="<pad>", unk="<unk>", cls="<s>", sep="</s>", mask="<mask>")
MERGES_HEADER = "#version"  # The first line of a file of merges begins so.


class Part(NamedTuple):
    """A part of a text: an atomic token, or what stands between two."""

    text: str
    start: int
    is_atomic: bool


def read_merges(path: str) -> list[tuple[str, str]]:
    """The pairs of a file of merges, one a line with a space between the two.

    Raises:
        InputError: there is no such file, or a line is no pair.
    """
    with files.open_file(path) as file:
        lines = file.read().split("\n")
    if lines[-1] == "":
        del lines[-1]
    pairs = []
    for number, line in enumerate(lines, 1):
        pair = tuple(line.removesuffix("\r").split(" "))
        if line.startswith(MERGES_HEADER):
            continue
        if len(pair) != 2 or not all(pair):
            raise InputError(f"{path}: line {number} is {line[:80]!r}: two tokens with a space between were expected")
        pairs.append(pair)
    return pairs


def read_vocabulary(path: str) -> dict[str, int]:
    """The tokens of a JSON object, token → id.

    Raises:
        InputError: there is no such file, or it holds something else.
    """
    with files.open_file(path) as file:
        text = file.read()
    try:
        vocab = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON: {error}") from error
    if not isinstance(vocab, dict):
        raise InputError(f"{path}: a JSON object of tokens and their ids was expected")
    return vocab


def write_files(tokenizer: "ByteLevelBpeTokenizer", vocab_file: str, merges_file: str) -> None:
    """Writes the vocabulary and the merges, as GPT-2's and RoBERTa's were released.

    Raises:
        InputError: a file can't be written, or a token of a merge can't stand in a line of it.
    """
    for rank, pair in enumerate(tokenizer.merges):
        if not all(pair) or re.search("[ \r\n]", "".join(pair)) or (pair[0].startswith(MERGES_HEADER)):
            raise InputError(f"{merges_file}: merge {rank} is {pair}, which can't be a line of it")
    ids = {token: tokenizer.vocab[token] for token in sorted(tokenizer.vocab, key=tokenizer.vocab.__getitem__)}
    with files.write_whole(vocab_file) as file:
        file.write(json.dumps(ids, ensure_ascii=False) + "\n")
    with files.write_whole(merges_file) as file:
        file.write(f"{MERGES_HEADER}: 0.2\n")
        file.writelines(f"{left} {right}\n" for left, right in tokenizer.merges)


class ByteLevelBpeTokenizer(Tokenizer):
    """Text to the ids of merged bytes.

    Args:
        vocab: token → id, bytes spelled as GPT-2 does (`byte_level.SPELLED`). A byte that it lacks is left out of the
            text, as in transformers; a vocabulary that was learnt has all 256.
        merges: pairs of tokens, the first learnt first.
        add_prefix_space: text that does not begin with a space is read as if it did, also behind an atomic token.
        atomic_tokens: tokens kept whole where they stand in the text. (transformers: all special tokens. Here a text
            can't hold `</s>` by accident: none, unless they are named.)
        strips_left: those of them that take in the white space before them, as RoBERTa's <mask>.
        strips_right: those that take in the white space behind them.

    Attributes:
        merges: as given.
        pairs: the same as ids.
        byte_ids: the id of each of the 256 bytes, None for one that the vocabulary lacks.

    Raises:
        InputError: an id is none, or two tokens share it; a merge or an atomic token is not in the vocabulary; an
            atomic token holds white space.
    """

    special = SPECIAL_TOKENS
    layout = Layout(separators=2, segments=False)

    def __init__(
        self,
        vocab: Mapping[str, int],
        merges: Iterable[tuple[str, str]],
        *,
        add_prefix_space: bool = False,
        atomic_tokens: Sequence[str] = (),
        strips_left: Collection[str] = (SPECIAL_TOKENS.mask,),
        strips_right: Collection[str] = (),
    ):
        self.vocab = dict(vocab)
        self.tokens = tokens_of(self.vocab)
        self.merges = list(merges)
        self.pairs = BytePairs(self.vocab, self.merges)
        self.byte_ids = [self.vocab.get(character) for character in byte_level.SPELLED]
        self.add_prefix_space = add_prefix_space
        self.strips_left, self.strips_right = frozenset(strips_left), frozenset(strips_right)
        self._set_atomic_tokens(atomic_tokens)
        self._ids_of = Memory(self._chunk_to_ids)
        self._spans_of = Memory(self._chunk_to_spans)
        self._ids_of_word = Memory(self._word_to_ids)

    @classmethod
    def from_files(cls, vocab_file: str, merges_file: str, **options) -> "ByteLevelBpeTokenizer":
        """Reads `vocab.json` and `merges.txt`; `options` are the constructor's.

        Raises:
            InputError: a file is missing or broken, or what they hold does not fit together.
        """
        return cls.from_pairs(read_vocabulary(vocab_file), read_merges(merges_file), vocab_file, **options)

    @classmethod
    def from_pairs(
        cls, vocab: Mapping[str, int], merges: Iterable[tuple[str, str]], vocab_file: str, **options
    ) -> "ByteLevelBpeTokenizer":
        """Takes what was read from `vocab_file`, and perhaps from another beside it; `options` are the constructor's.

        Raises:
            InputError: vocabulary and merges do not fit together.
        """
        try:
            tokenizer = cls(vocab, merges, **options)
        except InputError as error:
            raise InputError(f"{vocab_file}: {error}") from error
        tokenizer.vocab_file = vocab_file
        return tokenizer

    def with_atomic_tokens(self, *tokens: str) -> "ByteLevelBpeTokenizer":
        """The same, but for further tokens that are kept whole where they stand in a text.

        Raises:
            InputError: the vocabulary lacks one.
        """
        other = copy.copy(self)
        other._set_atomic_tokens([*self.atomic_tokens, *tokens])
        return other  # Memories are shared: chunks hold no atomic tokens.

    def _set_atomic_tokens(self, tokens: Iterable[str]) -> None:
        # The longest is tried first.
        self.atomic_tokens = tuple(sorted(set(tokens), key=lambda token: (-len(token), token)))
        for token in self.atomic_tokens:
            if not token or re.search(f"[{WHITE_SPACE}]", token):
                raise InputError(f"atomic token {token!r}: expected visible characters without white space")
        self.require(*self.atomic_tokens)
        self._atomic = re.compile("|".join(map(self._pattern, self.atomic_tokens))) if self.atomic_tokens else None

    def _pattern(self, token: str) -> str:
        before = f"[{WHITE_SPACE}]*" if token in self.strips_left else ""
        behind = f"[{WHITE_SPACE}]*" if token in self.strips_right else ""
        return before + re.escape(token) + behind

    @property
    def continuation(self) -> np.ndarray:
        """Whether each token continues a word: bool, [V].

        A word begins with a space (fairseq, data/encoders/gpt2_bpe.py, `is_beginning_of_word`), so that signs belong
        to the word before them. A text's first word has none before it, and its first token is one that continues:
        where that follows a special token, as in every row, a word begins with it nevertheless.
        """
        whole = {*self.special, *self.atomic_tokens, ""}
        return np.array([token not in whole and not token.startswith(SPACE_SPELLED) for token in self.tokens])

    @property
    def letters(self) -> np.ndarray:
        """How many characters begin in each token: bytes that go on with a character of UTF-8 are not counted."""
        whole = {*self.special, *self.atomic_tokens}
        spelled = [b"" if token in whole else byte_level.unspell(token) for token in self.tokens]
        return np.array(
            [sum(byte & 0xC0 != 0x80 and byte != ord(SPACE) for byte in each) for each in spelled], np.int64
        )

    def encode(self, text: str | bytes) -> list[int]:
        """The token ids of a text; bytes are UTF-8, and what can't be decoded is left out."""
        return self._encode(clean(text), self.add_prefix_space)

    def encode_word(self, word: str) -> list[int]:
        """The token ids of a word as it stands behind white space: with a space before it."""
        return self._encode(clean(word), True)

    def _encode(self, text: str, behind_space: bool) -> list[int]:
        if self._atomic is None:
            return self._encode_part(text, behind_space)
        ids = []
        for part in self._parts(text):
            ids += [self.vocab[part.text]] if part.is_atomic else self._encode_part(part.text, behind_space)
        return ids

    def _encode_part(self, text: str, behind_space: bool) -> list[int]:
        if behind_space:
            text = _with_space(text)
        return list(chain.from_iterable(map(self._ids_of.__getitem__, CHUNKS.findall(text))))

    def encode_with_offsets(self, text: str | bytes) -> tuple[list[int], list[tuple[int, int]]]:
        """The token ids of a text and for each its characters in the text, [start, end).

        Spans never overlap or go back, and spaces at the ends of a token are not in its span. Of the tokens of one
        character the first spans it; the others are empty, at its end.
        """
        return self._encode_with_offsets(basic.decode(text), self.add_prefix_space)

    def encode_word_with_offsets(self, word: str) -> tuple[list[int], list[tuple[int, int]]]:
        """The same for a word as it stands behind white space; that is not in a span."""
        return self._encode_with_offsets(basic.decode(word), True)

    def _encode_with_offsets(self, text: str, behind_space: bool) -> tuple[list[int], list[tuple[int, int]]]:
        cleaned = clean(text)
        ids, offsets = [], []
        for part in self._parts(cleaned):
            if part.is_atomic:
                ids.append(self.vocab[part.text])
                offsets.append((part.start, part.start + len(part.text)))
                continue
            spaced = _with_space(part.text) if behind_space else part.text
            origin = part.start - (len(spaced) - len(part.text))
            for match in CHUNKS.finditer(spaced):
                chunk_ids, spans = self._spans_of[match.group()]
                ids += chunk_ids
                place = origin + match.start()
                if place < part.start:  # A space was put before it, which has no place.
                    offsets += [(max(place + start, part.start), max(place + end, part.start)) for start, end in spans]
                else:
                    offsets += [(place + start, place + end) for start, end in spans]
        if len(cleaned) < len(text):
            kept = [place for place, character in enumerate(text) if not HALF_CHARACTER.match(character)]
            offsets = [_moved(span, kept) for span in offsets]
        return ids, offsets

    def _parts(self, text: str) -> Iterator[Part]:
        """Atomic tokens, without the white space that they take in, and the text between them, where there is some."""
        reached = 0
        for match in self._atomic.finditer(text) if self._atomic else ():
            if match.start() > reached:
                yield Part(text[reached : match.start()], reached, False)
            found = match.group()
            token = found.strip(WHITE_SPACE)
            yield Part(token, match.start() + found.index(token), True)
            reached = match.end()
        if reached < len(text):
            yield Part(text[reached:], reached, False)

    def _chunk_to_ids(self, chunk: str) -> tuple[int, ...]:
        return tuple(chain.from_iterable(map(self._ids_of_word.__getitem__, byte_level.split_words(chunk))))

    def _word_to_ids(self, word: str) -> list[int]:
        ids = map(self.byte_ids.__getitem__, word.encode())
        return self.pairs.merge([byte_id for byte_id in ids if byte_id is not None])[0]

    def _chunk_to_spans(self, chunk: str) -> tuple[list[int], list[tuple[int, int]]]:
        ids, spans = [], []
        for first, last in byte_level.find_words(chunk):
            # The id of each byte that has one, and the character that it belongs to.
            known = [
                (self.byte_ids[byte], place)
                for place in range(first, last)
                for byte in chunk[place].encode()
                if self.byte_ids[byte] is not None
            ]
            word_ids, ends = self.pairs.merge([byte_id for byte_id, _ in known])
            ids += word_ids
            reached = first
            for start, end in zip([0, *ends], ends):
                span = max(known[start][1], reached), max(known[end - 1][1] + 1, reached)
                spans.append(_without_spaces(chunk, *span))
                reached = span[1]
        return ids, spans

    def decode(self, ids: Iterable[int]) -> str:
        """The text of tokens, special ones by their names; bytes that are no UTF-8 become U+FFFD."""
        whole = {*self.special, *self.atomic_tokens}
        tokens = self.convert_ids_to_tokens(ids)
        spelled = (token.encode() if token in whole else byte_level.unspell(token) for token in tokens)
        return b"".join(spelled).decode("utf-8", errors="replace")


def tokens_of(vocab: Mapping[str, int]) -> list[str]:
    """The token of each id, "" where there is none.

    Raises:
        InputError: an id is none, two tokens share it, or a token is no text.
    """
    try:
        "".join(vocab).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"a token holds {error.object[error.start]!r}, half a character: text was expected") from error
    limit = 2 * len(vocab)  # Some vocabularies have holes.
    tokens: list[str | None] = [None] * limit
    for token, token_id in vocab.items():
        if type(token_id) is not int or not 0 <= token_id < limit:
            raise InputError(f"the id of {token!r} is {token_id!r}: a whole number below {limit} was expected")
        if tokens[token_id] is not None:
            raise InputError(f"{tokens[token_id]!r} and {token!r} have the same id, {token_id}")
        tokens[token_id] = token
    return [token or "" for token in tokens[: 1 + max(vocab.values(), default=-1)]]


def _with_space(text: str) -> str:
    return SPACE + text if text and not text.startswith(SPACE) else text


def _without_spaces(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] == SPACE:
        start += 1
    while start < end and text[end - 1] == SPACE:
        end -= 1
    return start, end


def _moved(span: tuple[int, int], kept: Sequence[int]) -> tuple[int, int]:
    """A span of characters in the text that they were taken from; `kept` are their places there."""
    start, end = span
    last = kept[end - 1] + 1 if end else 0
    return (kept[start], last) if start < end else (last, last)
