"""Training of folds in parallel, each in a child process that shares the cores or has its own GPU."""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from medfold.errors import INTERRUPTED
from medfold.system import hardware
from medfold.system.signals import children_without_stop_signals
from medfold.terminal.console import EACH_EPOCH, console
from medfold.terminal.progress import live_table

MAX_DEFAULT_WORKERS = 8
GRACE_SECONDS = 15  # for a child that was asked to end


@dataclass(frozen=True)
class ResourceShare:
    """CPU threads and GPU of one of the folds that are trained at the same time.

    Args:
        threads: number of CPU threads.
        gpu: name of its GPU. Defaults to none.
    """

    threads: int
    gpu: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables for the child process."""
        visible_gpu = {"CUDA_VISIBLE_DEVICES": self.gpu} if self.gpu is not None else {}
        return {**dict.fromkeys(hardware.THREAD_VARIABLES, str(self.threads)), **visible_gpu}


def resolve_jobs(jobs: int | None, num_folds: int) -> int:
    """Returns how many folds to train at once, at most all.

    Args:
        jobs: the requested number; None for one fold per GPU, or per core if there is no GPU.
        num_folds: the number of folds.
    """
    jobs = jobs or len(hardware.cuda_devices()) or hardware.num_cores()
    return max(1, min(num_folds, jobs))


def default_num_workers() -> int:
    """Returns how many processes make the batches of one training: one per core with a GPU, else one per two cores.

    There are at most 8. With two cores or fewer and no GPU it is 0: a worker would take as much time from the training
    as it saves.
    """
    cores = hardware.num_cores()
    if hardware.cuda_devices():
        return min(cores, MAX_DEFAULT_WORKERS)
    return min(cores // 2, MAX_DEFAULT_WORKERS) if cores > 2 else 0


def split_resources(num_jobs: int) -> list[ResourceShare]:
    """Divides the machine among folds that are trained at the same time: the cores evenly, the GPUs in turn."""
    threads = max(1, hardware.num_cores() // num_jobs)
    gpus = hardware.cuda_devices()
    return [ResourceShare(threads, gpus[number % len(gpus)] if gpus else None) for number in range(num_jobs)]


def train_in_parallel(root: Path, requests: dict[int, dict[str, Any]], num_jobs: int) -> dict[int, str]:
    """Trains folds, each in a child process (`training.child`), and shows their progress.

    Args:
        root: the project folder.
        requests: the request for each child process, by fold.
        num_jobs: how many folds share the machine, and how many run at once at most.

    Returns:
        Error messages by fold; folds that are not listed are done.
    """
    free_shares: queue.Queue[ResourceShare] = queue.Queue()
    for share in split_resources(num_jobs):
        free_shares.put(share)
    children = _Children(root)
    with live_table(f"fold {fold}" for fold in requests) as show, ThreadPoolExecutor(num_jobs) as pool:

        def train_one(fold: int) -> str | None:
            """Waits for a free share of the machine, and trains a fold with it."""
            share = free_shares.get()
            try:
                return children.run(fold, requests[fold], share, lambda text: show(f"fold {fold}", text))
            finally:
                free_shares.put(share)

        try:
            problems = dict(zip(requests, pool.map(train_one, requests), strict=True))
        finally:
            children.end()  # after Ctrl-C some are still running
    return {fold: problem for fold, problem in problems.items() if problem}


class _Children:
    """Child processes that train folds, and end together.

    Args:
        root: the project folder.
    """

    def __init__(self, root: Path):
        self._root = root
        self._started: list[subprocess.Popen] = []
        self._ending = threading.Event()

    def run(self, fold: int, request: dict[str, Any], share: ResourceShare, show: Callable[[str], None]) -> str | None:
        """Runs a child process to its end, and returns its error message; None if it succeeded or was stopped.

        Args:
            fold: number of the fold.
            request: what the child process reads.
            share: its share of the machine.
            show: shows the progress of the fold.
        """
        if self._ending.is_set():
            return None
        process = self._start(share)
        with suppress(BrokenPipeError):  # it has ended already; its error message is read below
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        problem = ""
        with ThreadPoolExecutor(1) as reader:
            errors = reader.submit(process.stderr.read)
            for line in process.stdout:
                message = json.loads(line)
                problem = message.get("problem", problem)
                if message.get("topic") == f"fold {fold}":
                    show(message["text"])
            error_lines = errors.result().strip().splitlines()
        if process.wait() == 0:
            return None
        if self._ending.is_set() or process.returncode == INTERRUPTED:
            show("stopped")
            return None
        problem = problem or (error_lines or [f"ended with exit code {process.returncode}"])[-1]
        show(f"failed: {problem}")
        return problem

    def _start(self, share: ResourceShare) -> subprocess.Popen:
        """Starts a child process within its share of the machine; it waits for its request on standard input."""
        each_epoch = {EACH_EPOCH: "1"} if console.is_terminal else {}
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with children_without_stop_signals():
            process = subprocess.Popen(
                [sys.executable, "-m", "medfold.training.child"],
                cwd=self._root,
                env={**os.environ, **share.environment, **each_epoch},
                text=True,
                encoding="utf-8",
                errors="replace",
                **pipes,
            )
        self._started.append(process)
        if self._ending.is_set():  # it was starting when the others were ended
            process.terminate()
        return process

    def end(self) -> None:
        """Ends the processes that still run: they clean up within the grace time, or are killed; none starts later."""
        self._ending.set()
        for process in self._started:
            process.terminate()
        for process in self._started:
            try:
                process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:  # the request was lost, as in a library that catches all exceptions
                process.kill()
