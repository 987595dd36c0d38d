"""A line on stderr that says how far long work has come."""

import sys
import time
from collections.abc import Callable

TERMINAL_SECONDS, LOG_SECONDS = 0.2, 10.0  # Between two lines, when a person looks on and when a file does.


def format_seconds(seconds: float) -> str:
    """`1:02:03`, or `2:03` below an hour."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


class Progress:
    """Shows phase, amount done, rate and time left of one phase.

    Args:
        phase: what is being done.
        total: how much there is to do, or None when that is not known.
        unit: of `total`, with the factor by which it is divided for display, such as `("MB", 1e6)`.
    """

    def __init__(
        self, phase: str, total: float | None, unit: tuple[str, float], clock: Callable[[], float] = time.monotonic
    ):
        self._phase, self._total, (self._unit, self._scale) = phase, total, unit
        self._clock, self._terminal = clock, sys.stderr.isatty()
        self._start = self._shown = clock()
        self._done = 0.0

    def advance(self, amount: float) -> None:
        """Adds to what is done, and shows it when it is time."""
        self._done += amount
        if self._clock() - self._shown >= (TERMINAL_SECONDS if self._terminal else LOG_SECONDS):
            self._shown = self._clock()
            self._show()

    def finish(self) -> float:
        """Shows the last state; returns the seconds that the phase took."""
        self._show()
        if self._terminal:
            print(file=sys.stderr)
        return self._clock() - self._start

    def finish_if_shown(self) -> None:
        """The same for work that is long only sometimes: says nothing where it was not."""
        if self._shown != self._start:
            self.finish()

    def _show(self) -> None:
        seconds = max(self._clock() - self._start, 1e-9)
        rate = self._done / seconds
        decimals = 0 if self._scale == 1 else 1  # What is not divided is counted.
        text = f"{self._phase}: {self._done / self._scale:,.{decimals}f}"
        if self._total:
            text += f"/{self._total / self._scale:,.{decimals}f}"
        text += f" {self._unit}, {rate / self._scale:,.2f} {self._unit}/s, {format_seconds(seconds)}"
        if self._total and 0 < self._done < self._total:
            text += f", {format_seconds((self._total - self._done) / rate)} left"
        if self._terminal:
            text, end = f"\r\033[K{text}", ""
        else:
            end = "\n"
        print(text, end=end, file=sys.stderr, flush=True)
