"""Remembering what pieces of text become: natural text repeats itself, and looking up is faster than working out."""

from collections.abc import Callable

# A novel has some 20,000 different chunks; this many take about 40 MB.
CAPACITY = 1 << 17
LONGEST = 64  # Longer chunks are text without spaces, and do not come back.


class Memory(dict):
    """chunk → `compute(chunk)`; emptied when it is full."""

    def __init__(self, compute: Callable):
        super().__init__()
        self._compute = compute

    def __missing__(self, chunk: str):
        result = self._compute(chunk)
        if len(self) >= CAPACITY:
            self.clear()
        if len(chunk) <= LONGEST:
            self[chunk] = result
        return result

    def __reduce__(self):
        return Memory, (self._compute,)  # Another process fills its own.
