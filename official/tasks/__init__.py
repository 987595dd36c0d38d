"""What a model is used for: each task reads its files, makes features, scores, and writes its files."""
