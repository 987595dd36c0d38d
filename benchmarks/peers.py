"""The environment of the peers, which never share one with this project: PyTorch, transformers, ONNX Runtime.

Importing this module defines `--oracle`.
"""

import functools
import subprocess
import sys

from absl import flags

from benchmarks.commands import REPOSITORY
from official.errors import InputError

flags.DEFINE_string("oracle", None, "The peers' Python; without it, `make peers` makes an environment in .oracle.")


@functools.cache
def python() -> str:
    """A Python that has what the requirements of the benchmarks name.

    Raises:
        InputError: there was none, and it could not be made.
    """
    if given := flags.FLAGS.oracle:
        return given
    made = subprocess.run(["make", "--silent", "--directory", str(REPOSITORY), "peers"], stdout=sys.stderr)
    if made.returncode:
        raise InputError(f"make peers: ended with status {made.returncode}; --oracle names a Python that has the peers")
    return str(REPOSITORY / ".oracle" / "bin" / "python")
