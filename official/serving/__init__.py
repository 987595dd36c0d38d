"""A model as a SavedModel that TF Serving runs from raw text, with no Python of ours."""
