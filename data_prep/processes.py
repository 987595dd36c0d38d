"""Work spread over processes, its results in the order of the tasks."""

import collections
import concurrent.futures
import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool

from official.errors import InputError

MOST_WORKERS = 4
TASKS_AHEAD = 2  # For each process: enough to keep it busy, few enough to bound memory.


def available_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def default_workers() -> int:
    """How many processes are worth it where the parent has work of its own.

    It hands out tasks, draws and writes, which keeps a core busy; and one phase is sequential: many do not help.
    """
    return max(1, min(available_cores() - 1, MOST_WORKERS))


class Workers:
    """A number of processes; one means this process itself."""

    def __init__(self, pool: concurrent.futures.ProcessPoolExecutor | None, number: int):
        self._pool, self._number = pool, number

    def map(self, function: Callable, tasks: Iterable) -> Iterator:
        """Yields `function(task)` for every task, in order, with few tasks under way at a time.

        Raises:
            InputError: a process was killed, which is what systems do when memory runs out.
        """
        if self._pool is None:
            yield from map(function, tasks)
            return
        under_way = collections.deque()
        try:
            for task in tasks:
                under_way.append(self._pool.submit(function, task))
                if len(under_way) >= TASKS_AHEAD * self._number:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        except BrokenProcessPool as error:
            raise InputError("--num_workers: a worker process was killed (is there memory for so many?)") from error


@contextlib.contextmanager
def workers(number: int) -> Iterator[Workers]:
    """Starts `number` processes and ends them with the block, at once when it fails."""
    if number == 1:
        yield Workers(None, 1)
        return
    # Not forked: a fork of a process with threads (TensorFlow's, numba's) may hang.
    context = multiprocessing.get_context("spawn")
    pool = concurrent.futures.ProcessPoolExecutor(number, mp_context=context, initializer=_follow_parent)
    try:
        yield Workers(pool, number)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _follow_parent() -> None:
    """Leaves Ctrl-C to the parent, and ends when the parent ends, however that is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
