"""Question answering on SQuAD: `squad.py` runs, the rest reads, makes windows, searches, scores and writes."""
