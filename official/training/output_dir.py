"""One process writes to an output directory: a second one is refused, and workers beside the chief have a copy."""

import atexit
import errno
import fcntl
import os
import shutil
import tempfile

import tensorflow as tf
from absl.flags import FlagValues

from official import files
from official.errors import InputError
from official.training.workers import Workers

LOCK = ".lock"
_copies = {}  # Where a worker's copy is → of which directory.
_held = []  # Open files: a lock ends with its process, however that ends.


def claim(values: FlagValues, strategy: tf.distribute.Strategy) -> None:
    """Makes `values.output_dir` this process's own, if it is about to train there; a dry run writes nothing.

    Of workers that train together the chief keeps the directory. Each other one does whatever the chief does, but in a
    copy of its own that is gone in the end, so `output_dir` and `export_dir` of its flags are changed.

    Raises:
        InputError: another process trains there.
    """
    workers = Workers(strategy)
    if values.output_dir is None or not values.do_train or values.dry_run:
        return
    if workers.is_chief:
        _lock(values.output_dir)
    else:
        scratch = tempfile.mkdtemp(prefix="worker_")
        atexit.register(shutil.rmtree, scratch, ignore_errors=True)
        files.copy_directory(values.output_dir, os.path.join(scratch, "output"))
        _copies[scratch] = values.output_dir
        values.output_dir = os.path.join(scratch, "output")
        if values.export_dir is not None:
            values.export_dir = os.path.join(scratch, "export")
    workers.wait()  # The chief changes nothing before the copies are made.


def shown(path: str | None) -> str | None:
    """How a path is told to the user, who knows nothing of copies."""
    for scratch, directory in _copies.items():
        if path is not None and path.startswith(scratch):
            return os.path.join(directory, os.path.relpath(path, os.path.join(scratch, "output")))
    return path


def _lock(directory: str) -> None:
    """Where files are remote there are no locks, and the user has to see to it."""
    if files.is_remote(directory):
        return
    is_new = not os.path.exists(directory)
    files.make_directory(directory)
    if is_new:
        atexit.register(_remove_unused, directory)
    path = os.path.join(directory, LOCK)
    file = files.open_file(path, "a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
            return  # A file system without locks.
        file.seek(0)
        raise InputError(f"{directory}: process {file.read().strip()} is training there") from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    _held.append(file)


def _remove_unused(directory: str) -> None:
    """A run that was refused leaves no directory behind that was not there before."""
    if os.path.isdir(directory) and os.listdir(directory) == [LOCK]:
        shutil.rmtree(directory, ignore_errors=True)
