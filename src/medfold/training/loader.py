"""Batches made ahead of time, beside the training: by a thread of this process, or by worker processes.

A worker process writes its images into memory that it shares with the training, so that they are copied once only.
"""

import gc
import os
import shutil
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing import get_context
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from medfold.errors import UserError
from medfold.processes import end_with_parent
from medfold.training.allocator import keep_freed_memory
from medfold.training.batches import TrainingBatches
from medfold.training.mixup import Batch

AHEAD = 2  # batches per worker, and batches that wait for the training


def batches(pipeline: TrainingBatches, start: int, stop: int, workers: int) -> Iterator[Batch]:
    """The batches of steps `start` to `stop` of a pipeline, in order; the same for any number of workers.

    The images of a batch may be overwritten as soon as the next one is asked for.

    Args:
        workers: processes; 0 makes each batch here, when it is asked for.

    Raises:
        UserError: a worker process was killed.
    """
    shape, dtype = pipeline.layout()
    size = int(np.prod(shape)) * dtype.itemsize
    workers = min(workers, stop - start, _room() // (AHEAD * size))
    slots = AHEAD * workers
    memory = _shared(slots * size) if workers > 0 else None
    if memory is None:
        yield from map(pipeline.batch, range(start, stop))
        return
    ring = np.ndarray((slots, *shape), dtype, memory.buf)
    pool = ProcessPoolExecutor(workers, get_context("spawn"), _open, (pipeline, memory.name, slots))
    try:
        waiting = deque(pool.submit(_fill, step, (step - start) % slots) for step in range(start, stop)[:slots])
        for step in range(start, stop):
            slot = (step - start) % slots
            yield ring[slot], *waiting.popleft().result()
            if step + slots < stop:
                waiting.append(pool.submit(_fill, step + slots, slot))
    except BrokenProcessPool:
        fix = "Was it short of memory? WORKERS=0 makes the batches within the training"
        raise UserError("a process that makes batches was killed", "workers", fix) from None
    finally:
        pool.shutdown(cancel_futures=True)
        del ring
        memory.close()
        memory.unlink()


def load_batches(
    pipeline: TrainingBatches, start: int, stop: int, workers: int, convert: Callable[[Batch], Any]
) -> Iterator[Any]:
    """The batches of `batches`, converted; a thread makes the next ones while one is worked on.

    Args:
        convert: makes of each batch, in the thread, what the training takes; it must not keep the arrays themselves.
    """
    made, end = batches(pipeline, start, stop, workers), object()

    def take() -> Any:
        batch = next(made, end)
        return end if batch is end else convert(batch)

    with closing(made), ThreadPoolExecutor(1) as thread:
        waiting = deque(thread.submit(take) for _ in range(AHEAD))
        while (item := waiting.popleft().result()) is not end:
            waiting.append(thread.submit(take))
            yield item


def _room() -> int:
    """Bytes of shared memory that may be taken. Containers often have 64 MB of it; a write beyond kills the process."""
    shared = Path("/dev/shm")
    return shutil.disk_usage(shared).free // 2 if shared.is_dir() else 1 << 40


def _shared(size: int) -> SharedMemory | None:
    """So many bytes of shared memory, ours from the start whatever others take meanwhile; None without them."""
    memory = SharedMemory(create=True, size=size)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(memory._fd, 0, size)
    except OSError:
        memory.close()
        memory.unlink()
        return None
    return memory


def _open(pipeline: TrainingBatches, name: str, slots: int) -> None:
    """Makes a new process a worker: what it works on, and that it ends with the training."""
    global _pipeline, _memory, _ring
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the training's to deal with
    end_with_parent()
    cv2.setNumThreads(1)
    keep_freed_memory()
    gc.freeze()  # nothing of what is there by now is garbage: it need not be looked through again and again
    _pipeline, _memory = pipeline, SharedMemory(name)
    shape, dtype = pipeline.layout()
    _ring = np.ndarray((slots, *shape), dtype, _memory.buf)


def _fill(step: int, slot: int) -> tuple[np.ndarray, np.ndarray]:
    _, targets, weights = _pipeline.batch(step, into=_ring[slot])
    return targets, weights
