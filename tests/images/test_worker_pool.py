"""The worker pool: results by item, items that crash their process, errors."""

import os
import signal
import sys
import time
from functools import partial

import numpy as np
import pytest

from medfold.errors import UserError
from medfold.images import worker_pool
from medfold.images.worker_pool import WorkerDied, map_in_workers
from tests.support.helpers import refused, slow_but_first


def double(number: int) -> int:
    return 2 * number


def crash_at(number: int, at: list[int]) -> int:
    if number in at:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def exit_at_once() -> None:
    os._exit(1)


def hang_at(number: int, at: int) -> int:
    if number == at:
        time.sleep(600)
    return number


def memory_error_of(megabytes: int) -> bool:
    try:
        return bool(np.ones(megabytes * 10**6, np.uint8)[0]) is not True
    except MemoryError:
        return True


def raise_user_error(number: int) -> int:
    raise UserError("no such step", f"item {number}", "Take it out")


def collect(function, items):
    return dict(pair for results in map_in_workers(function, items) for pair in results)


@pytest.mark.parametrize("count", slow_but_first(7, 0, 1, 100))
def test_map_in_workers_returns_result_of_every_item(count):
    items = list(range(100, 100 + count))
    assert collect(double, items) == {position: 2 * item for position, item in enumerate(items)}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs POSIX signals")
@pytest.mark.parametrize("at", [[0], [13, 14, 39]])
def test_crashing_items_are_reported_and_others_processed(at):
    found = collect(partial(crash_at, at=at), range(40))
    assert {position for position, result in found.items() if result == WorkerDied()} == set(at)
    assert {position: result for position, result in found.items() if position not in at} == {
        number: 2 * number for number in range(40) if number not in at
    }


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no alarm")
def test_item_that_takes_too_long_is_reported_and_others_processed(monkeypatch):
    monkeypatch.setattr(worker_pool, "MAX_SECONDS", 1)
    found = collect(partial(hang_at, at=3), range(6))
    assert found == {0: 0, 1: 1, 2: 2, 3: WorkerDied(), 4: 4, 5: 5}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory")
def test_memory_of_an_item_is_limited_by_the_largest_image():
    (results,) = map_in_workers(memory_error_of, [700], max_megabytes=10)
    assert results == [(0, True)]
    (results,) = map_in_workers(memory_error_of, [700], max_megabytes=100)
    assert results == [(0, False)]


@pytest.mark.slow
def test_workers_that_cannot_start_raise(monkeypatch):
    monkeypatch.setattr(worker_pool, "initialise_worker", exit_at_once)
    with refused("image processes: processes cannot be started. Close other programs. In a script of your own"):
        collect(double, range(3))


def test_user_error_keeps_its_parts_across_processes():
    with refused("item 0: no such step. Take it out") as caught:
        collect(raise_user_error, [0])
    assert (caught.value.what, caught.value.where, caught.value.fix) == ("no such step", "item 0", "Take it out")
