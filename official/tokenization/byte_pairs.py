"""Byte-pair encoding: pairs of neighbours become one token, the pair that was learnt first first."""

import heapq
from collections.abc import Iterable, Mapping, Sequence

from official.errors import InputError


class BytePairs:
    """The merges of a vocabulary.

    Args:
        vocab: token → id.
        merges: pairs of tokens, in the order in which they were learnt; of one that is repeated the last counts.

    Attributes:
        merged: pair of ids → rank of the merge, and the id that it makes.

    Raises:
        InputError: a pair, or what it makes, is not in the vocabulary.
    """

    def __init__(self, vocab: Mapping[str, int], merges: Iterable[tuple[str, str]]):
        self.merged: dict[tuple[int, int], tuple[int, int]] = {}
        for rank, (left, right) in enumerate(merges):
            for token in (left, right, left + right):
                if token not in vocab:
                    raise InputError(f"merge {rank}, {left!r} {right!r}: {token!r} is not in the vocabulary")
            self.merged[vocab[left], vocab[right]] = rank, vocab[left + right]

    def merge(self, ids: Sequence[int]) -> tuple[list[int], list[int]]:
        """Merges neighbours until no pair is left that can be.

        One at a time: of all pairs the one of the lowest rank, of equal ones the first. GPT-2's own code merges all
        equal ones together. That differs only where a merge makes a token that an earlier rank goes on from.

        Returns:
            The ids that remain, and how many of the given ones stand before the end of each.
        """
        ids, count = list(ids), len(ids)
        after, before = list(range(1, count + 1)), list(range(-1, count - 1))
        pairs = zip(ids, ids[1:])
        queue = [(self.merged[pair][0], place, *pair) for place, pair in enumerate(pairs) if pair in self.merged]
        heapq.heapify(queue)

        def note(place: int, following: int) -> None:
            found = self.merged.get((ids[place], ids[following]))
            if found is not None:
                heapq.heappush(queue, (found[0], place, ids[place], ids[following]))

        while queue:
            _, place, left, right = heapq.heappop(queue)
            following = after[place]
            if ids[place] != left or following == count or ids[following] != right:
                continue  # One of them has become part of another token.
            ids[place], ids[following] = self.merged[left, right][1], -1
            after[place] = following = after[following]
            if following < count:
                before[following] = place
                note(place, following)
            if before[place] >= 0:
                note(before[place], place)
        places = [place for place in range(count) if ids[place] >= 0]
        return [ids[place] for place in places], [after[place] for place in places]
