"""Batches prepared in advance during training, by a thread of this process or by worker processes.

A worker process writes its images into memory that it shares with the training process, which saves a copy.
"""

import gc
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from functools import cache
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory
from typing import Any

import cv2
import numpy as np

from medfold.errors import UserError
from medfold.system import shared_memory
from medfold.system.processes import try_worker_pool
from medfold.terminal.command_text import variable
from medfold.terminal.console import format_size, warn
from medfold.text import count_of
from medfold.training.batches.batches import Batch, TrainingBatches

NUM_PREFETCHED = 2  # prefetched batches, per worker and in the thread


def iterate_batches(training_batches: TrainingBatches, start: int, stop: int, num_workers: int) -> Iterator[Batch]:
    """Yields the batches `start` to `stop` in order; they are the same for any number of workers.

    The images of a batch may be overwritten as soon as the next batch is requested.

    Args:
        training_batches: computes the batches.
        start: number of the first batch, from 0.
        stop: number of the batch after the last one.
        num_workers: number of worker processes; 0 computes each batch in this process, on request.

    Raises:
        UserError: a worker process was killed.
    """
    shape, dtype = training_batches.batch_shape_and_dtype()
    batch_bytes = int(np.prod(shape)) * dtype.itemsize
    num_workers = min(num_workers, stop - start)
    possible = shared_memory.available_bytes() // (NUM_PREFETCHED * batch_bytes)
    num_slots = NUM_PREFETCHED * min(num_workers, possible)
    memory = shared_memory.allocate(num_slots * batch_bytes) if num_slots else None
    if num_workers > 0 and (memory is None or possible < num_workers):
        _warn_of_little_memory(batch_bytes, num_workers, num_slots // NUM_PREFETCHED if memory else 0)
    if memory is None:
        yield from map(training_batches.batch, range(start, stop))
        return
    arguments = (training_batches, memory.name, num_slots)
    pool = try_worker_pool(num_slots // NUM_PREFETCHED, get_context("spawn"), _start_worker, arguments)
    if pool is None:
        shared_memory.release(memory)
        yield from map(training_batches.batch, range(start, stop))
        return
    ring = np.ndarray((num_slots, *shape), dtype, memory.buf)
    try:
        pending = deque(
            pool.submit(_fill_slot, number, (number - start) % num_slots) for number in range(start, stop)[:num_slots]
        )
        for number in range(start, stop):
            slot = (number - start) % num_slots
            yield ring[slot], *pending.popleft().result()
            if number + num_slots < stop:
                pending.append(pool.submit(_fill_slot, number + num_slots, slot))
    except BrokenProcessPool:
        fix = f"It may have run out of memory. Add {variable('WORKERS', 0)}: the training process makes the batches"
        raise UserError("a process that makes batches was killed", variable("WORKERS"), fix) from None
    finally:
        pool.shutdown(cancel_futures=True)
        del ring
        shared_memory.release(memory)


def load_batches(
    training_batches: TrainingBatches, start: int, stop: int, num_workers: int, convert: Callable[[Batch], Any]
) -> Iterator[Any]:
    """Yields the batches of `iterate_batches`, converted; a thread prepares the next ones during training.

    Args:
        training_batches: computes the batches.
        start: number of the first batch, from 0.
        stop: number of the batch after the last one.
        num_workers: number of worker processes; 0 computes the batches in the thread.
        convert: converts a batch to what the training takes, in the thread; it must not keep the arrays themselves.
    """
    source = iterate_batches(training_batches, start, stop, num_workers)
    end = object()

    def take() -> Any:
        batch = next(source, end)
        return end if batch is end else convert(batch)

    with closing(source), ThreadPoolExecutor(1) as thread:
        pending = deque(thread.submit(take) for _ in range(NUM_PREFETCHED))
        while (item := pending.popleft().result()) is not end:
            pending.append(thread.submit(take))
            yield item


@cache
def _warn_of_little_memory(batch_bytes: int, num_workers: int, num_used: int) -> None:
    needed = format_size(2 * NUM_PREFETCHED * num_workers * batch_bytes)
    what = f"too little shared memory (/dev/shm) for {num_workers} workers, which need {needed}"
    used = "none is used: the training process makes the batches"
    if num_used:
        used = f"only {count_of(num_used, 'is', 'are')} used"
    warn("workers", f"{what}; {used}")


def _start_worker(training_batches: TrainingBatches, name: str, num_slots: int) -> None:
    """Initialises a worker process: opens the shared memory."""
    global _training_batches, _memory, _ring
    cv2.setNumThreads(1)
    gc.freeze()  # saves time: the garbage collector skips all objects that exist by now
    _training_batches = training_batches
    _memory = SharedMemory(name)
    shape, dtype = training_batches.batch_shape_and_dtype()
    _ring = np.ndarray((num_slots, *shape), dtype, _memory.buf)


def _fill_slot(number: int, slot: int) -> tuple[np.ndarray, np.ndarray]:
    """Writes the images of a batch into a slot of the shared memory, and returns targets and sample weights."""
    _, targets, sample_weights = _training_batches.batch(number, into=_ring[slot])
    return targets, sample_weights
