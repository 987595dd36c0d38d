"""The tokenizer that goes along, in the files of each ecosystem."""
