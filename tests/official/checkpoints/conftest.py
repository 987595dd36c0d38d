"""A small model whose weights are all different from what they are initialised with."""

import pytest

from official.models.bert import Bert, BertConfig
from tests.golden import seeded


def seeded_model(number: int, heads=("mlm", "nsp"), **options) -> Bert:
    """The model of shape `number`, with the weights that PyTorch's had when the goldens were made."""
    shape = seeded.SHAPES[number]
    model = Bert(BertConfig(**shape), heads, **options)
    for variable in model.weights:
        variable.assign(seeded.draw(variable.path.split("/", 1)[1], tuple(variable.shape), seed=number))
    return model


@pytest.fixture
def make_model():
    return seeded_model


@pytest.fixture(scope="module")
def model() -> Bert:
    return seeded_model(0)
