"""Learns a WordPiece vocabulary from text, laid out as the released ones are.

The merges are learnt by the `tokenizers` library, from words that our own basic tokenizer makes: what is learnt is what
the tokenizer will meet. Left to itself the library numbers the alphabet in the order of a hash table, and ties between
merges fall with those numbers; here the alphabet is given to it in order, and the same words make the same vocabulary.
"""

import collections
import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from data_prep.processes import workers
from data_prep.word_counts import count_words
from official.errors import InputError
from official.tokenization.wordpiece import CLS, CONTINUATION, MASK, PAD, SEP, UNK, WordPieceTokenizer

VOCAB_SIZE = 30_522  # Of the released English vocabularies.
# Released: [PAD], [unused0] … [unused98], [UNK], [CLS], [SEP], [MASK], [unused99] …: these have ids 0 and 100 to 103.
UNUSED_BEFORE_SPECIAL = 99
LEAST_ALPHABET = 1_000  # As many as the released English vocabularies have,
COVERAGE = 0.9995  # and for Korean, Chinese or Japanese as many as make up this share of the text.
# The library counts words by itself and so is given each as often as it occurs: never more text than this.
MOST_FED_CHARACTERS = 1_000_000_000
_REPEATED = 10_000


class Alphabet(NamedTuple):
    """The characters that words may be made of."""

    beginning: list[str]  # In the order of code points.
    continuing: list[str]  # Those of them that stand inside words.

    @property
    def tokens(self) -> list[str]:
        return self.beginning + [CONTINUATION + character for character in self.continuing]


class Coverage(NamedTuple):
    """What a vocabulary makes of a corpus."""

    words: int
    unknown: int  # of these words
    pieces: int  # of all words, [UNK] counted as one


def learn_vocabulary(
    lines: Iterable[str],
    vocab_size: int = VOCAB_SIZE,
    *,
    lower_case: bool = True,
    strip_accents: bool | None = None,
    num_unused_tokens: int = UNUSED_BEFORE_SPECIAL,
    min_frequency: int = 2,
    limit_alphabet: int | None = None,
    num_workers: int = 1,
) -> list[str]:
    """Learns a vocabulary from lines of text: the tokens in the order of their ids.

    Args:
        lines: the text; words never reach over a line.
        vocab_size: how many tokens at most. A small corpus gives fewer.
        lower_case, strip_accents: as the tokenizer that will use the vocabulary.
        num_unused_tokens: how many `[unusedN]` to reserve.
        min_frequency: rarer characters and merges are left out.
        limit_alphabet: how many different characters at most, the most frequent ones; None: 1,000, or more where more
            are needed to cover 99.95 % of the text, but never more than half of the room.
        num_workers: processes that count words; the result is the same for any number.

    Raises:
        InputError: there are no words in the text, or `vocab_size` has no room for reserved tokens and alphabet.
    """
    with workers(num_workers) as pool:
        counts = count_words(lines, lower_case=lower_case, strip_accents=strip_accents, workers=pool)
    return learn_from_counts(counts, vocab_size, num_unused_tokens, min_frequency, limit_alphabet)


def learn_from_counts(
    counts: Mapping[str, int],
    vocab_size: int,
    num_unused_tokens: int = UNUSED_BEFORE_SPECIAL,
    min_frequency: int = 2,
    limit_alphabet: int | None = None,
) -> list[str]:
    """As `learn_vocabulary`, from words and how often each occurs."""
    if not counts:
        raise InputError("there is no word in the text to learn a vocabulary from")
    reserved = reserved_tokens(num_unused_tokens)
    room = vocab_size - len(reserved)
    if room < 2:
        raise InputError(f"a vocabulary of {vocab_size} tokens has no room beside {len(reserved)} reserved ones")
    alphabet = choose_alphabet(counts, room, min_frequency, limit_alphabet)
    if len(alphabet.tokens) > room:
        raise InputError(
            f"a vocabulary of {vocab_size} tokens has no room for {len(reserved)} reserved ones and "
            f"{len(alphabet.tokens)} for {len(alphabet.beginning)} characters"
        )
    return _merge([*reserved, *alphabet.tokens], _spellable(counts, alphabet.beginning), vocab_size, min_frequency)


