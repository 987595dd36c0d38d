"""One file a family: its config and what makes it differ."""
