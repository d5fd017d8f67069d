"""Work on many files by processes that use all cores; a file that kills its process is found and the rest goes on."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import cv2

from medfold import hardware
from medfold.competition import active_plugins, use_plugins
from medfold.errors import UserError
from medfold.images.formats.reading import FORMAT_MODULES
from medfold.processes import end_with_parent

PIECE, MOST = 4, 512  # items that a process gets at first, and at most
WHILE = 0.2  # seconds that a piece should take: short enough to see progress, long enough to cost nothing
PRELOADED = ["medfold.images.scan_worker", *(f"medfold.images.formats.{name}" for name in FORMAT_MODULES)]


@dataclass(frozen=True)
class WorkerDied:
    """Stands for the result of an item whose process did not survive it."""


def map_in_workers(function: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[list[tuple[int, Any]]]:
    """Calls a function for each item, in as many processes as there are cores.

    Args:
        function: of a module, so that it can be sent to a process; what it raises ends all.
        items: what can be sent, too.

    Yields:
        Lists of (position, result), in the order in which they are done. The result is `Killed` for an item at which
        the process died (a decoder that crashes, or too little memory).

    Raises:
        UserError: no process can be started.
    """
    begin, size = 0, PIECE
    while begin < len(items):
        running: dict[Future, range] = {}
        with _processes(min(hardware.num_cores(), len(items) - begin)) as pool:
            try:
                while begin < len(items) or running:
                    while begin < len(items) and len(running) < 2 * hardware.num_cores():
                        piece = range(begin, min(begin + size, len(items)))
                        running[pool.submit(_each, function, [items[number] for number in piece])] = piece
                        begin = piece.stop
                    for done in wait(running, return_when=FIRST_COMPLETED).done:
                        seconds, results = done.result()
                        size = min(max(1, round(WHILE * len(results) / max(seconds, 1e-6))), MOST)
                        yield list(zip(running.pop(done), results, strict=True))
                return
            except BrokenProcessPool:
                suspects = [number for piece in running.values() for number in piece]
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        yield from _one_by_one(function, items, suspects)


def _one_by_one(
    function: Callable[[Any], Any], items: Sequence[Any], suspects: list[int]
) -> Iterator[list[tuple[int, Any]]]:
    """Tells which items it was at which a process died."""
    left = list(reversed(suspects))
    while left:
        with _processes(1) as pool:
            try:
                pool.submit(_each, function, []).result()
            except BrokenProcessPool:  # it is not the item's fault
                fix = "A script of your own must begin its work under: if __name__ == '__main__'"
                raise UserError("processes cannot be started", "medfold.images.worker_pool", fix) from None
            try:
                while left:
                    yield [(left[-1], pool.submit(function, items[left[-1]]).result())]
                    left.pop()
            except BrokenProcessPool:
                yield [(left.pop(), WorkerDied())]


def _each(function: Callable[[Any], Any], items: list[Any]) -> tuple[float, list[Any]]:
    began = time.perf_counter()
    results = [function(item) for item in items]
    return time.perf_counter() - began, results


def _processes(count: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(count, _context(), _begin, (active_plugins(),))


def _context() -> BaseContext:
    """Processes that begin with nothing of this one; where the system can, as copies of one that has all imported."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _begin(plugins: Path | None) -> None:
    end_with_parent()
    use_plugins(plugins)
    cv2.setNumThreads(1)
