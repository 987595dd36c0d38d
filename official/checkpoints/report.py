"""What became of each variable when a checkpoint was loaded."""

import dataclasses
from collections.abc import Sequence

from official.checkpoints.source import Shape
from official.errors import InputError

SHOWN = 4  # Names per line of a printed report; the rest are counted.


@dataclasses.dataclass(frozen=True)
class Entry:
    """A variable: our name and theirs, our shape and theirs (in our axis order); None on the side that lacks it.

    Attributes:
        part: the head, or `pooler`, that it belongs to; None for the encoder's.
    """

    ours: str | None
    theirs: str | None
    our_shape: Shape | None
    their_shape: Shape | None
    part: str | None = None

    def __str__(self) -> str:
        if self.ours is None:
            return f"{self.theirs} {list(self.their_shape)}"
        if self.their_shape in (None, self.our_shape):
            return f"{self.ours} {list(self.our_shape)}"
        return f"{self._both_names()}: {list(self.their_shape)} in the checkpoint, {list(self.our_shape)} in the model"

    def _both_names(self) -> str:
        return self.ours if self.ours == self.theirs else f"{self.ours} ({self.theirs})"


@dataclasses.dataclass(frozen=True)
class Report:
    """Every variable of the model and of the checkpoint, once.

    Attributes:
        path: the checkpoint.
        loaded: in both, of one shape.
        missing: in the model only.
        mismatched: in both, of different shapes.
        reinitialized: in the model, left as initialised because the caller allows that for the part they belong to.
        unused: in the checkpoint only.
        astray: those of `unused` that are the encoder's, where the model is said to be the checkpoint's.
        notes: what else the caller should know, a line each.
    """

    path: str
    loaded: Sequence[Entry] = ()
    missing: Sequence[Entry] = ()
    mismatched: Sequence[Entry] = ()
    reinitialized: Sequence[Entry] = ()
    unused: Sequence[Entry] = ()
    astray: Sequence[Entry] = ()
    notes: Sequence[str] = ()

    def __str__(self) -> str:
        lines = [f"{self.path}: {len(self.loaded)} variables loaded"]
        for title, entries in (
            ("missing in the checkpoint", self.missing),
            ("of another shape", self.mismatched),
            ("left as initialised", self.reinitialized),
            ("in the checkpoint but not in the model", self.unused),
        ):
            if entries:
                lines.append(f"  {title} ({len(entries)}): {_some(entries)}")
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])

    def check(self) -> None:
        """Refuses a checkpoint that does not fill the model.

        Raises:
            InputError: variables are missing or of another shape, or the checkpoint's encoder has more of them.
        """
        if self.missing and not self.loaded and not self.mismatched:
            raise InputError(f"{self.path}: holds none of the model's variables, such as {self.missing[0]}")
        if self.mismatched:
            more = len(self.mismatched) - 1
            rest = f" ({more} more differ)" if more else ""
            advice = _advice(self.mismatched) or "the config is not that of this checkpoint"
            raise InputError(f"{self.path}: {self.mismatched[0]}{rest}: {advice}")
        if self.missing:
            advice = _advice(self.missing)
            raise InputError(
                f"{self.path}: the checkpoint lacks {len(self.missing)} variables: {_some(self.missing)}"
                + (f": {advice}" if advice else "")
            )
        if self.astray:
            raise InputError(
                f"{self.path}: the encoder has variables for which this model has no place: {_some(self.astray)}: "
                "the config is not that of this checkpoint, or this is another kind of model"
            )


def _advice(entries: Sequence[Entry]) -> str:
    """How to go on where nothing but heads is at fault."""
    parts = sorted({entry.part for entry in entries if entry.part is not None})
    if any(entry.part is None for entry in entries):
        return ""
    return f"--reinitialize_head (in Python reinitialize={parts}) starts {' and '.join(parts)} anew"


def _some(entries: Sequence[Entry]) -> str:
    rest = len(entries) - SHOWN
    return ", ".join(map(str, entries[:SHOWN])) + (f" and {rest} more" if rest > 0 else "")
