"""The families whose checkpoints are known, and how one is recognised."""

from typing import Any

import keras

from official.checkpoints.families.albert import ALBERT
from official.checkpoints.families.bert import BERT
from official.checkpoints.families.distilbert import DISTILBERT
from official.checkpoints.families.electra import ELECTRA
from official.checkpoints.families.roberta import ROBERTA
from official.checkpoints.family import Family
from official.errors import InputError

FAMILIES: tuple[Family, ...] = (BERT, ROBERTA, ALBERT, ELECTRA, DISTILBERT)


def family_of_model(model: keras.Model) -> Family:
    """Raises TypeError for a model of no family."""
    for family in FAMILIES:
        if type(model) is family.model:
            return family
    raise TypeError(f"{type(model).__name__} is no model whose checkpoints are known")


def family_of_config(config: Any) -> Family:
    """Raises TypeError for a config of no family."""
    for family in FAMILIES:
        if type(config) is family.config:
            return family
    raise TypeError(f"{type(config).__name__} is no config of a known family")


def family_of_type(model_type: Any) -> Family:
    """The family that a `config.json` names.

    Raises:
        InputError: it is none of ours.
    """
    for family in FAMILIES:
        if family.model_type == model_type:
            return family
    known = ", ".join(family.model_type for family in FAMILIES)
    raise InputError(f"model_type is {model_type!r}: one of {known} was expected")
