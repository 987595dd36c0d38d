"""New tokens for a trained model: in the vocabulary, and in every table that has a row for each token."""

import dataclasses
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import keras
import numpy as np

from official.checkpoints import registry
from official.checkpoints.tools.tables import read_tables, with_tables
from official.errors import InputError
from official.tokenization import characters
from official.tokenization.wordpiece import CONTINUATION, UNK, WordPieceTokenizer

UNUSED = re.compile(r"\[unused\d+\]")  # Places that the published vocabularies keep free.
TAKEN, APPENDED, PRESENT = "in the place of [unusedN]", "appended", "there already"
SHOWN = 8  # Tokens per line of a printed report; the rest are counted.


class Spelling(NamedTuple):
    """How a token stands in the vocabulary.

    Attributes:
        text: the entry.
        atomic: whether text has to be searched for it, because no word of the tokenizer's is equal to it.
    """

    text: str
    atomic: bool


@dataclasses.dataclass(frozen=True)
class AddedToken:
    """What became of one token.

    Attributes:
        token: as it was given.
        spelling: as it stands in the vocabulary.
        token_id: its id.
        how: TAKEN, APPENDED or PRESENT.
        atomic: whether it was made an atomic token.
    """

    token: str
    spelling: str
    token_id: int
    how: str
    atomic: bool


@dataclasses.dataclass(frozen=True)
class AddedTokens:
    """What became of all tokens, in the order given, and the sizes of the vocabulary before and after."""

    entries: Sequence[AddedToken]
    size_before: int
    size_after: int

    @property
    def ids(self) -> dict[str, int]:
        """The id of each token, as it was given."""
        return {entry.token: entry.token_id for entry in self.entries}

    def __str__(self) -> str:
        counts = [f"{sum(entry.how == how for entry in self.entries)} {how}" for how in (TAKEN, APPENDED, PRESENT)]
        sizes = f"the vocabulary had {self.size_before} tokens and has {self.size_after}"
        lines = [f"{len(self.entries)} tokens: {', '.join(counts)}; {sizes}"]
        atomic = [entry.token for entry in self.entries if entry.atomic]
        respelt = [f"{entry.token} → {entry.spelling}" for entry in self.entries if entry.token != entry.spelling]
        if atomic:
            lines.append(f"  kept whole wherever a text holds them as written: {_some(atomic)}")
        if respelt:
            lines.append(f"  spelt as the tokenizer spells words: {_some(respelt)}")
        return "\n".join(lines)


class Extended(NamedTuple):
    """A model and a tokenizer that know the new tokens, and what became of each."""

    model: keras.Model
    tokenizer: WordPieceTokenizer
    added: AddedTokens


def add_tokens(model: keras.Model, tokenizer: WordPieceTokenizer, tokens: Iterable[str]) -> Extended:
    """Adds tokens to a model and its tokenizer, which are left alone.

    New tokens take the places of `[unusedN]`, in the order of their ids, then rows that the model's tables have beyond
    the vocabulary (some are padded to a round size), and then the tables grow. A row of a new token starts as the mean
    of the rows of the pieces that the token was made of before, [UNK] left out; where nothing else is left, as the
    mean of the rows of all tokens. Unlike noise that is the same every time, stands where the model already
    understands something like the token, and is no larger than other rows, so that as the bias and row of an output it
    does not outshine every other word before training. All other numbers of the model stay the same to the last bit.

    A token that is one word to the tokenizer is spelt as the tokenizer spells words (`COVID` is `covid` if it
    lower-cases), and WordPiece finds it by itself. `##ology` continues words. A token that would be parted (`C++`,
    `[ENT]`) becomes an atomic token: it is found as written, case and all, wherever the text holds it. A token that is
    there already keeps its id and its row, and is also made atomic if need be. Repeated tokens count once. Other words
    are parted otherwise than before where a new token is a longer match: `covids` is `covid`, `##s`.

    Args:
        model: of a known family.
        tokenizer: its tokenizer.
        tokens: without white space, which parts text before tokens are looked for.

    Raises:
        InputError: a token is empty or can be found in no text, or the vocabulary is larger than the model's tables.
    """
    rows = model.config.vocab_size
    if tokenizer.vocab_size > rows:
        place = tokenizer.vocab_file or "the tokenizer"
        raise InputError(f"{place}: has {tokenizer.vocab_size} tokens, the model's tables have rows for {rows} only")
    spellings = {token: _spell(token, tokenizer) for token in dict.fromkeys(tokens)}
    entries = _place(spellings, tokenizer)
    extended = _extend_tokenizer(tokenizer, entries)
    pieces = _pieces_before(entries, tokenizer)
    config = dataclasses.replace(model.config, vocab_size=max(rows, extended.vocab_size))
    tables = {
        name: _fill(table, config.vocab_size, tokenizer.vocab_size, pieces)
        for name, table in read_tables(model, registry.family_of_model(model).vocabulary_tables).items()
    }
    added = AddedTokens(entries, tokenizer.vocab_size, extended.vocab_size)
    return Extended(with_tables(model, config, tables), extended, added)


