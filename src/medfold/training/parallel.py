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
    running: list[subprocess.Popen] = []
    stopping = threading.Event()
    with live_table(f"fold {fold}" for fold in requests) as show, ThreadPoolExecutor(num_jobs) as pool:

        def train_one(fold: int) -> str | None:
            """Waits for a free share of the machine, and trains a fold with it."""
            share = free_shares.get()
            try:
                if stopping.is_set():
                    return None
                return _run_child(
                    root, requests[fold], share, running, stopping, lambda text: show(f"fold {fold}", text)
                )
            finally:
                free_shares.put(share)

        try:
            problems = dict(zip(requests, pool.map(train_one, requests), strict=True))
        except BaseException:  # such as Ctrl-C: a child that ends from now on did not fail
            stopping.set()
            raise
        finally:
            _end(running)
    return {fold: problem for fold, problem in problems.items() if problem}


def _end(processes: list[subprocess.Popen]) -> None:
    """Ends child processes: they clean up within the grace time, or are killed."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:  # the request was lost, as in a library that catches all exceptions
            process.kill()


def _start_child(root: Path, share: ResourceShare) -> subprocess.Popen:
    """Starts a child process within its share of the machine; it waits for its request on standard input."""
    each_epoch = {EACH_EPOCH: "1"} if console.is_terminal else {}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with children_without_stop_signals():
        return subprocess.Popen(
            [sys.executable, "-m", "medfold.training.child"],
            cwd=root,
            env={**os.environ, **share.environment, **each_epoch},
            text=True,
            encoding="utf-8",
            errors="replace",
            **pipes,
        )


def _run_child(
    root: Path,
    request: dict[str, Any],
    share: ResourceShare,
    running: list[subprocess.Popen],
    stopping: threading.Event,
    show: Callable[[str], None],
) -> str | None:
    """Runs one child process to its end and returns its error message; None if it has succeeded or was stopped."""
    (fold,) = request["request"]["folds"]
    process = _start_child(root, share)
    running.append(process)
    if stopping.is_set():  # stopped while this child was starting: no other code ends it
        process.terminate()
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
    if stopping.is_set() or process.returncode == INTERRUPTED:
        show("stopped")
        return None
    problem = problem or (error_lines or [f"ended with exit code {process.returncode}"])[-1]
    show(f"failed: {problem}")
    return problem
