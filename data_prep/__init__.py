"""From text to vocabularies and records of pretraining examples."""
