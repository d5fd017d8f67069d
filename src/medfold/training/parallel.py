"""Folds in parallel: each in a process of its own, which shares the cores or has a GPU to itself."""

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

from medfold import hardware
from medfold.console import EACH_EPOCH, console
from medfold.errors import UserError
from medfold.progress import live_table

MOST_WORKERS = 8  # that are started unasked


@dataclass(frozen=True)
class ResourceShare:
    """What one of several trainings may use.

    Args:
        threads: of the CPU.
        gpu: name of its GPU; None without any.
    """

    threads: int
    gpu: str | None = None

    @property
    def environment(self) -> dict[str, str]:
        """For the process that trains."""
        chosen = {"CUDA_VISIBLE_DEVICES": self.gpu} if self.gpu is not None else {}
        return {**dict.fromkeys(hardware.THREADS, str(self.threads)), **chosen}


def resolve_jobs(text: str, folds: int) -> int:
    """How many folds to train at once: a number, or `auto`: one per GPU, without GPUs one per core.

    Raises:
        UserError: neither.
    """
    if text == "auto":
        return max(1, min(folds, len(hardware.cuda_devices()) or hardware.num_cores()))
    if not text.isdigit() or int(text) < 1:
        raise UserError("expected a number from 1, or auto", f"JOBS={text}")
    return min(folds, int(text))


def resolve_workers(text: str) -> int:
    """How many processes make the batches of one training: a number, or `auto`, which suits the machine.

    Without a GPU, with two cores or fewer for the training, none: a process would take from the training what it gives.

    Raises:
        UserError: neither.
    """
    if text == "auto":
        cores = hardware.num_cores()
        if hardware.cuda_devices():
            return min(cores, MOST_WORKERS)
        return min(cores // 2, MOST_WORKERS) if cores > 2 else 0
    if not text.isdigit():
        raise UserError("expected a number from 0, or auto", f"WORKERS={text}")
    return int(text)


def split_resources(jobs: int) -> list[ResourceShare]:
    """What each of so many jobs may use: the cores evenly, the GPUs in turn."""
    threads, gpus = max(1, hardware.num_cores() // jobs), hardware.cuda_devices()
    return [ResourceShare(threads, gpus[number % len(gpus)] if gpus else None) for number in range(jobs)]


def train_in_parallel(root: Path, requests: dict[int, dict[str, Any]], jobs: int) -> dict[int, str]:
    """Trains folds, each in a process (`training.child`), and shows how far they are.

    Args:
        root: the project folder.
        requests: what each process is told, by fold.
        jobs: how many the machine is shared among; at most so many at a time.

    Returns:
        What went wrong, by fold; the others are done.
    """
    free: queue.Queue[ResourceShare] = queue.Queue()
    for share in split_resources(jobs):
        free.put(share)
    running: list[subprocess.Popen] = []
    stopping = threading.Event()
    with live_table(f"fold {fold}" for fold in requests) as tell, ThreadPoolExecutor(jobs) as pool:

        def one(fold: int) -> str | None:
            share = free.get()
            try:
                return _run(root, requests[fold], share, running, stopping, lambda text: tell(f"fold {fold}", text))
            finally:
                free.put(share)

        try:
            problems = dict(zip(requests, pool.map(one, requests), strict=True))
        except BaseException:  # Ctrl-C among others: what ends now did not fail
            stopping.set()
            raise
        finally:
            for process in running:
                if process.poll() is None:
                    process.terminate()
    return {fold: problem for fold, problem in problems.items() if problem}


def _run(
    root: Path,
    request: dict[str, Any],
    share: ResourceShare,
    running: list[subprocess.Popen],
    stopping: threading.Event,
    tell: Callable[[str], None],
) -> str | None:
    (fold,) = request["request"]["folds"]
    each_epoch = {EACH_EPOCH: "1"} if console.is_terminal else {}
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen(
        [sys.executable, "-m", "medfold.training.child"],
        cwd=root,
        env={**os.environ, **share.environment, **each_epoch},
        text=True,
        encoding="utf-8",
        errors="replace",
        **pipes,
    )
    running.append(process)
    with suppress(BrokenPipeError):  # it has ended already, and says why
        process.stdin.write(json.dumps(request) + "\n")
        process.stdin.flush()
    problem = ""
    with ThreadPoolExecutor(1) as reader:
        errors = reader.submit(process.stderr.read)
        for line in process.stdout:
            message = json.loads(line)
            problem = message.get("problem", problem)
            if message.get("topic") == f"fold {fold}":
                tell(message["text"])
        said = errors.result().strip().splitlines()
    if process.wait() == 0:
        return None
    if stopping.is_set():
        tell("stopped")
        return None
    problem = problem or (said or [f"ended with exit code {process.returncode}"])[-1]
    tell(f"failed: {problem}")
    return problem
