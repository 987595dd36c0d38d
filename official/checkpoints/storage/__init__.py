"""Files of named tensors, and JSON: read as if a stranger had sent them."""
