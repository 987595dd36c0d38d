"""Text to token ids, as published: on Python strings, and on string tensors in the graph."""
