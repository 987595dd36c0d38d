"""A shape without weights, made into the config of a model with another vocabulary than the published one's."""

import dataclasses

from official.models.config import Config
from official.tokenization.tokenizer import Tokenizer


def for_vocabulary(config: Config, tokenizer: Tokenizer) -> Config:
    """The config with as many tokens as the tokenizer has."""
    return padded_as(dataclasses.replace(config, vocab_size=tokenizer.vocab_size), tokenizer)


def padded_as(config: Config, tokenizer: Tokenizer) -> Config:
    """The config with the tokenizer's id of padding, in a family whose positions are counted from behind it."""
    if "pad_token_id" not in {field.name for field in dataclasses.fields(config)}:
        return config
    return dataclasses.replace(config, pad_token_id=tokenizer.pad_id)
