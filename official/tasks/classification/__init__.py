"""Classes, grades and choices of texts and pairs: `classification.py` runs, the rest reads, scores and writes."""
