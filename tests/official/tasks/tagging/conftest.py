"""Small files, a small encoder, and the task run on them."""

import pytest
import tagging_texts

from official.tasks.fine_tuning.fine_tuning_run import FineTuningRun
from official.tasks.tagging import tagging
from official.tasks.tagging.tagging_data import TaggingRun
from official.training.strategy import make_strategy


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("data")
    tagging_texts.write_files(directory)
    return {name: str(directory / f"{name}.txt") for name in ("train", "dev", "test")}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    directory = str(tmp_path_factory.mktemp("encoder"))
    tagging_texts.write_encoder(directory)
    return directory


@pytest.fixture
def run(encoder, tmp_path):
    """Runs the task with these settings, those of the engine or of the task; answers with the scores."""

    def start(**values):
        theirs = {"init_checkpoint": encoder, "output_dir": str(tmp_path / "out"), "max_seq_length": 32}
        theirs |= {"learning_rate": 3e-3, "fusion": "none"}
        names = set(FineTuningRun.__dataclass_fields__)
        theirs |= {name: value for name, value in values.items() if name in names}
        ours = {name: value for name, value in values.items() if name not in names}
        return tagging.run_tagging(FineTuningRun(**theirs), TaggingRun(**ours), make_strategy("one_device")).scores

    return start
