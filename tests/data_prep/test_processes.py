"""Results come in the order of the tasks, and a failure ends the work clearly."""

import os
import signal
import time

import pytest

from data_prep.processes import workers
from official.errors import InputError


def slow_at_first(number: int) -> int:
    time.sleep(0.02 if number % 5 == 0 else 0)
    return number * number


def refuse_three(number: int) -> int:
    if number == 3:
        raise InputError("three is refused")
    return number


def die_at_three(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("number", [1, 2])
def test_results_are_in_the_order_of_the_tasks(number):
    with workers(number) as processes:
        assert list(processes.map(slow_at_first, range(30))) == [k * k for k in range(30)]


def test_tasks_are_taken_only_as_they_are_needed():
    taken = []
    with workers(2) as processes:
        results = processes.map(slow_at_first, (taken.append(k) or k for k in range(1000)))
        next(results)
        assert len(taken) <= 5


@pytest.mark.parametrize("number", [1, 2])
def test_an_error_of_a_task_is_the_error_of_the_whole(number):
    with pytest.raises(InputError, match="three is refused"), workers(number) as processes:
        list(processes.map(refuse_three, range(10)))


def test_a_killed_process_is_a_clear_error():
    with pytest.raises(InputError, match="a worker process was killed"), workers(2) as processes:
        list(processes.map(die_at_three, range(10)))
