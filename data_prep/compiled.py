"""Loops compiled by numba, with the machine code kept on disk between runs."""

import hashlib
import os
import pathlib
import sys

import numba

_HERE = pathlib.Path(__file__).resolve().parent


def _cache_directory() -> str:
    """Where machine code is kept, one directory for each state of the sources; empty when there is no place for it.

    numba looks at the file of the caller only, and would go on using a callee of another module after that had changed.
    """
    sources = (path.read_bytes() for path in sorted(_HERE.glob("*.py")))
    digest = hashlib.sha256(b"".join(sources)).hexdigest()[:16]
    for parent in (_HERE / "__pycache__", pathlib.Path("~/.cache/bert")):
        try:
            directory = parent.expanduser() / f"numba-{digest}"
            directory.mkdir(parents=True, exist_ok=True)
        except (OSError, RuntimeError):  # No home directory is a RuntimeError.
            continue
        if os.access(directory, os.W_OK):
            return str(directory)
    return ""


_CACHE_DIRECTORY = _cache_directory()
_NOTHING_KEPT = not _CACHE_DIRECTORY or not os.listdir(_CACHE_DIRECTORY)


def compiled(function):
    """Compiles `function` when it is first called; reads the result of an earlier run where there is one."""
    previous, numba.config.CACHE_DIR = numba.config.CACHE_DIR, _CACHE_DIRECTORY
    try:
        # Nothing here is called from C: without the wrappers for it compiling takes a fifth less time.
        return numba.njit(cache=bool(_CACHE_DIRECTORY), no_cfunc_wrapper=True)(function)
    finally:
        numba.config.CACHE_DIR = previous


def announce() -> None:
    """Says so where this run has to compile what later ones find on disk."""
    if _NOTHING_KEPT:
        print("compiling for this machine: the first run takes up to a minute longer", file=sys.stderr)
