"""The loop over steps, on whatever devices there are. It is told what to train, and knows no family and no task."""
