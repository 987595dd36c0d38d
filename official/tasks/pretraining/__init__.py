"""Pretraining as `run_pretraining.py` does it, and what it shows when it has nothing to do."""
