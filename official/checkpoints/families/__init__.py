"""One file a family: what its checkpoints call its variables and settings."""
