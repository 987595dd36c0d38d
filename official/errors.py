"""The exceptions that end a script with a line or a report and a status, and no traceback."""

import os
import signal


class InputError(Exception):
    """Something that the user gave cannot be used.

    The message is one line: it names the file, the line or the field, says what was found and what was expected.
    `official.command_line.run` prints it without a traceback and ends with status 1.
    """


class Stopped(Exception):
    """A signal asked a run to stop, and it was saved first; the script ends with the signal's status."""

    def __init__(self, signal_number: int, step: int, checkpoint: str):
        name = signal.Signals(signal_number).name
        super().__init__(
            f"stopped by {name} at step {step}, saved as {checkpoint}; the same command goes on from there"
        )
        self.status = 128 + signal_number


class WorkerLost(Exception):
    """Another of the workers that train together is gone, so that this one has to end; its status says: try again."""

    status = os.EX_TEMPFAIL


class DryRunEnded(Exception):
    """A dry run has seen all that it wanted to; its message is the report, and the script ends well.

    Raised where training would begin: whatever would come after it, and write, is left out.
    """
