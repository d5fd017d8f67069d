"""Worker pool that uses all cores and isolates items which crash their process."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import cv2

from medfold.competition import DEFAULT_MAX_MEGABYTES, active_plugins, use_plugins
from medfold.errors import UserError
from medfold.images.formats.format_registry import FORMAT_MODULES
from medfold.system import hardware
from medfold.system.limits import ended_after, memory_limit
from medfold.system.processes import WorkerPool, try_worker_pool

FIRST_CHUNK_SIZE, MAX_CHUNK_SIZE = 4, 512  # items per task of a process
MEMORY_PER_BYTE, MIN_MEMORY = 6, 300 * 10**6  # bytes for a decoded byte (conversions copy it), and bytes for any image
MAX_SECONDS = 120  # for one image; a second is usual
CHUNK_SECONDS = 0.2  # target: short enough to show progress, long enough to make the overhead negligible
PRELOADED = ["medfold.images.scan_worker", *(f"medfold.images.formats.{name}" for name in FORMAT_MODULES)]


@dataclass(frozen=True)
class WorkerDied:
    """Result of an item that crashed its process."""


def map_in_workers(
    function: Callable[[Any], Any], items: Sequence[Any], max_megabytes: int = DEFAULT_MAX_MEGABYTES
) -> Iterator[list[tuple[int, Any]]]:
    """Calls a function that decodes an image for each item, in as many processes as there are cores.

    Args:
        function: function of a module, so that it can be pickled. An exception in it ends the whole call.
        items: arguments of the function; must be picklable, too.
        max_megabytes: largest decoded image; a call may take six times as much memory, and 300 MB. Defaults to
            that of `images.max_megabytes`.

    Yields:
        Lists of (position, result), in the order of completion. The result is `WorkerDied` for an item whose process
        died: the decoder crashed, there was not enough memory, or it took longer than MAX_SECONDS. Without shared
        memory all is done in this process, without limits.

    Raises:
        UserError: no process can be started.
    """
    extra_bytes = MEMORY_PER_BYTE * max_megabytes * 10**6 + MIN_MEMORY
    limited = partial(_call_within_limits, function, extra_bytes, MAX_SECONDS)
    start = 0
    size = FIRST_CHUNK_SIZE
    while start < len(items):
        running: dict[Future, range] = {}
        pool = _processes(min(hardware.num_cores(), len(items) - start))
        if pool is None:
            yield from ([(index, function(items[index]))] for index in range(start, len(items)))
            return
        with pool:
            try:
                while start < len(items) or running:
                    while start < len(items) and len(running) < 2 * hardware.num_cores():
                        chunk = range(start, min(start + size, len(items)))
                        running[pool.submit(_call_for_each, limited, [items[index] for index in chunk])] = chunk
                        start = chunk.stop
                    for done in wait(running, return_when=FIRST_COMPLETED).done:
                        seconds, results = done.result()
                        size = min(max(1, round(CHUNK_SECONDS * len(results) / max(seconds, 1e-6))), MAX_CHUNK_SIZE)
                        yield list(zip(running.pop(done), results, strict=True))
                return
            except BrokenProcessPool:
                unsafe_items = [index for chunk in running.values() for index in chunk]
        yield from _one_by_one(limited, items, unsafe_items)


def _one_by_one(
    function: Callable[[Any], Any], items: Sequence[Any], unsafe_items: list[int]
) -> Iterator[list[tuple[int, Any]]]:
    """Calls the function for one item at a time, to isolate items that crash their process."""
    remaining = list(reversed(unsafe_items))
    while remaining:
        with _processes(1) as pool:
            try:
                pool.submit(_call_for_each, function, []).result()
            except BrokenProcessPool:  # no item was involved
                fix = "Close other programs. In a script of your own, put the call under: if __name__ == '__main__'"
                raise UserError("processes cannot be started", "image processes", fix) from None
            try:
                while remaining:
                    yield [(remaining[-1], pool.submit(function, items[remaining[-1]]).result())]
                    remaining.pop()
            except BrokenProcessPool:
                yield [(remaining.pop(), WorkerDied())]


def _call_for_each(function: Callable[[Any], Any], items: list[Any]) -> tuple[float, list[Any]]:
    """Returns the seconds that all calls took together, and their results."""
    began = time.perf_counter()
    results = [function(item) for item in items]
    return time.perf_counter() - began, results


def _call_within_limits(function: Callable[[Any], Any], extra_bytes: int, seconds: int, item: Any) -> Any:
    with memory_limit(extra_bytes), ended_after(seconds):
        return function(item)


def _processes(num_processes: int) -> WorkerPool | None:
    return try_worker_pool(num_processes, _context(), initialise_worker, (active_plugins(),))


def _context() -> BaseContext:
    """Returns a context whose processes share no state with this one: forkserver with preloaded modules, else spawn."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def initialise_worker(plugins: Path | None) -> None:
    """Sets up a worker process: the plugins of the competition, and one thread of OpenCV, as each core has a worker."""
    use_plugins(plugins)
    cv2.setNumThreads(1)
