"""A TPU that is not there."""

import pytest

from benchmarks.tpu_check.topologies import TOPOLOGIES, absent_tpu_strategy


@pytest.fixture(scope="session")
def tpu():
    """TPUStrategy for a v5e of four chips."""
    return absent_tpu_strategy(TOPOLOGIES["v5e:2x2"])
