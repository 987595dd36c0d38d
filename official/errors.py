"""The one exception of ours that a user is meant to see."""


class InputError(Exception):
    """Something that the user gave cannot be used.

    The message is one line: it names the file, the line or the field, says what was found and what was expected.
    `official.command_line.run` prints it without a traceback and ends with status 1.
    """