def reserved_tokens(num_unused_tokens: int) -> list[str]:
    """The first tokens of a vocabulary, where the released vocabularies have them."""
    unused = [f"[unused{number}]" for number in range(num_unused_tokens)]
    return [PAD, *unused[:UNUSED_BEFORE_SPECIAL], UNK, CLS, SEP, MASK, *unused[UNUSED_BEFORE_SPECIAL:]]


def choose_alphabet(counts: Mapping[str, int], room: int, min_frequency: int, limit_alphabet: int | None) -> Alphabet:
    """The most frequent characters, of equally frequent ones the lower code points."""
    frequencies = collections.Counter()
    for word, count in counts.items():
        for character in word:
            frequencies[character] += count
    ranked = sorted(frequencies, key=lambda character: (-frequencies[character], character))
    # Half of the room, and most characters take two tokens: one that begins a word and one that continues it.
    limit = limit_alphabet or min(max(1, room // 4), max(LEAST_ALPHABET, _number_to_cover(ranked, frequencies)))
    beginning = sorted(character for character in ranked[:limit] if frequencies[character] >= min_frequency)
    spellable = _spellable(counts, beginning)
    return Alphabet(beginning, sorted({character for word in spellable for character in word[1:]}))


def _number_to_cover(ranked: list[str], frequencies: Mapping[str, int]) -> int:
    """How many of the most frequent characters make up COVERAGE of the text."""
    total = sum(frequencies.values())
    covered = itertools.accumulate(frequencies[character] for character in ranked)
    return 1 + next(rank for rank, characters in enumerate(covered) if characters >= COVERAGE * total)


def _spellable(counts: Mapping[str, int], characters: Iterable[str]) -> dict[str, int]:
    """The words made of these characters only; any other will be [UNK]."""
    characters = frozenset(characters)
    return {word: count for word, count in counts.items() if characters.issuperset(word)}


def _merge(tokens: list[str], counts: Mapping[str, int], vocab_size: int, min_frequency: int) -> list[str]:
    """Adds pieces to `tokens`, each made of the two that stand side by side most often."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    library = Tokenizer(models.WordPiece(unk_token=UNK, continuing_subword_prefix=CONTINUATION))
    library.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        min_frequency=min_frequency,
        special_tokens=tokens,  # They keep this order, and merges are numbered behind them.
        continuing_subword_prefix=CONTINUATION,
        show_progress=sys.stderr.isatty(),
    )
    library.train_from_iterator(repeat(counts), trainer)
    ids = library.get_vocab(with_added_tokens=True)
    return sorted(ids, key=ids.__getitem__)


def repeat(counts: Mapping[str, int]) -> Iterator[str]:
    """Each word as often as it occurs; of a very large corpus, as often in proportion."""
    characters = sum(count * (len(word) + 1) for word, count in counts.items())
    divisor = -(-characters // MOST_FED_CHARACTERS)
    for word in sorted(counts):
        times = -(-counts[word] // divisor)
        for start in range(0, times, _REPEATED):
            yield f"{word} " * min(_REPEATED, times - start)


def coverage(vocabulary: list[str], counts: Mapping[str, int]) -> Coverage:
    """How a vocabulary cuts the words of a corpus."""
    tokenizer = WordPieceTokenizer({token: index for index, token in enumerate(vocabulary)})
    unknown = pieces = 0
    for word, count in counts.items():
        split = tokenizer.split_pieces(word)
        pieces += count * len(split)
        unknown += count * (split[0][0] == tokenizer.unk_id)
    return Coverage(sum(counts.values()), unknown, pieces)
