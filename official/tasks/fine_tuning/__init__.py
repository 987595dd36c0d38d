"""What all tasks are fine-tuned with: `fine_tuning.py` trains and predicts, `trials.py` repeats it."""
