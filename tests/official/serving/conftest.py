"""Exported models, made when they are first asked for, and the programs that answer with them."""

import functools
import shutil
from collections.abc import Callable

import pytest

from official.serving import exporting
from tests.official.serving import programs, small_models


@pytest.fixture(scope="session")
def exported(tmp_path_factory) -> Callable[[str], str]:
    """EXPORT/NAME/VERSION of the small model of a kind."""
    folder = tmp_path_factory.mktemp("exported")
    return functools.cache(lambda name: small_models.export(name, folder))


@pytest.fixture(scope="session")
def session() -> programs.Program:
    """Answers in a Session."""
    return programs.session()


@pytest.fixture(scope="session")
def in_c(tmp_path_factory) -> programs.Program:
    """Answers in C."""
    return programs.in_c(tmp_path_factory.mktemp("in_c"))


@pytest.fixture(params=["session", "in_c"])
def program(request) -> programs.Program:
    """Either of them."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def export_golden(golden_bert, tmp_path_factory) -> Callable[..., str]:
    """Exports a checkpoint of the original's, `ckpt`, `ckpt_mrpc` or `ckpt_squad`; made once for the same options."""
    folder = tmp_path_factory.mktemp("golden")

    @functools.cache
    def export(checkpoint: str, model_name: str, **options) -> str:
        source = folder / model_name
        shutil.copytree(golden_bert / "ckpt", source, ignore=shutil.ignore_patterns("bert_model.ckpt.*"))
        shutil.copytree(golden_bert / checkpoint, source, dirs_exist_ok=True)
        (prefix,) = {path.with_suffix("") for path in source.glob("*.index")}
        export_dir = str(folder / "export")
        return exporting.export(
            exporting.Export(source=str(prefix), export_dir=export_dir, model_name=model_name, **options)
        )

    return export
