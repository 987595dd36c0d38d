"""A label for each word: `tagging.py` runs, the rest reads column files, makes windows, scores and writes."""
