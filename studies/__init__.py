"""The experiments of the lecture, each a command that prints its table."""
