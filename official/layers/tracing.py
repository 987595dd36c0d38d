"""Settings that hold while something is traced."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any


class Setting(threading.local):
    """A value that is another within a block, in one thread: MirroredStrategy traces each replica in its own.

    Args:
        value: outside of all blocks.
    """

    def __init__(self, value: Any):
        self.value = value

    @contextlib.contextmanager
    def set_to(self, value: Any) -> Iterator[None]:
        """Within the block of this context, the setting is `value`."""
        outer, self.value = self.value, value
        try:
            yield
        finally:
            self.value = outer
