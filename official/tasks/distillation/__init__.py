"""A fine-tuned teacher labels texts, and a student is fine-tuned on what it says: `teacher.py`, a module a task."""
