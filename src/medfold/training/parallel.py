"""Training of folds in parallel, each in a child process that shares the cores or has its own GPU."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from medfold.errors import UserError
from medfold.system import hardware
from medfold.system.reporting_processes import CrashedError, Message, ReportingProcesses, StoppedError
from medfold.terminal.console import EACH_EPOCH, console
from medfold.terminal.progress import live_table
from medfold.training.fold_training import FoldTraining


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


def split_resources(num_jobs: int) -> list[ResourceShare]:
    """Divides the machine among folds that are trained at the same time: the cores evenly, the GPUs in turn."""
    threads = max(1, hardware.num_cores() // num_jobs)
    gpus = hardware.cuda_devices()
    return [ResourceShare(threads, gpus[number % len(gpus)] if gpus else None) for number in range(num_jobs)]


def train_in_parallel(
    root: Path, trainings: list[FoldTraining], num_jobs: int, finish: Callable[[], object]
) -> dict[int, Exception]:
    """Trains folds, each in a child process (`training.child`), and shows their progress.

    Args:
        root: the project folder.
        trainings: the folds.
        num_jobs: how many folds share the machine, and how many run at once at most.
        finish: called after each fold that was trained; never twice at a time.

    Returns:
        Errors by fold; folds that are not listed are done.
    """
    free_shares: queue.Queue[ResourceShare] = queue.Queue()
    for share in split_resources(num_jobs):
        free_shares.put(share)
    each_epoch = {EACH_EPOCH: "1"} if console.is_terminal else {}
    children = ReportingProcesses("medfold.training.child", root)
    finishing = threading.Lock()
    with live_table(training.topic for training in trainings) as show, ThreadPoolExecutor(num_jobs) as pool:

        def train_one(training: FoldTraining) -> Exception | None:
            """Waits for a free share of the machine, and trains a fold with it."""
            share = free_shares.get()
            try:
                if not children.are_ending:
                    listen = partial(_show_line, show, training.topic)
                    children.run(training, {**share.environment, **each_epoch}, listen)
                    with finishing:
                        finish()
            except StoppedError:
                show(training.topic, "stopped")
            except (UserError, CrashedError) as error:
                show(training.topic, f"failed: {error}")
                return error
            finally:
                free_shares.put(share)
            return None

        try:
            errors = list(pool.map(train_one, trainings))
        finally:
            children.end()  # after Ctrl-C some are still running
    return {training.number: error for training, error in zip(trainings, errors, strict=True) if error}


def _show_line(show: Callable[[str, str], None], topic: str, message: Message) -> None:
    """Shows a line of a training, unless it has another topic."""
    if message.get("topic") == topic:
        show(topic, message["text"])
