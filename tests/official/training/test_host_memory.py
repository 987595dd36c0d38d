"""A step is given the memory of the one before, and asks the kernel for none."""

import platform
import subprocess
import sys

import pytest

from tests.scripts import REPOSITORY

PROGRAM = """
import resource
import numpy as np
from official.training.host_memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(8_000_000).sum()  # 64 MB: more than glibc keeps.
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

without = [faults() for _ in range(3)][-1]
keep_freed_memory()
print(without, [faults() for _ in range(3)][-1])
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_memory_that_was_freed_is_used_again():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=REPOSITORY)
    without, kept = map(int, done.stdout.split())
    assert kept < 100 and kept <= without
