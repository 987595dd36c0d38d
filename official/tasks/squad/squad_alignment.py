"""From a span of pieces back to the text that it was made of, and its place in the context (run_squad.py:830-1020)."""

from collections.abc import Callable, Sequence

import numpy as np

from official.tasks.squad.squad_features import SquadFeatures, split_words, word_starts
from official.tokenization.basic import BasicTokenizer
from official.tokenization.tokenizer import Tokenizer

Place = tuple[int, int]  # Characters [start, end).


class SpanTexts:
    """The text of a span, cut out of the words that it lies in.

    Args:
        contexts: C texts.
        features: windows on these.
        tokenizer: of the windows.
        unaligned: told of a span and its words where the span's text can't be found in these.
    """

    def __init__(
        self,
        contexts: Sequence[str],
        features: SquadFeatures,
        tokenizer: Tokenizer,
        unaligned: Callable[[str, str], None] | None = None,
    ):
        self.contexts, self.features, self.tokenizer, self.unaligned = contexts, features, tokenizer, unaligned
        self._last: tuple[int, list[str], np.ndarray] = -1, [], np.zeros(0, np.int64)

    def _words_of(self, context: int) -> tuple[list[str], np.ndarray]:
        """Words and their first characters, of the last context asked for: questions on one come together."""
        if self._last[0] != context:
            text = self.contexts[context]
            self._last = context, split_words(text), word_starts(text)
        return self._last[1:]

    def __call__(self, context: int, window: int, start: int, end: int) -> tuple[str, Place | None]:
        """The text and its place in the context; "" and None of the null span, which starts at 0.

        The text is that of the place with each run of white space as one blank.
        """
        if start == 0:
            return "", None
        features = self.features
        row = features.row_splits[window]
        shift = features.first_token[window] - features.context_start[window]
        of_tokens = features.contexts.words_of(context)
        first, last = of_tokens[[start + shift, end + shift]]
        all_words, starts = self._words_of(context)
        words = " ".join(all_words[first : last + 1])
        pieces = join_pieces(self.tokenizer.convert_ids_to_tokens(features.input_ids[row + start : row + end + 1]))
        if self.tokenizer.basic is None:
            numbers = (token - np.searchsorted(of_tokens, word) for token, word in ((start, first), (end, last)))
            found = self._find_by_offsets(all_words[first], all_words[last], words, *(n + shift for n in numbers))
        else:
            found = find_in_words(pieces, words, self.tokenizer.basic)
        if found is None and self.unaligned:
            self.unaligned(pieces, words)
        from_, to = found or (0, len(words))
        return words[from_:to], (_unjoin(words, from_, starts[first:]), _unjoin(words, to - 1, starts[first:]) + 1)

    def _find_by_offsets(self, first: str, last: str, words: str, number: int, last_number: int) -> Place | None:
        """The part of `words` from the piece of this number of their first to that of their last."""
        start = self.tokenizer.encode_word_with_offsets(first)[1][number][0]
        end = len(words) - len(last) + self.tokenizer.encode_word_with_offsets(last)[1][last_number][1]
        return (start, end) if start < end else None


def _unjoin(words: str, position: int, starts: np.ndarray) -> int:
    """Where the character at a position of joined words stands in the context, given where each word starts there."""
    word_start = words.rfind(" ", 0, position) + 1
    return int(starts[words.count(" ", 0, position)]) + position - word_start


def join_pieces(tokens: Sequence[str]) -> str:
    """The normalised text that pieces spell (run_squad.py:830-838)."""
    return " ".join(" ".join(tokens).replace(" ##", "").replace("##", "").split())


def find_in_words(pieces: str, words: str, basic: BasicTokenizer) -> Place | None:
    """The part of `words` that was normalised to `pieces` (run_squad.py:930-1020).

    Characters are counted without spaces, in the words and in what they are normalised to. None where the numbers
    differ, which is where normalisation changes them, or where `pieces` is not there, as with [UNK].
    """
    normal = " ".join(basic.tokenize(words))
    start = normal.find(pieces)
    if not pieces or start < 0:
        return None
    kept = [index for index, character in enumerate(words) if character != " "]
    if len(kept) != len(normal) - normal.count(" "):
        return None
    last = start + len(pieces) - 1
    first, last = (kept[place - normal.count(" ", 0, place)] for place in (start, last))
    return first, last + 1
