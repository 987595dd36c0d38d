"""Tokens that stay whole where they stand in a text."""

import re
from collections.abc import Iterator, Sequence

from official.errors import InputError


class AtomicTokens:
    """Finds tokens in a text as they are written; of several that begin at one place the longest.

    Args:
        tokens: not empty each.

    Raises:
        InputError: one is empty.
    """

    def __init__(self, tokens: Sequence[str]):
        self.tokens = tuple(sorted(set(tokens), key=lambda token: (-len(token), token)))
        if "" in self.tokens:
            raise InputError("atomic token '': expected a token of at least one character")
        self.pattern = f"({'|'.join(map(re.escape, self.tokens))})" if self.tokens else "((?!))"
        self._compiled = re.compile(self.pattern)

    def split(self, text: str) -> Iterator[tuple[str, bool]]:
        """The parts of a text, none empty, and whether each is an atomic token."""
        for index, part in enumerate(self._compiled.split(text)):
            if part:
                yield part, bool(index % 2)  # Odd: what the pattern matched.
