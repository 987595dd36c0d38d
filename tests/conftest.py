"""Where the tests find real data and the original code's answers."""

import os
import pathlib

import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repository() -> pathlib.Path:
    """The root of this checkout, where the scripts are."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared() -> pathlib.Path:
    """The folder of real data and of the original code's answers; tests that ask for it skip where it is absent."""
    path = pathlib.Path(os.environ.get("BERT_SHARED", REPOSITORY.parent / "shared"))
    if not path.is_dir():
        pytest.skip(f"{path} is not there: set BERT_SHARED to the folder of real data")
    return path


@pytest.fixture(scope="session")
def golden_bert(shared) -> pathlib.Path:
    """What google-research/bert itself answered."""
    return shared / "golden_bert"
