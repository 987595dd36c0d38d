"""Checkpoints as they lie on the disk: TF1, Hugging Face directories, keras-hub presets."""
