"""What a model learns from: how text is corrupted, and what is then predicted and measured."""
