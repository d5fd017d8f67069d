"""Work shared among GPUs: a child process for each, which keeps what it has loaded."""

import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle
from multiprocessing import get_context
from types import TracebackType
from typing import Any, Generic, TypeVar

from medfold.system.native_output import silence_native_output
from medfold.system.processes import WorkerPool, result_of, try_worker_pool
from medfold.system.signals import stop_on_signals
from medfold.terminal.console import say

Loaded, Item, Result = TypeVar("Loaded"), TypeVar("Item"), TypeVar("Result")

ITEMS_PER_PROCESS = 2  # under way: one is computed while the next is sent

_loaded: Any = None  # in a child process: the result of `load`


class GpuProcesses(Generic[Loaded]):
    """Child processes, one per GPU, that each load something, such as nets, and apply functions to it.

    With one GPU or none, this process does all of it. A block of `with` ends the child processes.

    Args:
        topic: name of the work in messages.
        gpus: names of the GPUs, as `hardware.cuda_devices` returns them.
        load: called once in each process; its result is the first argument of the functions.

    Raises:
        UserError: `load` raised it, or a process was killed.

    Example:
        >>> with GpuProcesses("predict", ["0", "1"], load_net) as processes:
        ...     for batch, outputs in processes.map(predict, batches):
    """

    def __init__(self, topic: str, gpus: Sequence[str], load: Callable[[], Loaded]):
        self._topic = topic
        self._pools = _start(gpus) if len(gpus) > 1 else []
        if not self._pools:
            self._loaded = load()
            return
        say(topic, f"{len(gpus)} GPUs, a process for each")
        try:
            pickled = pickle.dumps(load)
            for loading in [pool.submit(_load, pickled) for pool in self._pools]:
                result_of(loading, topic)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise

    def __enter__(self) -> "GpuProcesses[Loaded]":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for pool in self._pools:
            pool.__exit__(kind, error, traceback)

    @property
    def num_processes(self) -> int:
        """Number of processes that work at the same time."""
        return max(1, len(self._pools))

    def call(self, function: Callable[[Loaded], Result]) -> Result:
        """Returns `function(loaded)` of one of the processes."""
        if not self._pools:
            return function(self._loaded)
        return result_of(self._pools[0].submit(_call, function), self._topic)

    def map(self, function: Callable[[Loaded, Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
        """Calls `function(loaded, item)` for each item. The processes take turns, whichever of them is faster.

        Args:
            function: function of a module, so that it can be pickled.
            items: picklable items, taken as they are needed.

        Yields:
            Each item with its result, in the order of the items.

        Raises:
            UserError: the function raised it, or a process was killed.
        """
        if not self._pools:
            for item in items:
                yield item, function(self._loaded, item)
            return
        under_way = deque()
        for item, pool in zip(items, cycle(self._pools), strict=False):
            under_way.append((item, pool.submit(_call, function, item)))
            if len(under_way) == ITEMS_PER_PROCESS * len(self._pools):
                yield self._finished(*under_way.popleft())
        while under_way:
            yield self._finished(*under_way.popleft())

    def _finished(self, item: Item, future: Any) -> tuple[Item, Any]:
        return item, result_of(future, self._topic)


def _start(gpus: Sequence[str]) -> list[WorkerPool]:
    """Returns a pool of one process for each GPU; none if this system cannot share memory."""
    pools = []
    for gpu in gpus:
        pool = try_worker_pool(1, get_context("spawn"), _use_gpu, (gpu,))
        if pool is None:
            break
        pools.append(pool)
    if len(pools) == len(gpus):
        return pools
    for pool in pools:
        pool.shutdown()
    return []


def _use_gpu(gpu: str) -> None:
    stop_on_signals()
    os.environ["CUDA_VISIBLE_DEVICES"] = gpu


def _load(pickled: bytes) -> None:
    global _loaded
    with silence_native_output(show_on_error=True):  # it may import TensorFlow
        load = pickle.loads(pickled)
    _loaded = load()


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    return function(_loaded, *arguments)