def _spell(token: str, tokenizer: WordPieceTokenizer) -> Spelling:
    if not token:
        raise InputError("one of the tokens to add is empty")
    for character in token:
        if characters.is_whitespace(character):
            raise InputError(f"token {token!r} holds white space, where text is parted before tokens are looked for")
        if characters.is_dropped(character):
            raise InputError(f"token {token!r} holds {character!r}, which is left out of every text")
    spelling = _spell_continuation(token, tokenizer) if _continues(token) else _spell_word(token, tokenizer)
    if len(spelling.text) > (longest := tokenizer.max_input_chars_per_word):
        raise InputError(f"token {token[:20]!r}… is {len(token)} characters long, words may be {longest} long")
    return spelling


def _spell_word(token: str, tokenizer: WordPieceTokenizer) -> Spelling:
    words = tokenizer.basic.tokenize(token)
    if not words:
        raise InputError(f"token {token!r} is made of accents only, which this tokenizer strips")
    return Spelling(words[0], atomic=False) if len(words) == 1 else Spelling(token, atomic=True)


def _spell_continuation(token: str, tokenizer: WordPieceTokenizer) -> Spelling:
    letter = "a"  # Some word for it to continue.
    words = tokenizer.basic.tokenize(letter + token.removeprefix(CONTINUATION))
    if len(words) != 1 or words[0] == letter:
        raise InputError(f"token {token!r} would continue a word, as {CONTINUATION} says, but no word can hold it")
    return Spelling(CONTINUATION + words[0].removeprefix(letter), atomic=False)


def _continues(token: str) -> bool:
    return token.startswith(CONTINUATION) and token != CONTINUATION


def _place(spellings: Mapping[str, Spelling], tokenizer: WordPieceTokenizer) -> list[AddedToken]:
    ids, entries = dict(tokenizer.vocab), []
    kept = {*tokenizer.atomic_tokens, *(spelling.text for spelling in spellings.values())}
    free = iter(sorted(ids[token] for token in ids if UNUSED.fullmatch(token) and token not in kept))
    behind = itertools.count(tokenizer.vocab_size)
    for token, (text, atomic) in spellings.items():
        how = PRESENT
        if text not in ids:
            taken = next(free, None)
            ids[text], how = (next(behind), APPENDED) if taken is None else (taken, TAKEN)
        entries.append(AddedToken(token, text, ids[text], how, atomic))
    return entries


def _extend_tokenizer(tokenizer: WordPieceTokenizer, entries: Sequence[AddedToken]) -> WordPieceTokenizer:
    taken = {entry.token_id: entry.spelling for entry in entries if entry.how == TAKEN}
    appended = [entry.spelling for entry in entries if entry.how == APPENDED]
    return WordPieceTokenizer.from_tokens(
        [taken.get(token_id, token) for token_id, token in enumerate(tokenizer.tokens)] + appended,
        lower_case=tokenizer.lower_case,
        strip_accents=tokenizer.strip_accents,
        atomic_tokens=[*tokenizer.atomic_tokens, *(entry.spelling for entry in entries if entry.atomic)],
        max_input_chars_per_word=tokenizer.max_input_chars_per_word,
    )


def _pieces_before(entries: Sequence[AddedToken], tokenizer: WordPieceTokenizer) -> dict[int, list[int]]:
    """For the id of each new token, the ids of what it was made of, without [UNK]."""
    continuing = _within_words(tokenizer)
    pieces = {}
    for entry in entries:
        if entry.how == PRESENT:
            continue
        if _continues(entry.spelling):
            found = [piece for piece, _, _ in continuing.split_pieces(entry.spelling.removeprefix(CONTINUATION))]
        else:
            found = tokenizer.encode(entry.token)
        pieces[entry.token_id] = [piece for piece in found if piece != tokenizer.unk_id]
    return pieces


def _within_words(tokenizer: WordPieceTokenizer) -> WordPieceTokenizer:
    """A tokenizer to which every word is the continuation of another."""
    continuations = {token: token_id for token, token_id in tokenizer.vocab.items() if _continues(token)}
    first = {token.removeprefix(CONTINUATION): token_id for token, token_id in continuations.items()}
    return WordPieceTokenizer(
        first | continuations | {UNK: tokenizer.unk_id},
        max_input_chars_per_word=tokenizer.max_input_chars_per_word,
    )


def _fill(table: np.ndarray, rows: int, known: int, pieces: Mapping[int, Sequence[int]]) -> np.ndarray:
    """The table [R, …] with `rows` rows, those of new tokens as they start; the first `known` rows have tokens."""
    filled = np.concatenate([table, np.zeros((rows - len(table), *table.shape[1:]), table.dtype)])
    mean_of_all = _mean(table[:known])
    for token_id, found in pieces.items():
        filled[token_id] = _mean(table[found]) if found else mean_of_all
    return filled


def _mean(rows: np.ndarray) -> np.ndarray:
    return rows.mean(axis=0, dtype=np.float64).astype(rows.dtype)


def _some(tokens: Sequence[str]) -> str:
    more = len(tokens) - SHOWN
    return ", ".join(tokens[:SHOWN]) + (f" and {more} more" if more > 0 else "")
